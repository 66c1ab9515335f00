import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../test/support/properties.ts'
import { sphereMetres } from './distance.ts'
import { BANDS, bandOf, cellAt, cellOf, cellsInBand, columnOf, halfWidthInBand } from './grid-cells.ts'

const RADIANS = Math.PI / 180

const latitude = fc.oneof(
  fc.double({ min: -90, max: 90, noNaN: true }),
  fc.integer({ min: -9000, max: 9000 }).map((hundredths) => hundredths / 100),
  fc.constantFrom(-90, 90, 89.999999999, -89.995, 0),
)
const longitude = fc.oneof(
  fc.double({ min: -180, max: 180, noNaN: true }),
  fc.integer({ min: -18_000, max: 18_000 }).map((hundredths) => hundredths / 100),
  fc.constantFrom(-180, 180, 179.999999999999, 0),
)

test('every place has a cell in the band of its latitude', () => {
  fc.assert(
    fc.property(latitude, longitude, (latitude, longitude) => {
      const band = bandOf(latitude)
      assert.ok(band >= 0 && band < BANDS)
      const column = columnOf(longitude, band)
      assert.ok(column >= 0 && column <= cellsInBand(band))
      const cell = cellOf(latitude, longitude)
      assert.ok(cell >= cellAt(band, 0) && cell < cellAt(band, 0) + cellsInBand(band))
      assert.equal(cell, cellAt(band, column + 3 * cellsInBand(band)))
      assert.equal(cell, cellAt(band, column - 2 * cellsInBand(band)))
    }),
    runs(2000),
  )
})

test('both names of the antimeridian are one cell', () => {
  fc.assert(
    fc.property(latitude, (latitude) => {
      assert.equal(cellOf(latitude, 180), cellOf(latitude, -180))
    }),
    runs(500),
  )
})

test('cells are numbered without gaps and fit 32 bits', () => {
  for (let band = 1; band < BANDS; band++) {
    assert.equal(cellAt(band, 0), cellAt(band - 1, 0) + cellsInBand(band - 1))
  }
  assert.ok(cellAt(BANDS - 1, cellsInBand(BANDS - 1) - 1) < 2 ** 31)
})

/** The place in that direction at that angle on the sphere, in radians. */
function destination(latitude: number, angle: number, bearing: number): { latitude: number; east: number } {
  const sine = Math.sin(latitude) * Math.cos(angle) + Math.cos(latitude) * Math.sin(angle) * Math.cos(bearing)
  const there = Math.asin(Math.max(-1, Math.min(1, sine)))
  const east = Math.atan2(
    Math.sin(bearing) * Math.sin(angle) * Math.cos(latitude),
    Math.cos(angle) - Math.sin(latitude) * Math.sin(there),
  )
  return { latitude: there, east }
}

test('a circle is nowhere wider in a band than the band is told', () => {
  const angle = fc
    .tuple(fc.double({ min: 1, max: 10, noNaN: true }), fc.integer({ min: -7, max: -2 }))
    .map(([mantissa, exponent]) => mantissa * 10 ** exponent)
  const part = fc.double({ min: 0, max: 1, noNaN: true })
  fc.assert(
    fc.property(latitude, angle, part, part, (degrees, radius, inner, turn) => {
      const place = destination(degrees * RADIANS, radius * inner, turn * 2 * Math.PI)
      const band = bandOf(place.latitude / RADIANS)
      const halfWidth = halfWidthInBand(band, degrees * RADIANS, radius)
      // The slack is rounding in this test: near a pole a longitude is little more than that.
      const slack = 1e-9 + 1e-12 / Math.max(1e-12, Math.cos(place.latitude))
      assert.ok(Math.abs(place.east) <= halfWidth + slack, `${place.east} is within ${halfWidth}`)
    }),
    runs(3000),
  )
})

test('the width of a tiny circle keeps its size', () => {
  for (const radius of [1e-9, 3e-9, 1e-8, 1e-7, 1e-5]) {
    for (const degrees of [0.005, 34.123456, -60.00123]) {
      const exact = Math.asin(Math.sin(radius) / Math.cos(degrees * RADIANS))
      const halfWidth = halfWidthInBand(bandOf(degrees), degrees * RADIANS, radius)
      assert.ok(Math.abs(halfWidth / exact - 1) < 1e-6, `${halfWidth} is ${exact}`)
    }
  }
})

test('a circle does not reach the bands beyond it, and goes round the pole', () => {
  assert.equal(halfWidthInBand(bandOf(35), 34 * RADIANS, 0.9 * RADIANS), -1)
  assert.equal(halfWidthInBand(bandOf(33), 34 * RADIANS, 0.9 * RADIANS), -1)
  assert.equal(halfWidthInBand(BANDS - 1, 89.999 * RADIANS, 0.01 * RADIANS), Math.PI)
  assert.equal(halfWidthInBand(0, -90 * RADIANS, 1e-9), Math.PI)
})

test('the sphere agrees with a quarter of a great circle', () => {
  const quarter = (6_371_008.8 * Math.PI) / 2
  assert.ok(Math.abs(sphereMetres(0, 0, 90, 123) - quarter) < 1e-6)
  assert.ok(Math.abs(sphereMetres(0, 135, 0, -135) - quarter) < 1e-6)
})
