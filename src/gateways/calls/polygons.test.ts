import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../../test/support/properties.ts'
import { CORNERS_MAX, readPolygons } from './polygons.ts'

/** Rings of a square between two longitudes and two latitudes. */
function square(west: number, south: number, east: number, north: number): [number, number][] {
  return [
    [west, south],
    [east, south],
    [east, north],
    [west, north],
    [west, south],
  ]
}

function polygon(...rings: unknown[]): string {
  return JSON.stringify({ type: 'Polygon', coordinates: rings })
}

function multiPolygon(...polygons: unknown[]): string {
  return JSON.stringify({ type: 'MultiPolygon', coordinates: polygons })
}

/** Says of each place, latitude first, whether it is within. */
function within(text: string, ...places: readonly (readonly [number, number])[]): boolean[] {
  const shape = readPolygons(text)
  assert.ok(shape !== null, text)
  return places.map(([latitude, longitude]) => shape.contains(latitude, longitude))
}

test('a polygon: longitude comes first, and its border is within', () => {
  const text = polygon(square(10, 40, 20, 42))
  assert.deepEqual(within(text, [41, 15], [40, 10], [42, 13], [41, 20]), [true, true, true, true])
  assert.deepEqual(within(text, [15, 41], [39.999_999, 15], [41, 20.000_001]), [false, false, false])
})

test('a hole is not within, its border is', () => {
  const text = polygon(square(0, 0, 10, 10), square(4, 4, 6, 6), square(8, 8, 9, 9).toReversed())
  assert.deepEqual(within(text, [5, 5], [8.5, 8.5]), [false, false])
  assert.deepEqual(within(text, [4, 5], [6, 6], [3, 3], [7, 7]), [true, true, true, true])
})

test('more polygons are one area', () => {
  const text = multiPolygon([square(0, 0, 1, 1)], [square(100, -60, 110, -50), square(104, -56, 106, -54)])
  assert.deepEqual(within(text, [0.5, 0.5], [-51, 101], [-55, 105], [-30, 50]), [true, true, false, false])
})

test('nobody beside an edge that two polygons share is in neither of them', () => {
  const degrees = fc.double({ min: -40, max: 40, noNaN: true })
  const part = fc.oneof(fc.double({ min: 0.1, max: 0.9, noNaN: true }), fc.constantFrom(0.25, 0.5))
  const nudge = fc.constantFrom(0, 0, 2 ** -52, -(2 ** -52), 1e-15, -1e-15)
  fc.assert(
    fc.property(degrees, degrees, degrees, degrees, part, nudge, (x1, y1, x2, y2, part, nudge) => {
      fc.pre(Math.hypot(x2 - x1, y2 - y1) > 1e-6)
      const [longitude, latitude] = [x1 + part * (x2 - x1), (y1 + part * (y2 - y1)) * (1 + nudge)]
      // The other corners lie to the left and to the right of the edge.
      const [left, right] = [-1, 1].map((side) => [
        (x1 + x2 + side * (y2 - y1)) / 2,
        (y1 + y2 - side * (x2 - x1)) / 2,
      ])
      const [from, to] = [
        [x1, y1],
        [x2, y2],
      ]
      const isWithin = [polygon([from, to, left, from]), polygon([to, from, right, to])].map(
        (text) => within(text, [latitude, longitude])[0],
      )
      assert.ok(isWithin.includes(true))
    }),
    runs(2000),
  )
})

test('an area may go on beyond ±180°, on either side, or be cut there in two', () => {
  const texts = [
    polygon(square(179, -1, 181, 1)),
    polygon(square(-181, -1, -179, 1)),
    multiPolygon([square(179, -1, 180, 1)], [square(-180, -1, -179, 1)]),
  ]
  for (const text of texts) {
    assert.deepEqual(
      within(text, [0, 179.5], [0, -179.5], [0, 180], [0, -180]),
      [true, true, true, true],
      text,
    )
    assert.deepEqual(within(text, [0, 178.5], [0, -178.5], [0, 0]), [false, false, false], text)
  }
  assert.deepEqual(within(polygon(square(-360, -90, 360, 90)), [90, 0], [0, -180], [-90, 77]), [
    true,
    true,
    true,
  ])
})

