import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { boundsOf } from './bounds.ts'
import { circleRing, metresBetween } from './circle.ts'
import { RESULTS_MAX, searchClients } from './search.ts'
import { course, distance, position, signedSeconds, span } from './units.ts'

const CLIENTS = ['bus-12', 'bus-1', 'airbus', 'anna/phone', 'anna/bus', 'BUS', 'Zoë/tablet']

test('the best matches come first: the whole, the beginning, the beginning of a part, the rest', () => {
  assert.deepEqual(searchClients(CLIENTS, 'bus'), ['BUS', 'bus-1', 'bus-12', 'anna/bus', 'airbus'])
  assert.deepEqual(searchClients(CLIENTS, ' phone ANNA '), ['anna/phone'])
  assert.deepEqual(searchClients(CLIENTS, 'zoë'), ['Zoë/tablet'])
  assert.deepEqual(searchClients(CLIENTS, '  '), [])
  assert.deepEqual(searchClients(CLIENTS, 'nobody'), [])
})

test('a search shows no more than fit, and each has what was typed', () => {
  fc.assert(
    fc.property(fc.array(fc.string()), fc.string(), (ids, typed) => {
      const found = searchClients(ids, typed)
      assert.ok(found.length <= RESULTS_MAX)
      const words = typed.toLowerCase().split(/\s+/)
      for (const id of found) assert.ok(words.every((word) => id.toLowerCase().includes(word)))
    }),
  )
})

test('the smallest box that has all points, across the antimeridian where that is smaller', () => {
  assert.equal(boundsOf([]), null)
  assert.deepEqual(
    boundsOf([
      [10, 1],
      [20, -1],
    ]),
    { west: 10, south: -1, east: 20, north: 1 },
  )
  assert.deepEqual(
    boundsOf([
      [170, 0],
      [-170, 2],
      [179, 1],
    ]),
    { west: 170, south: 0, east: 190, north: 2 },
  )
})

test('a circle is as far from its middle everywhere', () => {
  for (const middle of [
    [0, 0],
    [179.9, 60],
    [-118.4, 34],
  ] as const) {
    const ring = circleRing(middle, 5000)
    assert.deepEqual(ring[0], ring.at(-1))
    for (const corner of ring) assert.ok(Math.abs(metresBetween(middle, corner) - 5000) < 0.01)
  }
})

test('figures as people read them', () => {
  assert.deepEqual([0, 59.6, 125, 3600, 86_400 * 2 + 3700].map(span), [
    '0 s',
    '1 min',
    '2 min 5 s',
    '1 h',
    '2 d 1 h',
  ])
  assert.deepEqual([3, 0.2, 1234, 25_000].map(distance), ['3 m', '0.2 m', '1.2 km', '25 km'])
  assert.deepEqual([-0.0372, 0.5, 3.217, 0.0000004].map(signedSeconds), [
    '−37.2 ms',
    '+500 ms',
    '+3.22 s',
    '+0 µs',
  ])
  assert.deepEqual([0, 44, 359].map(course), ['0° N', '44° NE', '359° N'])
  assert.equal(position(34.06893, -118.445127), '34.06893° N, 118.44513° W')
})
