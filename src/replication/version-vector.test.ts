import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../test/support/properties.ts'
import { makeStamp, NO_STAMP, RUNS_END, runOf, SEQ_END, Stamps, seqOf } from './stamps.ts'
import { VersionVector } from './version-vector.ts'

const run = fc.integer({ min: 1, max: RUNS_END - 1 })
const seq = fc.oneof(fc.integer({ min: 1, max: SEQ_END - 1 }), fc.constantFrom(1, 2, SEQ_END - 1))

test('a stamp is its run and its number, exactly, to the last', () => {
  fc.assert(
    fc.property(run, seq, (run, seq) => {
      const stamp = makeStamp(run, seq)
      assert.ok(Number.isSafeInteger(stamp))
      assert.deepEqual([runOf(stamp), seqOf(stamp)], [run, seq])
    }),
    runs(500),
  )
})

test('each record has a stamp of its own, on whatever page', () => {
  const stamps = new Stamps()
  for (const record of [0, 1, 8191, 8192, 40_000]) stamps.set(record, makeStamp(1, record + 1))
  for (const record of [0, 1, 8191, 8192, 40_000]) assert.equal(seqOf(stamps.get(record)), record + 1)
  assert.equal(stamps.get(2), NO_STAMP)
  assert.equal(stamps.get(1_000_000), NO_STAMP)
  assert.equal(stamps.bytes, 5 * 65_536)
})

test('a vector covers what a map of numbers says, and only goes up, but for what is dropped', () => {
  const step = fc.tuple(
    fc.constantFrom('raise', 'raise', 'raise', 'drop', 'snapshot'),
    fc.integer({ min: 1, max: 40 }),
    seq,
  )
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), seq, (steps, asked) => {
      const vector = new VersionVector()
      const model = new Map<number, number>()
      let snapshot = vector.snapshot()
      let before = new Map(model)
      for (const [what, run, seq] of steps) {
        const { changes } = vector
        const was = model.get(run) ?? 0
        if (what === 'raise') {
          assert.equal(vector.raise(run, seq), seq > was)
          model.set(run, Math.max(was, seq))
        } else if (what === 'drop') {
          vector.drop(run)
          model.delete(run)
        } else {
          snapshot = vector.snapshot()
          before = new Map(model)
          assert.equal(snapshot.changes, vector.changes)
        }
        assert.equal(vector.changes > changes, (model.get(run) ?? 0) !== was)
      }
      const beyond = new Map<number, number>()
      vector.forEachBeyond(snapshot, (run, seq) => beyond.set(run, seq))
      for (let run = 1; run <= 50; run++) {
        assert.equal(vector.seq(run), model.get(run) ?? 0)
        assert.equal(snapshot.seq(run), before.get(run) ?? 0, 'a snapshot stays as it is')
        assert.equal(vector.covers(makeStamp(run, asked)), asked <= (model.get(run) ?? 0))
        const isBeyond = (model.get(run) ?? 0) > (before.get(run) ?? 0)
        assert.equal(beyond.get(run), isBeyond ? model.get(run) : undefined)
      }
      assert.equal(vector.covers(NO_STAMP), false)
    }),
    runs(500),
  )
})
