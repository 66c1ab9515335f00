import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../test/support/properties.ts'
import {
  bandOf,
  bandsAt,
  bitOf,
  boundsAround,
  cellNumber,
  cellsInBand,
  columnOf,
  FINE,
  SPLIT_SHIFT,
  TOP,
  wrapColumn,
} from './grid-cells.ts'

const RADIANS = Math.PI / 180

const latitude = fc.oneof(
  fc.double({ min: -90, max: 90, noNaN: true }),
  fc.integer({ min: -28_800, max: 28_800 }).map((bands) => bands / 320),
  fc.constantFrom(-90, 90, 89.999999999, -89.995, 0),
)
const longitude = fc.oneof(
  fc.double({ min: -180, max: 180, noNaN: true }),
  fc.integer({ min: -57_600, max: 57_600 }).map((columns) => columns / 320),
  fc.constantFrom(-180, 180, 179.999999999999, 0),
)
const level = fc.integer({ min: TOP, max: FINE })

function cellOf(level: number, latitude: number, longitude: number): { band: number; column: number } {
  const band = bandOf(level, latitude)
  return { band, column: wrapColumn(columnOf(level, band, longitude), cellsInBand(level, band)) }
}

test('every place has a cell of each level, and it lies in that of the level above', () => {
  fc.assert(
    fc.property(latitude, longitude, (latitude, longitude) => {
      for (let level = TOP; level <= FINE; level++) {
        const { band, column } = cellOf(level, latitude, longitude)
        assert.ok(band >= 0 && band < bandsAt(level))
        assert.ok(column >= 0 && column < cellsInBand(level, band))
        if (level === TOP) continue
        const above = cellOf(level - 1, latitude, longitude)
        assert.deepEqual(above, { band: band >> SPLIT_SHIFT, column: column >> SPLIT_SHIFT })
        assert.equal(bitOf(band, column), (band & 7) * 8 + (column & 7))
      }
    }),
    runs(2000),
  )
})

test('both names of the antimeridian are one cell', () => {
  fc.assert(
    fc.property(latitude, level, (latitude, level) => {
      assert.deepEqual(cellOf(level, latitude, 180), cellOf(level, latitude, -180))
    }),
    runs(500),
  )
})

test('columns wrap around, in either direction', () => {
  assert.deepEqual(
    [-5, -1, 0, 3, 4, 9].map((column) => wrapColumn(column, 4)),
    [3, 3, 0, 3, 0, 1],
  )
})

test('cells of a level are numbered without gaps, and 32 bits tell them apart', () => {
  for (let level = TOP; level <= FINE; level++) {
    for (let band = 1; band < bandsAt(level); band++) {
      const before = cellNumber(level, band - 1, 0)
      assert.equal(cellNumber(level, band, 0), (before + cellsInBand(level, band - 1)) | 0)
    }
    const bands = Array.from({ length: bandsAt(level) }, (_, band) => cellsInBand(level, band))
    assert.ok(bands.reduce((sum, cells) => sum + cells, 0) <= 2 ** 32)
  }
})

test('a circle lies within its bounds', () => {
  const angle = fc
    .tuple(fc.double({ min: 1, max: 10, noNaN: true }), fc.integer({ min: -9, max: 0 }))
    .map(([mantissa, exponent]) => Math.min(Math.PI, mantissa * 10 ** exponent))
  const part = fc.double({ min: 0, max: 1, noNaN: true })
  fc.assert(
    fc.property(latitude, longitude, angle, part, (latitude, longitude, radius, turn) => {
      const bounds = boundsAround(latitude, longitude, radius)
      const place = destination(latitude * RADIANS, radius, turn * 2 * Math.PI)
      const [north, east] = [place.latitude / RADIANS, longitude + place.east / RADIANS]
      // The slack is rounding in this test: near a pole a longitude is little more than that.
      const slack = 1e-7 + 1e-12 / Math.max(1e-12, Math.cos(place.latitude))
      assert.ok(north >= bounds.south - slack && north <= bounds.north + slack)
      const isRound = bounds.east - bounds.west >= 360
      assert.ok(isRound || (east >= bounds.west - slack && east <= bounds.east + slack))
    }),
    runs(3000),
  )
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

test('bounds go round a pole, and are hardly wider than a small circle', () => {
  assert.deepEqual(boundsAround(89.999, 12, 0.01 * RADIANS).east, 180)
  const { south, north, west, east } = boundsAround(60, 10, 0.001 * RADIANS)
  assert.ok(Math.abs(north - south - 0.002) < 1e-6)
  assert.ok(Math.abs(east - west - 0.004) < 1e-6)
})
