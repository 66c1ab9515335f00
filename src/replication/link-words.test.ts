import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../test/support/properties.ts'
import { OutputBuffer } from '../protocol/index.ts'
import {
  appendPing,
  appendRun,
  appendVector,
  appendWord,
  type LinkWord,
  readLinkWord,
  type VectorEntry,
} from './link-words.ts'
import { RUNS_END, SEQ_END } from './stamps.ts'
import { VersionVector } from './version-vector.ts'

const run = fc.integer({ min: 1, max: RUNS_END - 1 })
const seq = fc.integer({ min: 1, max: SEQ_END - 1 })

/** What `append` says, word by word. */
function words(append: (output: OutputBuffer) => void): LinkWord[] {
  const output = new OutputBuffer()
  append(output)
  const text = output.take().toString('latin1')
  assert.ok(text === '' || text.endsWith('\n'))
  return text.split('\n').slice(0, -1).map(readLinkWord)
}

test('a vector is read as it was written, in lines of a bounded length, each run introduced before', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(run, seq), { maxLength: 100 }),
      fc.array(fc.tuple(run, seq)),
      (entries, known) => {
        const [vector, said] = [new VersionVector(), new VersionVector()]
        for (const [run, seq] of known) for (const each of [vector, said]) each.raise(run, seq)
        for (const [run, seq] of entries) vector.raise(run, seq)
        const introduced = new Set<number>()
        const read: VectorEntry[] = []
        const lines = words((output) =>
          appendVector(output, 'claim', vector, said, (run) => introduced.add(run)),
        )
        for (const word of lines) {
          assert.ok(word.word === 'claim' && word.entries.length <= 32)
          read.push(...word.entries)
        }
        const beyond: VectorEntry[] = []
        vector.forEachBeyond(said, (run, seq) => beyond.push([run, seq]))
        assert.deepEqual(read, beyond)
        assert.deepEqual(
          [...introduced],
          beyond.map(([run]) => run),
        )
      },
    ),
    runs(200),
  )
})

test('each word is read as it was written', () => {
  assert.deepEqual(
    words((output) => {
      appendRun(output, 17, { server: 'Alford', id: '0af.1' })
      appendWord(output, 'live')
      appendWord(output, 'ask')
      appendPing(output, 'pong', '123', { seconds: 7, nanoseconds: 50 })
      appendWord(output, `audit ${'0a'.repeat(12)} ${'b'.repeat(16)} - ${'c'.repeat(16)}`)
      appendWord(output, `repair ${'0a'.repeat(12)} 0 255`)
      appendWord(output, 'a-word-of-later and what it says')
    }),
    [
      { word: 'run', alias: 17, server: 'Alford', id: '0af.1' },
      { word: 'live' },
      { word: 'ask' },
      { word: 'pong', number: '123', clock: { seconds: 7, nanoseconds: 50 } },
      { word: 'audit', key: '0a'.repeat(12), vectorHash: 'b'.repeat(16), before: '-', sums: 'c'.repeat(16) },
      { word: 'repair', key: '0a'.repeat(12), buckets: [0, 255] },
      { word: 'unknown' },
    ],
  )
})

test('what is no such word is malformed, and never half believed', () => {
  const lines = [
    'HERD',
    'HERD x claim 1:1',
    'HERD 12345 claim 1:1',
    'HERD 2 run 0 Alford 1',
    'HERD 2 run 4096 Alford 1',
    'HERD 2 run 1 Alford',
    'HERD 2 run 1 Alford x!',
    'HERD 2 claim 1:1 2',
    'HERD 2 claim 1:1 2:0',
    'HERD 2 claim 0:1',
    'HERD 2 claim 4096:1',
    'HERD 2 claim 1:2199023255552',
    'HERD 2 claim 1:1e3',
    'HERD 2 claim -1:1',
    'HERD 2 vector 1:1 1:-5',
    'HERD 2 ping',
    'HERD 2 ping 1',
    'HERD 2 ping 12345678901234567 1.0',
    'HERD 2 pong 1 -1.0',
    'HERD 2 audit 00 11 - 22',
    `HERD 2 audit ${'0'.repeat(24)} ${'0'.repeat(16)} - 1234567`,
    'HERD 2 repair 00 1',
    `HERD 2 repair ${'0'.repeat(24)} 65536`,
  ]
  for (const line of lines) assert.deepEqual(readLinkWord(line), { word: 'malformed' }, line)
})

test('whatever comes is read without an error, and entries are within their bounds', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'HERD',
      '2',
      'run',
      'claim',
      'vector',
      'ping',
      'audit',
      'repair',
      'member',
      'budget',
      '1:1',
      '-',
      '0a',
      ':',
      '9'.repeat(30),
    ),
    fc.string({ unit: 'binary-ascii' }),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 8 }), (pieces) => {
      const word = readLinkWord(['HERD', '2', ...pieces].join(' '))
      if (word.word !== 'vector' && word.word !== 'claim') return
      for (const [run, seq] of word.entries) assert.ok(run > 0 && run < RUNS_END && seq > 0 && seq < SEQ_END)
    }),
    runs(1000),
  )
})
