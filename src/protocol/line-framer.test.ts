import assert from 'node:assert/strict'
import { test } from 'node:test'
import { chop, chunking } from '../../test/support/line-generators.ts'
import { naiveLines } from '../../test/support/naive-parser.ts'
import { fc, runs } from '../../test/support/properties.ts'
import { LineFramer } from './line-framer.ts'

/** Pulls lines until there are no more; the last entry may be `too-long`. */
function pullAll(framer: LineFramer): string[] {
  const pulled: string[] = []
  for (;;) {
    const framed = framer.next()
    if (framed === 'need-more') return pulled
    if (framed === 'too-long') return [...pulled, framed]
    pulled.push(current(framer))
  }
}

function current(framer: LineFramer): string {
  return framer.buffer.toString('latin1', framer.start, framer.end)
}

/** Streams of short lines, so that ends fall everywhere, in chunks too. */
const shortLines = fc
  .array(fc.constantFrom('\n', '\n', 'a', 'b', '\r', '\0', '\xff', 'cccc', 'dddddddd'), { maxLength: 40 })
  .map((parts) => parts.join(''))

test('any chunking gives the same lines up to the first that is too long', () => {
  fc.assert(
    fc.property(shortLines, chunking, fc.integer({ min: 1, max: 12 }), (stream, sizes, bytesMax) => {
      const framer = new LineFramer(bytesMax)
      const pulled: string[] = []
      for (const chunk of chop(Buffer.from(stream, 'latin1'), sizes)) {
        framer.push(chunk)
        pulled.push(...pullAll(framer))
        if (pulled.at(-1) === 'too-long') break
      }
      const { lines, rest } = naiveLines(stream)
      const firstTooLong = [...lines, rest].findIndex((line) => line.length > bytesMax)
      assert.deepEqual(pulled, firstTooLong === -1 ? lines : [...lines.slice(0, firstTooLong), 'too-long'])
      if (firstTooLong !== -1) return
      assert.equal(framer.pendingBytes, rest.length)
      assert.equal(framer.finish(), rest !== '')
      if (rest !== '') assert.equal(current(framer), rest)
    }),
    runs(3000),
  )
})

test('one that stops in the middle finds everything behind it in takeRest', () => {
  fc.assert(
    fc.property(shortLines, chunking, fc.nat(10), (stream, sizes, linesWanted) => {
      const framer = new LineFramer(1000)
      const chunks = chop(Buffer.from(stream, 'latin1'), sizes)
      let taken = ''
      let lines = 0
      let chunk = chunks.shift()
      for (; chunk !== undefined && lines < linesWanted; chunk = chunks.shift()) {
        framer.push(chunk)
        while (lines < linesWanted && framer.next() === 'line') {
          taken += `${current(framer)}\n`
          lines++
        }
      }
      if (chunk !== undefined) chunks.unshift(chunk)
      assert.equal(
        taken + framer.takeRest().toString('latin1') + Buffer.concat(chunks).toString('latin1'),
        stream,
      )
      assert.equal(framer.pendingBytes, 0)
      // It is as good as new for whoever has the rest now.
      framer.push(Buffer.from('again\n'))
      assert.deepEqual(pullAll(framer), ['again'])
    }),
    runs(1000),
  )
})

test('a line of exactly the most bytes is a line, one more is too long, in any chunks', () => {
  for (const sizes of [[1_000_000], [1], [7], [65_536], [65_535, 2]]) {
    for (const [bytes, framed] of [
      [65_536, 'line'],
      [65_537, 'too-long'],
    ] as const) {
      const framer = new LineFramer(65_536)
      const results: string[] = []
      for (const chunk of chop(Buffer.from(`${'x'.repeat(bytes)}\n`), sizes)) {
        framer.push(chunk)
        let result = framer.next()
        for (; result === 'line'; result = framer.next()) results.push(result)
        if (result === 'too-long') results.push(result)
        if (result === 'too-long') break
      }
      assert.deepEqual(results, [framed], `${bytes} bytes in chunks of ${sizes.join(', ')}`)
    }
  }
})

test('a line that never ends is refused as soon as it is too long, not when it ends', () => {
  const framer = new LineFramer(10)
  framer.push(Buffer.from('0123456789'))
  assert.equal(framer.next(), 'need-more')
  framer.push(Buffer.from('0'))
  assert.equal(framer.next(), 'too-long')
})

test('lines before one that is too long are still given', () => {
  const framer = new LineFramer(3)
  framer.push(Buffer.from('abc\n\nabcd\nabc\n'))
  assert.deepEqual(pullAll(framer), ['abc', '', 'too-long'])
})

test('lines that lie whole in a chunk are not copied', () => {
  const framer = new LineFramer(100)
  const chunk = Buffer.from('one\ntwo\nthr')
  framer.push(chunk)
  assert.equal(framer.next(), 'line')
  assert.equal(framer.buffer, chunk)
  assert.equal(framer.next(), 'line')
  assert.equal(framer.buffer, chunk)
  assert.equal(framer.next(), 'need-more')
  framer.push(Buffer.from('ee\n'))
  assert.equal(framer.next(), 'line')
  assert.notEqual(framer.buffer, chunk)
  assert.equal(current(framer), 'three')
})

test('pushing over bytes that were not used up is a mistake of the caller', () => {
  const framer = new LineFramer(100)
  framer.push(Buffer.from('one\ntwo\n'))
  assert.equal(framer.next(), 'line')
  assert.throws(() => framer.push(Buffer.from('three\n')), /before the last chunk was used up/)
})

test('between lines it holds no chunk', () => {
  const framer = new LineFramer(1000)
  framer.push(Buffer.from('a line\n'))
  assert.equal(framer.next(), 'line')
  assert.equal(framer.next(), 'need-more')
  assert.equal(framer.buffer.length, 0)
})
