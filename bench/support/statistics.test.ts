import assert from 'node:assert/strict'
import { test } from 'node:test'
import { present, ratiosPerRound, summarize } from './statistics.ts'

test('the median of an odd number of values is the middle one, whatever their order', () => {
  assert.deepEqual(summarize([30, 1, 20]), { median: 20, min: 1, max: 30 })
})

test('the median of an even number of values lies between the middle two', () => {
  assert.deepEqual(summarize([4, 1, 3, 10]), { median: 3.5, min: 1, max: 10 })
})

test('values are ordered as numbers, not as text', () => {
  assert.equal(summarize([9, 10, 100])?.median, 10)
})

test('nothing measured has no summary', () => {
  assert.equal(summarize([]), undefined)
})

test('ratios are taken within a round, and rounds without both figures are left out', () => {
  assert.deepEqual(ratiosPerRound([10, 20, undefined, 40, 50], [5, 40, 1, undefined, 0]), [2, 0.5])
})

test('only what is there is summarized', () => {
  assert.deepEqual(present([1, undefined, 3]), [1, 3])
})
