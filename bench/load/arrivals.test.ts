import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Arrivals, quantilesOf } from './arrivals.ts'

test('an update is everywhere when the last of the others has told of it', () => {
  const arrivals = new Arrivals(10, 2)
  const first = arrivals.send(100)
  const second = arrivals.send(110)
  arrivals.answer(first, 101)
  arrivals.hear(first, 103)
  arrivals.hear(second, 112)
  assert.equal(arrivals.missing, 2)
  arrivals.hear(first, 107)
  arrivals.hear(second, 115)
  arrivals.answer(second, 116)
  assert.equal(arrivals.missing, 0)
  assert.deepEqual(arrivals.delays, { answered: [1, 6], each: [3, 2, 7, 5], everywhere: [7, 5] })
})

test('what was sent before the measurement is not part of it, also when it is heard of later', () => {
  const arrivals = new Arrivals(10, 1)
  const early = arrivals.send(1)
  arrivals.measureFromHere()
  const late = arrivals.send(5)
  arrivals.hear(early, 6)
  arrivals.hear(late, 7)
  arrivals.answer(late, 8)
  assert.deepEqual(arrivals.delays, { answered: [3], each: [2], everywhere: [2] })
})

test('there is room for so many, and nobody tells of what was not sent', () => {
  const arrivals = new Arrivals(1, 1)
  arrivals.send(0)
  assert.throws(() => arrivals.send(0), /room/)
  assert.throws(() => arrivals.hear(1, 0), /never sent/)
})

test('quantiles are values that were measured', () => {
  const values = Array.from({ length: 200 }, (_, index) => 200 - index)
  assert.deepEqual(quantilesOf(values), { p50Ms: 100, p99Ms: 198, maxMs: 200 })
  assert.deepEqual(quantilesOf([7]), { p50Ms: 7, p99Ms: 7, maxMs: 7 })
  assert.throws(() => quantilesOf([]), /nothing/)
})
