import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../test/support/properties.ts'
import { HashIndex, NONE } from './hash-index.ts'

/** A `HashIndex` as a Map of sets. */
class NaiveIndex {
  readonly #sets = new Map<number, Set<number>>()

  values(hash: number): Set<number> {
    return this.#sets.get(hash) ?? new Set()
  }

  insert(hash: number, value: number): void {
    this.#sets.set(hash, this.values(hash).add(value))
  }

  remove(hash: number, value: number): void {
    this.values(hash).delete(value)
  }
}

function values(index: HashIndex, hash: number): number[] {
  const found: number[] = []
  for (let value = index.first(hash); value !== NONE; value = index.next()) found.push(value)
  return found
}

/** Stands at a value, as callers do who told it apart from others under the same hash. */
function find(index: HashIndex, hash: number, wanted: number): void {
  let value = index.first(hash)
  while (value !== wanted && value !== NONE) value = index.next()
  assert.equal(value, wanted)
}

/** Hashes that fall into the same slots and the same segments, or anywhere. */
const hash = fc.oneof(
  fc.constantFrom(0, -1, 4095, 4096, 4094, -4096, 1 << 31, (1 << 31) | 4095, 4095 << 12),
  fc.integer({ min: -8, max: 8 }),
  fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
)
const step = fc.tuple(fc.constantFrom('insert', 'insert', 'replace', 'remove'), hash, fc.nat(1_000_000))

test('the index does what a Map of sets does', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 150 }), (steps) => {
      const index = new HashIndex()
      const naive = new NaiveIndex()
      const hashes = new Set<number>([7])
      let size = 0
      steps.forEach(([what, hash, choice], fresh) => {
        hashes.add(hash)
        const known = [...naive.values(hash)]
        const value = known[choice % Math.max(1, known.length)]
        if (what === 'insert') {
          assert.ok(index.insert(hash, fresh))
          naive.insert(hash, fresh)
          size++
        } else if (value !== undefined) {
          find(index, hash, value)
          naive.remove(hash, value)
          if (what === 'remove') {
            index.removeFound()
            size--
          } else {
            index.replaceFound(fresh)
            naive.insert(hash, fresh)
          }
        }
      })
      let found = 0
      for (const hash of hashes) {
        found += values(index, hash).length
        assert.deepEqual(new Set(values(index, hash)), naive.values(hash))
      }
      assert.deepEqual([index.size, found], [size, size])
    }),
    runs(400),
  )
})

test('60,000 entries split many segments, and all are found, also after half of them went', () => {
  for (const spread of [0x9e3779b1, 1, 1 << 20]) {
    const index = new HashIndex()
    const hashOf = (value: number): number => Math.imul(value, spread)
    for (let value = 0; value < 60_000; value++) assert.ok(index.insert(hashOf(value), value))
    assert.equal(index.size, 60_000)
    for (let value = 0; value < 60_000; value += 2) {
      find(index, hashOf(value), value)
      index.removeFound()
    }
    assert.equal(index.size, 30_000)
    const found = Array.from({ length: 60_000 }, (_, value) => values(index, hashOf(value)).includes(value))
    assert.deepEqual(found.map((is, value) => is === (value % 2 === 1)).indexOf(false), -1)
  }
})

test('entries under one hash are as many as fit one segment, then no more', () => {
  const index = new HashIndex()
  let entries = 0
  while (index.insert(42, entries)) entries++
  assert.ok(entries > 4000)
  assert.equal(values(index, 42).length, entries)
  assert.deepEqual(values(index, 43), [])
  assert.equal(index.size, entries)
  // Others are not kept out by them.
  assert.ok(index.insert(-42, 7))
  assert.deepEqual(values(index, -42), [7])
})

test('an index that splits costs the memory of its segments', () => {
  const index = new HashIndex()
  const before = index.bytes
  for (let value = 0; value < 10_000; value++) index.insert(Math.imul(value, 0x9e3779b1), value)
  assert.ok(index.bytes >= 4 * before)
  assert.ok(index.bytes <= 16 * before)
})
