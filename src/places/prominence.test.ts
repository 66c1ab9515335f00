import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../test/support/properties.ts'
import { prominenceOf } from './prominence.ts'

test('more people, more prominence; and an article about it counts', () => {
  const locality = (population?: number, hasArticle = false) =>
    prominenceOf({ types: ['locality', 'political'], population, hasArticle })
  assert.deepEqual(
    [locality(), locality(0), locality(1_000), locality(1_000_000), locality(15_000_000)],
    [100, 100, 129, 198, 225],
  )
  assert.equal(locality(1_000, true), 159)
})

test('what is visited goes before what is passed by', () => {
  const byType = ['museum', 'restaurant', 'store', 'parking'].map((type) => prominenceOf({ types: [type] }))
  assert.deepEqual(
    byType,
    byType.toSorted((a, b) => b - a),
  )
  assert.equal(new Set(byType).size, 4)
  assert.equal(prominenceOf({ types: ['toString'] }), prominenceOf({ types: [] }))
})

test('a large airport goes before a village, and behind a large town', () => {
  const airport = (isLarge: boolean) =>
    prominenceOf({ types: ['airport', 'point_of_interest', 'establishment'], isLarge, hasArticle: true })
  assert.deepEqual([airport(false), airport(true)], [140, 180])
})

test('it is always a byte', () => {
  fc.assert(
    fc.property(
      fc.double({ noNaN: false }),
      fc.boolean(),
      fc.boolean(),
      (population, isLarge, hasArticle) => {
        const prominence = prominenceOf({ types: ['country'], population, isLarge, hasArticle })
        assert.ok(Number.isInteger(prominence) && prominence >= 0 && prominence <= 255)
      },
    ),
  )
})
