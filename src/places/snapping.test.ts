import assert from 'node:assert/strict'
import { test } from 'node:test'
import geographiclib from 'geographiclib-geodesic'
import { fc, runs } from '../../test/support/properties.ts'
import type { Area } from './provider.ts'
import { cellMetres, snap } from './snapping.ts'

/** Half the diagonal of a square, the ellipsoid, and what is rounded away. */
const FAR = Math.SQRT1_2 * 1.01
const ROUNDED_METRES = 0.1

function areaAt(latitude: number, longitude: number, radiusMetres: number): Area {
  return { latitude, longitude, locationText: `${latitude},${longitude}`, radiusMetres }
}

function metresBetween(a: Area, b: Area): number {
  const { s12 } = geographiclib.Geodesic.WGS84.Inverse(a.latitude, a.longitude, b.latitude, b.longitude)
  return s12 ?? Number.NaN
}

const latitude = fc.oneof(
  fc.double({ min: -90, max: 90, noNaN: true }),
  fc.double({ min: 89.99, max: 90, noNaN: true }),
  fc.double({ min: -90, max: -89.99, noNaN: true }),
  fc.constantFrom(-90, 90, 0, -0),
)
const longitude = fc.oneof(
  fc.double({ min: -180, max: 180, noNaN: true }),
  fc.double({ min: 179.99, max: 180, noNaN: true }),
  fc.double({ min: -180, max: -179.99, noNaN: true }),
  fc.constantFrom(-180, 180, 0, -0),
)
const radius = fc.oneof(fc.integer({ min: 0, max: 50_000 }), fc.constantFrom(0, 1, 999, 1_000, 50_000))

test('a cell is a hundredth of the radius, from 10 to 500 metres', () => {
  assert.deepEqual([0, 500, 1_000, 10_000, 50_000].map(cellMetres), [10, 10, 10, 100, 500])
})

test('nobody is moved farther than to the middle of a cell; the grid stays where it is; the text is the position', () => {
  fc.assert(
    fc.property(latitude, longitude, radius, (lat, lng, radiusMetres) => {
      const area = areaAt(lat, lng, radiusMetres)
      const snapped = snap(area)
      assert.ok(metresBetween(area, snapped) <= FAR * cellMetres(radiusMetres) + ROUNDED_METRES)
      assert.ok(Math.abs(snapped.latitude) <= 90 && Math.abs(snapped.longitude) <= 180)
      assert.deepEqual(snap(snapped), snapped)
      assert.deepEqual(snapped.locationText.split(',').map(Number), [snapped.latitude, snapped.longitude])
      assert.match(snapped.locationText, /^-?\d+\.\d{6},-?\d+\.\d{6}$/)
      assert.doesNotMatch(snapped.locationText, /-0\.0+(?:,|$)/)
    }),
    runs(2_000),
  )
})

test('a pole is one place, and ±180° is one meridian', () => {
  for (const pole of [-90, 90]) {
    const texts = [-180, -90.5, 0, 17, 180].map((lng) => snap(areaAt(pole, lng, 10_000)).locationText)
    assert.deepEqual(new Set(texts), new Set([`${pole}.000000,0.000000`]))
  }
  for (const lat of [-89.999, -45, 0, 1, 60, 89.999]) {
    const texts = [-180, 180, 179.999_999_9].map((lng) => snap(areaAt(lat, lng, 10_000)).locationText)
    assert.equal(new Set(texts).size, 1, texts.join(' '))
  }
})

test('neighbours share a point, and more of the question is left alone', () => {
  const query = { ...areaAt(34.06893, -118.445127, 10_000), rank: 'prominence', keyword: 'coffee' } as const
  const shared = Array.from({ length: 20 }, (_, step) => snap({ ...query, latitude: 34.06893 + step * 1e-6 }))
  assert.ok(new Set(shared.map(({ locationText }) => locationText)).size <= 2)
  assert.deepEqual({ ...shared[0], ...areaAt(1, 1, 1) }, { ...query, ...areaAt(1, 1, 1) })
})
