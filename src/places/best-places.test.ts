import assert from 'node:assert/strict'
import { test } from 'node:test'
import geographiclib from 'geographiclib-geodesic'
import { fc } from '../../test/support/properties.ts'
import { ellipsoidMetres } from '../locations/distance.ts'
import { bestOf, type Candidate, type Circle } from './best-places.ts'

/** Circles, and candidates that are nearly as far as each other or as the circle's edge. */
const circleAndCandidates = fc
  .record({
    latitude: fc.constantFrom(0, 34, -78.9, 80, 90),
    radiusMetres: fc.constantFrom(1_000, 30_000, 49_000, 50_000),
    fraction: fc.constantFrom(0.9, 1),
    spreadMetres: fc.constantFrom(0.000_1, 0.1, 10, 300),
  })
  .chain(({ latitude, radiusMetres, fraction, spreadMetres }) => {
    const circle: Circle = { latitude, longitude: 179.9, radiusMetres }
    const candidate = fc
      .record({
        bearing: fc.double({ min: 0, max: 360, noNaN: true }),
        off: fc.double({ min: -1, max: 1, noNaN: true }),
        prominence: fc.integer({ min: 7, max: 8 }),
      })
      .map(({ bearing, off, prominence }): Candidate => {
        const metres = radiusMetres * fraction + off * spreadMetres
        const { lat2 = 0, lon2 = 0 } = geographiclib.Geodesic.WGS84.Direct(latitude, 179.9, bearing, metres)
        return { latitude: lat2, longitude: lon2, prominence }
      })
    return fc.tuple(fc.constant(circle), fc.array(candidate, { minLength: 1, maxLength: 40 }))
  })

test('the best are those of exact distances, however near each other they are', () => {
  fc.assert(
    fc.property(
      circleAndCandidates,
      fc.constantFrom('prominence', 'distance'),
      fc.integer({ min: 1, max: 20 }),
      ([circle, candidates], rank, items) => {
        const rankOf = ({ prominence }: Candidate): number => (rank === 'distance' ? 0 : prominence)
        const expected = candidates
          .map((one) => [
            rankOf(one),
            ellipsoidMetres(circle.latitude, circle.longitude, one.latitude, one.longitude),
          ])
          .filter(([, metres = 0]) => metres <= circle.radiusMetres)
          .sort(([rankA = 0, metresA = 0], [rankB = 0, metresB = 0]) => rankB - rankA || metresA - metresB)
        const best = bestOf(candidates, circle, rank, items)
        assert.deepEqual(
          best.map(({ candidate, metres }) => [rankOf(candidate), metres]),
          expected.slice(0, items),
        )
      },
    ),
    { numRuns: 300 },
  )
})