test('what GeoJSON allows besides changes nothing', () => {
  const text = JSON.stringify({
    bbox: [0, 0, 1, 1],
    coordinates: [square(0, 0, 1, 1)],
    crs: { type: 'name' },
    type: 'Polygon',
  })
  assert.deepEqual(within(text, [0.5, 0.5], [2, 2]), [true, false])
  const exponents = '{"type":"Polygon","coordinates":[[[0,0],[1e1,0.0],[1.0E1,10],[0,0]]]}'
  assert.deepEqual(within(exponents, [1, 5], [9, 5]), [true, false])
})

test('anything else is no polygon', () => {
  const ring = square(0, 0, 1, 1)
  const wrong = [
    ['no JSON', '{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]'],
    ['empty', ''],
    ['an object of nothing', '{}'],
    ['null', 'null'],
    ['a list', JSON.stringify([ring])],
    ['no type', JSON.stringify({ coordinates: [ring] })],
    ['another type', JSON.stringify({ type: 'LineString', coordinates: ring })],
    ['another case', JSON.stringify({ type: 'polygon', coordinates: [ring] })],
    [
      'a feature around it',
      JSON.stringify({ type: 'Feature', geometry: { type: 'Polygon', coordinates: [ring] } }),
    ],
    ['no coordinates', JSON.stringify({ type: 'Polygon' })],
    ['no rings', polygon()],
    ['no polygons', multiPolygon()],
    ['a polygon without rings', multiPolygon([ring], [])],
    ['a ring too little', JSON.stringify({ type: 'Polygon', coordinates: ring })],
    ['a ring too much', multiPolygon(ring)],
    ['a polygon that says it is many', JSON.stringify({ type: 'MultiPolygon', coordinates: [ring] })],
    ['many that say they are one', JSON.stringify({ type: 'Polygon', coordinates: [[ring]] })],
    ['three places', polygon([ring[0], ring[1], ring[0]])],
    ['a ring that is not closed', polygon(ring.slice(0, -1))],
    ['a hole that is not closed', polygon(ring, ring.slice(0, -1))],
    ['closed in longitude only', polygon([...ring.slice(0, -1), [0, 0.5]])],
    ['closed in latitude only', polygon([...ring.slice(0, -1), [0.5, 0]])],
    [
      'a place with an altitude',
      polygon([
        [0, 0, 5],
        [1, 0, 5],
        [1, 1, 5],
        [0, 0, 5],
      ]),
    ],
    ['a place of one number', polygon([[0], [1], [2], [0]])],
    [
      'a place of text',
      polygon([
        ['0', '0'],
        ['1', '0'],
        ['1', '1'],
        ['0', '0'],
      ]),
    ],
    ['a place of nothing', polygon([null, null, null, null])],
    ['beyond the north pole', polygon(square(0, 0, 1, 90.000_001))],
    ['beyond the south pole', polygon(square(0, -90.000_001, 1, 0))],
    ['too far east', polygon(square(0, 0, 360.000_001, 1))],
    ['too far west', polygon(square(-360.000_001, 0, 0, 1))],
    ['endlessly far', '{"type":"Polygon","coordinates":[[[0,0],[1e999,0],[1,1],[0,0]]]}'],
  ] as const
  for (const [what, text] of wrong) assert.equal(readPolygons(text), null, what)
})

test('CORNERS_MAX: as many corners are taken, in whatever rings, and one more is not', () => {
  const ring = (corners: number): [number, number][] => [
    ...Array.from({ length: corners - 3 }, (_, index): [number, number] => [index / corners, 0]),
    [1, 0],
    [1, 1],
    [0, 0],
  ]
  assert.deepEqual(within(polygon(ring(CORNERS_MAX)), [0.5, 0.75], [0.75, 0.5]), [true, false])
  assert.equal(readPolygons(polygon(ring(CORNERS_MAX + 1))), null)
  const most = [[ring(CORNERS_MAX - 10)], [square(2, 2, 3, 3), square(2, 2, 3, 3)]]
  assert.notEqual(readPolygons(multiPolygon(...most)), null)
  assert.equal(readPolygons(multiPolygon(...most, [square(5, 5, 6, 6)])), null)
})
