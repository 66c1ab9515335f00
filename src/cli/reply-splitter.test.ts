import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../test/support/properties.ts'
import { CommandSpotter, type ReplyKind, ReplySplitter, replyKindOf } from './reply-splitter.ts'

const LINE = 'AT Alford +0.1 kiwi +34.0-118.4 5\n'
const PLACES = `${LINE}{\n   "results" : [],\n   "status" : "OK"\n}\n\n`
const REFUSED = '? WHATSAT nobody 1 1\n'

function split(kinds: readonly ReplyKind[], text: string, cuts: readonly number[] = []): string[] {
  const splitter = new ReplySplitter()
  splitter.expect(kinds)
  return chunksOf(text, cuts).flatMap((chunk) => splitter.push(chunk).map(({ bytes }) => String(bytes)))
}

function chunksOf(text: string, cuts: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text)
  const ends = [...cuts.map((cut) => cut % (bytes.length + 1)), bytes.length].toSorted((a, b) => a - b)
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end))
}

test('the word of a command says what its reply is', () => {
  assert.equal(replyKindOf('WHATSAT a 1 1'), 'places')
  assert.equal(replyKindOf('\t\v WHATSAT\ta'), 'places')
  assert.equal(replyKindOf('WHOSAT'), 'nearby')
  for (const line of ['', ' ', 'IAMAT a +1+1 5', 'WHATSATS a', 'whatsat a 1 1', 'AT']) {
    assert.equal(replyKindOf(line), 'line')
  }
})

test('replies of every kind, one after the other, however they were chopped', () => {
  const replies: readonly (readonly [ReplyKind, string])[] = [
    ['line', LINE],
    ['places', PLACES],
    ['places', REFUSED],
    ['nearby', `${LINE}${LINE}\n`],
    ['nearby', '\n'],
    ['nearby', REFUSED],
    ['line', '? nonsense\n'],
  ]
  const many = fc.array(fc.constantFrom(...replies), { maxLength: 20 })
  fc.assert(
    fc.property(many, fc.array(fc.nat(), { maxLength: 20 }), (sent, cuts) => {
      const texts = sent.map(([, text]) => text)
      assert.deepEqual(
        split(
          sent.map(([kind]) => kind),
          texts.join(''),
          cuts,
        ),
        texts,
      )
    }),
  )
})

test('a reply says whether it is an answer, and what is missing is waited for', () => {
  const splitter = new ReplySplitter()
  splitter.expect(['line', 'places'])
  assert.deepEqual(
    splitter.push(Buffer.from(REFUSED + PLACES.slice(0, -1))).map(({ ok }) => ok),
    [false],
  )
  assert.equal(splitter.waiting, 1)
  assert.deepEqual(
    splitter.push(Buffer.from('\n')).map(({ ok, kind }) => [ok, kind]),
    [[true, 'places']],
  )
  assert.equal(splitter.waiting, 0)
})

test('bytes that are no UTF-8 come through as they are', () => {
  const splitter = new ReplySplitter()
  splitter.expect(['line'])
  const bytes = Buffer.from([0x41, 0x54, 0x20, 0xff, 0xfe, 0x00, 0x0a])
  assert.deepEqual(splitter.push(bytes)[0]?.bytes, bytes)
})

test('commands in a stream: the same as line by line, however it was chopped', () => {
  const words = fc.constantFrom(
    'WHATSAT a 1 1',
    ' \t WHATSAT',
    'WHOSAT x',
    'WHATSATX',
    'IAMAT',
    '',
    ' '.repeat(99),
    '\r',
  )
  fc.assert(
    fc.property(fc.array(words), fc.array(fc.nat(), { maxLength: 20 }), (lines, cuts) => {
      const spotter = new CommandSpotter()
      const text = lines.map((line) => `${line}\n`).join('')
      const kinds = chunksOf(text, cuts).flatMap((chunk) => spotter.push(chunk))
      assert.deepEqual(kinds, lines.map(replyKindOf))
      assert.equal(spotter.open, false)
    }),
  )
})

test('a last line without an end is open, even when it is white', () => {
  const spotter = new CommandSpotter()
  assert.deepEqual(spotter.push(Buffer.from('IAMAT\n ')), ['line'])
  assert.equal(spotter.open, true)
  assert.deepEqual(spotter.push(Buffer.from('WHOSAT a\n')), ['nearby'])
  assert.equal(spotter.open, false)
})
