import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../test/support/properties.ts'
import { DirtyQueue } from './dirty-queue.ts'

/** What the queue should do: a list of marked records without repetition, and a sweep. */
class NaiveQueue {
  #marked: number[] = []
  #sweep: number[] = []

  get length(): number {
    return this.#marked.length + this.#sweep.length
  }

  markAllBelow(count: number): void {
    this.#sweep = Array.from({ length: count }, (_, record) => record)
  }

  mark(record: number): void {
    if (!this.#marked.includes(record) && !this.#sweep.includes(record)) this.#marked.push(record)
  }

  takeMarked(): number {
    return this.#marked.shift() ?? -1
  }

  takeSwept(): number {
    return this.#sweep.shift() ?? -1
  }
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ what: fc.constant('mark' as const), record: fc.nat(70) }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('mark' as const), record: fc.nat(200_000) }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('takeMarked' as const), record: fc.constant(0) }) },
  { weight: 3, arbitrary: fc.record({ what: fc.constant('takeSwept' as const), record: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('markAllBelow' as const), record: fc.nat(60) }) },
)

test('the queue keeps places, holds each record once, and sweeps', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const queue = new DirtyQueue()
      const naive = new NaiveQueue()
      for (const { what, record } of steps) {
        assert.equal(queue[what](record), naive[what](record))
        assert.equal(queue.length, naive.length)
      }
      for (let left = naive.length + 1; left > 0; left--) {
        assert.equal(queue.takeMarked(), naive.takeMarked())
        assert.equal(queue.takeSwept(), naive.takeSwept())
      }
      assert.equal(queue.length, 0)
    }),
    runs(600),
  )
})

test('the queue grows past its first room wherever its head stands', () => {
  for (const head of [0, 1, 500, 1023]) {
    const queue = new DirtyQueue()
    for (let record = 0; record < head; record++) queue.mark(record)
    for (let record = 0; record < head; record++) assert.equal(queue.takeMarked(), record)
    for (let round = 0; round < 2; round++) {
      for (let record = 0; record < 5000; record++) queue.mark(record * 3)
    }
    assert.equal(queue.length, 5000)
    for (let record = 0; record < 5000; record++) assert.equal(queue.takeMarked(), record * 3)
    assert.equal(queue.takeMarked(), -1)
  }
})

test('a record that is marked again after it was taken is owed again', () => {
  const queue = new DirtyQueue()
  queue.markAllBelow(3)
  assert.equal(queue.takeSwept(), 0)
  queue.mark(0)
  queue.mark(1)
  assert.equal(queue.length, 3)
  assert.deepEqual([queue.takeMarked(), queue.takeMarked()], [0, -1])
  assert.deepEqual([queue.takeSwept(), queue.takeSwept(), queue.takeSwept()], [1, 2, -1])
})
