import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertClients, parseHerdStatus } from './inventory.ts'

test('the parts of the table are added, other counters are not', () => {
  const counters = { iamats: 9, 'tableBytes.records': 100, 'tableBytes.text': 20 }
  const text = JSON.stringify({ herd: 'bench', servers: [{ status: { clients: 3, counters } }] })
  assert.deepEqual(parseHerdStatus(text), { clients: 3, tableBytes: 120 })
})

test('a missing client is noticed', () => {
  assert.throws(() => assertClients('herd', 2, 3), /herd knows 2 clients, not 3/)
  assertClients('herd', 3, 3)
})
