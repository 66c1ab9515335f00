import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertClients, parseHerdStatus, parseProviderStatus } from './inventory.ts'

test('the parts of the table are added, other counters are not', () => {
  const counters = { iamats: 9, 'tableBytes.records': 100, 'tableBytes.text': 20 }
  const text = JSON.stringify({ herd: 'bench', servers: [{ status: { clients: 3, counters } }] })
  assert.deepEqual(parseHerdStatus(text), { clients: 3, tableBytes: 120 })
})

test('a missing client is noticed', () => {
  assert.throws(() => assertClients('herd', 2, 3), /herd knows 2 clients, not 3/)
  assertClients('herd', 3, 3)
})

test('how often a provider of places was called', () => {
  const providers = [
    { name: 'postgis', asks: 3, calls: 2 },
    { name: 'embedded', asks: 1, calls: 1 },
  ]
  const text = JSON.stringify({ servers: [{ status: { places: { providers } } }] })
  assert.deepEqual(parseProviderStatus(text, 'postgis'), { asks: 3, calls: 2 })
  assert.throws(() => parseProviderStatus(text, 'google'), /no provider google/)
})
