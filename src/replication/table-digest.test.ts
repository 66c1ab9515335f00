import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryHerd, type MemoryServer } from '../../test/support/memory-herd.ts'
import { TableDigest } from './table-digest.ts'

const NOW = { seconds: 1_479_413_884, nanoseconds: 0 }
const CLOCK = { ms: 0 }

function digestOf(server: MemoryServer, forgetAfterSeconds = Number.POSITIVE_INFINITY): TableDigest {
  return new TableDigest({ replica: server.replica, forgetAfterSeconds, nowMs: () => CLOCK.ms })
}

/** Two looks at a table that is at rest. */
function settle(digest: TableDigest, now: typeof NOW = NOW): string | undefined {
  for (let look = 0; look < 2; look++) if (digest.look(now)) while (!digest.step());
  return digest.table
}

function twoServers(): [MemoryServer, MemoryServer] {
  const herd = new MemoryHerd(['A', 'B'], [[0, 1]])
  herd.upAll()
  const [a, b] = [herd.named('A'), herd.named('B')]
  a.takeAt('AT A +0.1 kiwi +34.068930-118.445127 1479413884.392014450')
  b.takeAt('AT B +0.1 plum -34.068930+118.445127 1479413884.392014450')
  herd.settle()
  return [a, b]
}

test('servers that hold the same have equal digests, however they number what they hold', () => {
  const [a, b] = twoServers()
  const [ofA, ofB] = [digestOf(a), digestOf(b)]
  assert.equal(ofA.vector, ofB.vector)
  assert.match(settle(ofA) ?? '', /^-\.[0-9a-f]{16}$/)
  assert.equal(ofA.table, settle(ofB))
})

test('a table that changes has no digest until it is at rest again, and then another one', () => {
  const [a] = twoServers()
  const digest = digestOf(a)
  const [vector, table] = [digest.vector, settle(digest)]
  a.takeAt('AT A +0.1 kiwi +35.068930-118.445127 1479413885')
  assert.equal(digest.table, undefined)
  assert.equal(digest.look(NOW), false, 'not at rest yet')
  assert.equal(digest.look(NOW), true)
  a.takeAt('AT A +0.1 kiwi +36.068930-118.445127 1479413886')
  assert.deepEqual([digest.step(), digest.table], [true, undefined])
  assert.notEqual(settle(digest), undefined)
  assert.notEqual(digest.table, table)
  assert.notEqual(digest.vector, vector)
  assert.equal(digest.look(NOW), false, 'it is summed up already')
})

test('a table that differs though the same is claimed has another digest', () => {
  const [a, b] = twoServers()
  // As a fault of memory would.
  b.replica.table.remove(1)
  const [ofA, ofB] = [digestOf(a), digestOf(b)]
  assert.equal(ofA.vector, ofB.vector)
  assert.notEqual(settle(ofA), settle(ofB))
})

test('what may be forgotten is left out, and servers that leave out the same are compared', () => {
  const [a, b] = twoServers()
  const [ofA, ofB] = [digestOf(a, 3600), digestOf(b, 3600)]
  const [window, later] = [settle(ofA), settle(ofB, { ...NOW, seconds: NOW.seconds + 600 })]
  assert.notEqual(window?.split('.')[0], later?.split('.')[0])
  assert.equal(settle(ofA, { ...NOW, seconds: NOW.seconds + 600 }), later)
})

test('of its time a server spends a twentieth on sums at most', () => {
  const [a] = twoServers()
  CLOCK.ms = 0
  const digest = new TableDigest({
    replica: a.replica,
    forgetAfterSeconds: Number.POSITIVE_INFINITY,
    nowMs: () => CLOCK.ms++,
  })
  settle(digest)
  const tookUntilMs = CLOCK.ms
  a.takeAt('AT A +0.1 kiwi +35.068930-118.445127 1479413887')
  digest.look(NOW)
  assert.equal(digest.look(NOW), false)
  CLOCK.ms = tookUntilMs + 30
  assert.equal(digest.look(NOW), true)
})
