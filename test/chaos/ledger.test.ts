/** The checks of the fault tests, themselves: each must find what it is there to find. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  FixLedger,
  freshClientsCheck,
  iamatLine,
  positionOf,
  type Report,
  readAtLine,
} from '../support/fix-ledger.ts'
import { HELP, readOptions } from './options.ts'

function atLine(server: string, { client, serial }: Report): string {
  return iamatLine(client, serial).trimEnd().replace('IAMAT', `AT ${server} +1.000000000`)
}

function problems(ledger: FixLedger, table: readonly string[]): string[] {
  const check = ledger.check()
  for (const line of table) check.line(line)
  return check.problems()
}

/** A report that a server has acknowledged; returns the AT line. */
function acknowledge(ledger: FixLedger, server: string, client: string): string {
  const line = atLine(server, ledger.next(client))
  ledger.acknowledged(server, line)
  return line
}

test('a table with all that was acknowledged, or newer, has no problems', () => {
  const ledger = new FixLedger()
  const [a, old] = [acknowledge(ledger, 'Alford', 'a'), acknowledge(ledger, 'Ball', 'b')]
  const unanswered = atLine('Ball', ledger.next('b'))
  assert.deepEqual(problems(ledger, [a, old]), [])
  assert.deepEqual(problems(ledger, [a, unanswered]), [])
  assert.equal(ledger.acknowledgements, 2)
})

test('what was acknowledged and is missing or older is a problem', () => {
  const ledger = new FixLedger()
  const first = acknowledge(ledger, 'Alford', 'a')
  acknowledge(ledger, 'Alford', 'a')
  assert.match(problems(ledger, [first]).join(), /^a: report 2 was acknowledged, the tables know 1$/)
  assert.match(problems(ledger, []).join(), /^a: report 2 was acknowledged, the tables know 0$/)
})

test('what nobody sent, or not so, is a problem', () => {
  const ledger = new FixLedger()
  const line = acknowledge(ledger, 'Alford', 'a')
  const stranger = atLine('Alford', { client: 'x', serial: 1, line: '' })
  assert.match(problems(ledger, [line, stranger]).join(), /^nobody reported AT Alford \S+ x /)
  const early = atLine('Alford', { client: 'a', serial: 9, line: '' })
  assert.match(problems(ledger, [early]).join(), /is newer than what was sent/)
  assert.match(problems(ledger, [line.replace(positionOf(1), '+1+1')]).join(), /is not what was sent/)
  assert.match(problems(ledger, [line.replace('Alford', 'Ball')]).join(), /was acknowledged as AT Alford/)
  assert.throws(() => ledger.acknowledged('Alford', stranger), /nobody asked/)
})

test('what only a killed server acknowledged may be gone; what a survivor held or acknowledged may not', () => {
  const ledger = new FixLedger()
  const held = acknowledge(ledger, 'Alford', 'a')
  acknowledge(ledger, 'Alford', 'a')
  const other = acknowledge(ledger, 'Ball', 'b')
  ledger.killed(['Alford'], new Map([['a', 1]]))
  assert.deepEqual(problems(ledger, [held, other]), [])
  assert.match(problems(ledger, [other]).join(), /^a: report 1 was/)
  assert.match(problems(ledger, [held]).join(), /^b: report 3 was/)
})

test('what all knew once must be known ever after', () => {
  const ledger = new FixLedger()
  acknowledge(ledger, 'Alford', 'a')
  ledger.settled(new Map([['a', 1]]))
  ledger.killed(['Alford'], new Map())
  assert.match(problems(ledger, []).join(), /^a: report 1 was/)
})

test('fresh clients: a missing one and a wrong one are found', () => {
  const lines = [0, 1, 2].map((serial) => atLine('Alford', { client: `f${serial}`, serial, line: '' }))
  const problemsOf = (table: readonly string[]): string => {
    const check = freshClientsCheck('f', 3)
    for (const line of table) check.line(line)
    return check.problems().join()
  }
  assert.equal(problemsOf(lines), '')
  assert.match(problemsOf(lines.filter((_, index) => index !== 1)), /^f1 is missing/)
  assert.match(problemsOf(lines.map((line) => line.replace(' f2 ', ' f0 '))), /was never sent.*f2 is missing/)
})

test('AT lines are read with no more and no fewer than their fields', () => {
  const line = atLine('Alford', { client: 'a', serial: 7, line: '' })
  assert.deepEqual(readAtLine(line), { client: 'a', position: positionOf(7), serial: 7 })
  assert.equal(readAtLine(`${line} more`), undefined)
  assert.equal(readAtLine('? what'), undefined)
})

test('the command line is read, or answered', () => {
  const defaults = { isShort: false, minutes: 0, only: [], isListing: false }
  assert.deepEqual(readOptions([]), defaults)
  assert.deepEqual(readOptions(['--short', '--minutes', '2.5', '--only', 'kill', '--only', 'net']), {
    ...defaults,
    isShort: true,
    minutes: 2.5,
    only: ['kill', 'net'],
  })
  assert.equal(readOptions(['--help']), HELP)
  assert.match(complaint(['--minutes', 'soon']), /--minutes: a number, please/)
  assert.match(complaint(['--shrot']), /shrot/)
})

function complaint(args: readonly string[]): string {
  const read = readOptions(args)
  return typeof read === 'string' ? read : ''
}
