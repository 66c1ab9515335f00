import assert from 'node:assert/strict'
import { test } from 'node:test'
import { anyClient, CLIENTS_MAX, clientId, clientOf, northOf, positionOf, westOf } from './city.ts'

test('an ID has 20 bytes and tells the number again', () => {
  for (const client of [0, 7, 123_456, CLIENTS_MAX - 1]) {
    assert.equal(clientId(client).length, 20)
    assert.equal(clientOf(clientId(client)), client)
  }
  assert.ok(Number.isNaN(clientOf('client-1.city')))
})

test('clients are spread evenly over the city, and the two axes have nothing to do with each other', () => {
  const cells = new Uint32Array(100)
  for (let client = 0; client < 100_000; client += 1) {
    const cell = Math.trunc(northOf(client, 0) / 100_000) * 10 + Math.trunc(westOf(client, 0) / 100_000)
    cells[cell] = (cells[cell] ?? 0) + 1
  }
  // 1,000 expected in each; seven standard deviations.
  for (const count of cells) assert.ok(Math.abs(count - 1000) < 220, String(count))
})

test('a move is some 30 m, and nobody leaves the city', () => {
  for (let client = 0; client < 1000; client += 1) {
    assert.equal(northOf(client, 1), (northOf(client, 0) + 300) % 1_000_000)
    const { latitude, longitude } = positionOf(client, 3333)
    assert.ok(latitude >= 34 && latitude < 35 && longitude <= -118 && longitude > -119)
  }
})

test('any client is one of those that there are', () => {
  const seen = new Set(Array.from({ length: 1000 }, (_, number) => anyClient(number, 10)))
  assert.deepEqual(seen, new Set([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]))
})
