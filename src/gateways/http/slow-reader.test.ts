import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HandClock } from '../../../test/support/hand-clock.ts'
import { makeCounters } from '../../counters.ts'
import { SlowReader } from './slow-reader.ts'

const MS_MAX = 1000

/** A reader in a test's hand. */
class Reader {
  readonly clock: HandClock = new HandClock()
  readonly counters = makeCounters()
  taken = 0
  drops = 0
  readonly slow: SlowReader = new SlowReader(
    { system: this.clock, counters: this.counters, limits: { slowReaderMsMax: MS_MAX } },
    { bytesTaken: () => this.taken, drop: () => void this.drops++ },
  )
}

test('who takes nothing for slowReaderMsMax is dropped, once, and counted', () => {
  const reader = new Reader()
  reader.slow.waits()
  reader.clock.pass(MS_MAX - 1)
  assert.equal(reader.drops, 0)
  reader.clock.pass(1)
  assert.deepEqual([reader.drops, reader.counters.slowReadersDropped, reader.clock.running], [1, 1, 0])
  reader.clock.pass(10 * MS_MAX)
  assert.equal(reader.drops, 1)
})

test('who takes a byte now and then is waited for', () => {
  const reader = new Reader()
  reader.slow.waits()
  for (let turn = 0; turn < 10; turn++) {
    reader.taken++
    reader.clock.pass(MS_MAX)
    // What waits more does not begin the time anew.
    reader.slow.waits()
    assert.deepEqual([reader.drops, reader.clock.running], [0, 1])
  }
  reader.clock.pass(MS_MAX)
  assert.equal(reader.drops, 1)
})

test('more that waits gives a reader no more time', () => {
  const reader = new Reader()
  reader.slow.waits()
  reader.clock.pass(MS_MAX / 2)
  reader.slow.waits()
  reader.clock.pass(MS_MAX / 2)
  assert.equal(reader.drops, 1)
})

test('nothing runs for who has taken all, and the time begins anew with what waits next', () => {
  const reader = new Reader()
  reader.slow.drained()
  reader.slow.waits()
  reader.clock.pass(MS_MAX - 1)
  reader.slow.drained()
  assert.equal(reader.clock.running, 0)
  reader.clock.pass(MS_MAX)
  reader.slow.waits()
  reader.clock.pass(MS_MAX - 1)
  assert.equal(reader.drops, 0)
  reader.clock.pass(1)
  assert.equal(reader.drops, 1)
})
