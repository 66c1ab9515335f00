import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CLIENT_DEGREES_MAX, clientPosition, isoPosition, readPlacePositions } from './places-clients.ts'

test('the embedded places are there, all on the globe', () => {
  const places = readPlacePositions()
  assert.ok(places.length > 100_000)
  for (const { latitude, longitude } of places) {
    assert.ok(Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180)
  }
})

test('a client is near one of the places, always the same, and hardly ever where another is', () => {
  const places = [
    { latitude: 47.14, longitude: 9.52 },
    { latitude: -33.9, longitude: 151.2 },
    { latitude: 0, longitude: 179.99 },
    { latitude: 89.9, longitude: -179.99 },
  ]
  const seen = new Set<string>()
  const near = places.map(() => 0)
  for (let client = 0; client < 4000; client += 1) {
    const at = clientPosition(client, places)
    assert.deepEqual(clientPosition(client, places), at)
    assert.ok(Math.abs(at.longitude) <= 180 && Math.abs(at.latitude) <= 85)
    const place = places.findIndex(
      ({ latitude, longitude }) =>
        Math.abs(Math.min(85, latitude) - at.latitude) <= CLIENT_DEGREES_MAX + 1e-6 &&
        Math.abs(longitude - at.longitude) <= CLIENT_DEGREES_MAX + 1e-6,
    )
    assert.notEqual(place, -1)
    near[place] = (near[place] ?? 0) + 1
    seen.add(isoPosition(at))
  }
  // Those that would be beyond a border stand on it.
  assert.ok(seen.size > 2400, `${seen.size} positions`)
  for (const clients of near) assert.ok(clients > 800, near.join(', '))
})

test('a position is written as IAMAT has it', () => {
  assert.equal(isoPosition({ latitude: 47.1, longitude: -9.5 }), '+47.100000-9.500000')
  assert.equal(isoPosition({ latitude: -1e-9, longitude: 180 }), '+0.000000+180.000000')
})
