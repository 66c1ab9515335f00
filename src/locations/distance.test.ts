import assert from 'node:assert/strict'
import { test } from 'node:test'
import geographiclib from 'geographiclib-geodesic'
import { fc, runs } from '../../test/support/properties.ts'
import { ellipsoidMetres, quickErrorMax, quickMetres, sphereRadians } from './distance.ts'

const { Geodesic } = geographiclib

const latitude = fc.oneof(
  fc.double({ min: -90, max: 90, noNaN: true }),
  fc.constantFrom(-90, -79.0001, -79, -78.9999, 0, 78.9999, 79, 90),
)
const longitude = fc.oneof(
  fc.double({ min: -180, max: 180, noNaN: true }),
  fc.constantFrom(-180, -179.9999, 179.9999, 180),
)
/** From millimetres to half around the Earth, many of them about where the flat ground ends. */
const metres = fc.oneof(
  fc
    .tuple(fc.double({ min: 1, max: 10, noNaN: true }), fc.integer({ min: -3, max: 6 }))
    .map(([mantissa, exponent]) => mantissa * 10 ** exponent),
  fc.double({ min: 49_000, max: 51_000, noNaN: true }),
)
const bearing = fc.double({ min: 0, max: 360, noNaN: true })

test('quick distances are off by no more than they say', () => {
  fc.assert(
    fc.property(latitude, longitude, metres, bearing, (latitude, longitude, metres, bearing) => {
      const there = Geodesic.WGS84.Direct(latitude, longitude, bearing, Math.min(metres, 1.9e7))
      const [otherLatitude, otherLongitude] = [there.lat2 ?? 0, there.lon2 ?? 0]
      const exact = ellipsoidMetres(latitude, longitude, otherLatitude, otherLongitude)
      const quick = quickMetres(latitude, longitude, otherLatitude, otherLongitude)
      const off = Math.abs(quick - exact)
      assert.ok(off <= quickErrorMax(latitude, quick), `${quick} is ${exact}, off by ${off}`)
    }),
    runs(10_000),
  )
})

test('near distances are told to a millimetre, so that few need the exact ones', () => {
  assert.ok(quickErrorMax(34, 1000) < 0.001)
  assert.ok(quickErrorMax(34, 100) < 0.000_01)
})

test('what is within a distance is within its angle on the sphere', () => {
  fc.assert(
    fc.property(latitude, metres, bearing, (latitude, metres, bearing) => {
      const there = Geodesic.WGS84.Direct(latitude, 0, bearing, Math.min(metres, 1.9e7))
      const [a, b] = [latitude, there.lat2 ?? 0].map((degrees) => (degrees * Math.PI) / 180) as [
        number,
        number,
      ]
      const east = ((there.lon2 ?? 0) * Math.PI) / 180
      const haversine = Math.sin((b - a) / 2) ** 2 + Math.cos(a) * Math.cos(b) * Math.sin(east / 2) ** 2
      const angle = 2 * Math.asin(Math.min(1, Math.sqrt(haversine)))
      assert.ok(angle <= sphereRadians(metres) + 1e-12)
    }),
    runs(3000),
  )
})
