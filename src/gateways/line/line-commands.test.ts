import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toNanotime } from '../../../test/support/fixes.ts'
import { MemoryServer } from '../../../test/support/memory-herd.ts'
import { naiveSkewText, naiveTime } from '../../../test/support/naive-parser.ts'
import { fc, runs } from '../../../test/support/properties.ts'

/** Runs one command with a clock, in a buffer with other bytes around it; the bytes that it appends. */
function run(server: MemoryServer, line: string, clock: bigint = 0n): string {
  const buffer = Buffer.from(`xx${line}yy`, 'latin1')
  const end = buffer.length - 2
  Object.assign(server.now, toNanotime(clock))
  const kind = server.parser.parse(buffer, 2, end)
  if (kind === 'iamat') server.commands.iamat(buffer)
  else if (kind === 'whosat') server.answerWhosat(kind, buffer)
  else server.commands.invalid(buffer, 2, end)
  return server.output.take().toString('latin1')
}

test('the difference of any two times is exact, and the table holds the line that was answered', () => {
  const second = fc.bigInt({ min: 0n, max: 99_999_999_999n })
  const fraction = fc.stringMatching(/^(\.[0-9]{1,12})?$/)
  const clock = fc.bigInt({ min: 0n, max: 9_999_999_999_999_999_999n })
  fc.assert(
    fc.property(second, fraction, clock, (second, fraction, clock) => {
      const server = new MemoryServer('Alford')
      const time = `${second}${fraction}`
      const reply = run(server, `IAMAT kiwi +1+1 ${time}`, clock)
      const skew = naiveSkewText(clock - (naiveTime(time) ?? -1n))
      assert.equal(reply, `AT Alford ${skew} kiwi +1+1 ${time}\n`)
      assert.deepEqual(server.lines, [reply.trimEnd()])
    }),
    runs(1000),
  )
})

test('replies of one turn stand one behind the other', () => {
  const server = new MemoryServer('Alford')
  let expected = ''
  for (let client = 0; client < 5000; client++) {
    const id = `client${client}${'x'.repeat(client % 90)}`
    const buffer = Buffer.from(`IAMAT ${id} +1+1 1`)
    server.parser.parse(buffer, 0, buffer.length)
    server.commands.iamat(buffer)
    expected += `AT Alford -1.000000000 ${id} +1+1 1\n`
  }
  assert.equal(server.output.take().toString(), expected)
  assert.equal(server.lines.length, 5000)
})

test('counters tell what was new, what was not, and what was invalid', () => {
  const server = new MemoryServer('Alford')
  run(server, 'IAMAT kiwi +1+1 2')
  run(server, 'IAMAT kiwi +1+1 1')
  run(server, 'IAMAT kiwi +1+1 2')
  run(server, 'IAMAT kiwi +1+1')
  run(server, 'WHOSAT kiwi 1 1')
  const { iamats, fixesNew, fixesNotNew, invalid, whosats } = server.counters
  assert.deepEqual([iamats, fixesNew, fixesNotNew, invalid, whosats], [3, 1, 2, 1, 1])
})

test('a full table says which limit it met, says so once in the log, and leaves what was answered before', () => {
  const server = new MemoryServer('Alford', { clientsMax: 1 })
  assert.equal(run(server, 'IAMAT kiwi +1+1 1'), 'AT Alford -1.000000000 kiwi +1+1 1\n')
  const invalid = Buffer.from('?')
  server.commands.invalid(invalid, 0, 1)
  assert.equal(
    run(server, ' IAMAT\temu +1+1 1\r'),
    '? ?\n? the table is full: it takes 1 clients (limits.clientsMax); the report is not kept\n',
  )
  assert.equal(server.counters.tableFull, 1)
  assert.equal(server.counters.iamats, 2)
  assert.equal(run(server, 'IAMAT kiwi +2+2 2'), 'AT Alford -2.000000000 kiwi +2+2 2\n')
})

test('where to look for places is told in numbers and in the client’s own text', () => {
  const server = new MemoryServer('Alford')
  const texts = [
    ['+34.068930-118.445127', '34.068930,-118.445127'],
    ['-33.8688+151.2093', '-33.8688,151.2093'],
    ['+0-0', '0,-0'],
    ['-90.000-180.0', '-90.000,-180.0'],
  ] as const
  for (const [time, [position, locationText]] of texts.entries()) {
    run(server, `IAMAT kiwi ${position} ${time}`)
    const query = Buffer.from('WHATSAT kiwi 0.5 3')
    server.parser.parse(query, 0, query.length)
    const area = server.commands.whatsat(query)
    assert.equal(area?.locationText, locationText)
    assert.equal(area.radiusMetres, 500)
    assert.deepEqual([area.latitude, area.longitude], locationText.split(',').map(Number))
    assert.equal(
      server.output.take().toString(),
      `AT Alford -${time}.000000000 kiwi ${position} ${time}\n`.replace('-0.', '+0.'),
    )
  }
})

test('a query about nobody appends nothing', () => {
  const server = new MemoryServer('Alford')
  for (const [line, ask] of [
    ['WHATSAT kiwi 1 1', (bytes: Buffer) => server.commands.whatsat(bytes) === null],
    ['WHOSAT kiwi 1 1', (bytes: Buffer) => !server.answerWhosat('whosat', bytes)],
  ] as const) {
    const query = Buffer.from(line)
    server.parser.parse(query, 0, query.length)
    assert.ok(ask(query))
    assert.equal(server.output.waiting, 0)
  }
})
