import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../test/support/properties.ts'
import { PAGE_BYTES, TextArena } from './text-arena.ts'

interface Place {
  readonly address: number
  readonly length: number
}

/** No two places share a byte, and each lies within one page. */
function assertApart(places: readonly Place[]): void {
  let last = -1
  for (const { address, length } of places.toSorted((a, b) => a.address - b.address)) {
    assert.ok(address > last, `${address} is beyond ${last}`)
    last = address + TextArena.room(length) - 1
    assert.equal(Math.floor(address / PAGE_BYTES), Math.floor(last / PAGE_BYTES))
  }
}

const length = fc.oneof(
  fc.integer({ min: 1, max: 100 }),
  fc.integer({ min: 1, max: Math.floor(PAGE_BYTES / 3) }),
)

test('places in use are apart, and what is used is what was asked for', () => {
  const steps = fc.array(fc.tuple(length, fc.nat(), fc.boolean()), { maxLength: 80 })
  fc.assert(
    fc.property(steps, (steps) => {
      const arena = new TextArena(2 * PAGE_BYTES)
      const places: Place[] = []
      for (const [length, choice, isFree] of steps) {
        if (isFree && places.length > 0) {
          const [place] = places.splice(choice % places.length, 1)
          if (place !== undefined) arena.free(place.address, place.length)
        } else {
          const address = arena.allocate(length)
          if (address !== -1) places.push({ address, length })
        }
        assertApart(places)
        const used = places.reduce((sum, { length }) => sum + TextArena.room(length), 0)
        const { bytes } = arena
        assert.equal(bytes.used, used)
        assert.ok(bytes.pages <= 2 * PAGE_BYTES)
        assert.equal(bytes.used + bytes.free + bytes.untouched, bytes.pages)
      }
    }),
    runs(200),
  )
})

test('churn among the same sizes does not grow the arena', () => {
  const arena = new TextArena(64 * PAGE_BYTES)
  const sizes = [30, 62, 70, 62, 71, 200]
  const places = Array.from({ length: 20_000 }, (_, client) => {
    const length = sizes[client % sizes.length] ?? 0
    return { address: arena.allocate(length), length }
  })
  const before = arena.bytes.pages
  for (let turn = 0; turn < 200_000; turn++) {
    const client = (turn * 7919) % places.length
    const other = (client + sizes.length * (turn % 50)) % places.length
    const place = places[client]
    if (place === undefined) continue
    arena.free(place.address, place.length)
    // Two clients change places among the free: same sizes, another order.
    const { length } = places[other] ?? place
    places[client] = { address: arena.allocate(length), length }
  }
  assert.equal(arena.bytes.pages, before)
  assertApart(places)
})

test('a full arena cuts up longer places, and says when there is none', () => {
  const arena = new TextArena(PAGE_BYTES)
  const half = PAGE_BYTES / 2
  const first = arena.allocate(half)
  assert.notEqual(arena.allocate(half), -1)
  assert.equal(arena.allocate(1), -1)
  arena.free(first, half)
  const addresses = new Set<number>()
  for (let place = 0; place < half / 64; place++) {
    const address = arena.allocate(64)
    assert.ok(address >= first && address < first + half)
    addresses.add(address)
  }
  assert.equal(addresses.size, half / 64)
  assert.equal(arena.allocate(1), -1)
  assert.equal(arena.bytes.used, PAGE_BYTES)
})

test('a text longer than a page has no place', () => {
  const arena = new TextArena(8 * PAGE_BYTES)
  assert.equal(arena.allocate(PAGE_BYTES + 1), -1)
  assert.equal(arena.bytes.pages, 0)
  assert.notEqual(arena.allocate(PAGE_BYTES), -1)
})

test('what is left of a page serves shorter texts', () => {
  const arena = new TextArena(2 * PAGE_BYTES)
  arena.allocate(PAGE_BYTES - 800)
  arena.allocate(1600)
  assert.equal(arena.bytes.pages, 2 * PAGE_BYTES)
  const address = arena.allocate(800)
  assert.equal(address, PAGE_BYTES - 800)
  assert.equal(arena.offset(address), PAGE_BYTES - 800)
  assert.equal(arena.page(address).length, PAGE_BYTES)
})
