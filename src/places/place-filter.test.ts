import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PlaceFilter } from './place-filter.ts'

const CAFE = ['cafe', 'food', 'point_of_interest', 'establishment'] as const

test('a type is one of them, exactly', () => {
  const wants = (type?: string) => new PlaceFilter({ type }).wants('Café Central', CAFE)
  assert.deepEqual(
    [wants(), wants('cafe'), wants('food'), wants('caf'), wants('Cafe')],
    [true, true, true, false, false],
  )
})

test('all words, in any order and case, with or without accents, in the name or the types', () => {
  const wants = (keyword: string) => new PlaceFilter({ keyword }).wants('CAFÉ Central Zürich', CAFE)
  for (const keyword of [
    'cafe',
    'Café',
    'central cafe',
    'zurich  FOOD',
    'point of interest',
    'point_of_interest',
    ' ',
  ]) {
    assert.equal(wants(keyword), true, keyword)
  }
  for (const keyword of ['bar', 'cafe bar', 'zuerich']) assert.equal(wants(keyword), false, keyword)
})

test('both must hold', () => {
  assert.equal(new PlaceFilter({ type: 'cafe', keyword: 'central' }).wants('Central', CAFE), true)
  assert.equal(new PlaceFilter({ type: 'bar', keyword: 'central' }).wants('Central', CAFE), false)
  assert.equal(new PlaceFilter({ type: 'cafe', keyword: 'east' }).wants('Central', CAFE), false)
})
