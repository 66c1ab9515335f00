import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PlacesTruth } from './places-truth.ts'

const HERE = { latitude: 47, longitude: 9 }
/** So many kilometres to the north. */
const north = (km: number) => ({ latitude: 47 + km / 111.195, longitude: 9 })
const truth = new PlacesTruth([9, 1, 30, 5, 3].map(north))
const problem = (
  answer: readonly number[],
  expected: 'nearest' | 'inside' | 'items' = 'nearest',
  items = 3,
) => truth.problemWith(HERE, 10, items, answer.map(north), expected)

test('the nearest in their order are right, and fewer where there are no more', () => {
  assert.equal(problem([1, 3, 5]), undefined)
  assert.equal(problem([1, 3, 5, 9], 'nearest', 20), undefined)
})

test('too many, too few, too far, out of order and not the nearest are wrong', () => {
  assert.match(problem([1, 3]) ?? '', /2 places, not 3 to 3/)
  assert.match(problem([1, 3, 5, 9]) ?? '', /4 places, not 3 to 3/)
  assert.match(problem([1, 3, 30]) ?? '', /km away/)
  assert.match(problem([3, 1, 5]) ?? '', /comes behind/)
  assert.match(problem([1, 3, 9]) ?? '', /more than 2 places nearer/)
})

test('what is best known may be any in the circle', () => {
  assert.equal(problem([9, 1, 5], 'inside'), undefined)
  assert.match(problem([30, 1, 5], 'inside') ?? '', /km away/)
  assert.match(problem([5], 'inside') ?? '', /1 places, not 3/)
})

test('of a fixed answer only the number counts', () => {
  assert.equal(problem([30, 30, 30], 'items'), undefined)
  assert.match(problem([30], 'items') ?? '', /1 places, not 3/)
})
