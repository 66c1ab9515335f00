import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../test/support/properties.ts'
import { NONE } from './hash-index.ts'
import { Occupancy } from './occupancy.ts'

const KEY = 0x0b0a0908

/** The bits set in a cell, read as a search does. */
function bits(occupancy: Occupancy, cell: number): number[] {
  const place = occupancy.find(cell)
  if (place === NONE) return []
  const found: number[] = []
  for (let bit = 0; bit < 64; bit++) {
    if (((occupancy.word(place, bit >> 5) >>> (bit & 31)) & 1) === 1) found.push(bit)
  }
  return found
}

const cell = fc.oneof(fc.integer({ min: -2, max: 2 }), fc.constantFrom(2 ** 31 - 1, -(2 ** 31), KEY, ~KEY))
const bit = fc.oneof(fc.constantFrom(0, 31, 32, 63), fc.nat(63))

test('bitmaps do what a Map of sets does, and say when a cell stops or begins to be empty', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(cell, bit), { maxLength: 200, size: 'max' }), (steps) => {
      const occupancy = new Occupancy(KEY)
      const naive = new Map<number, Set<number>>()
      for (const [cell, bit] of steps) {
        const set = naive.get(cell) ?? new Set()
        naive.set(cell, set)
        // What is there goes, what is not comes: as cells do that clients walk through.
        if (set.delete(bit)) assert.equal(occupancy.clear(cell, bit), set.size === 0)
        else {
          assert.equal(occupancy.set(cell, bit), set.size === 0)
          set.add(bit)
        }
      }
      for (const [cell, set] of naive) {
        assert.deepEqual(
          bits(occupancy, cell),
          [...set].toSorted((a, b) => a - b),
        )
        assert.equal(occupancy.find(cell) === NONE, set.size === 0)
      }
    }),
    runs(300),
  )
})

test('setting a bit twice changes nothing', () => {
  const occupancy = new Occupancy(KEY)
  assert.equal(occupancy.set(5, 31), true)
  assert.equal(occupancy.set(5, 31), false)
  assert.deepEqual(bits(occupancy, 5), [31])
  assert.equal(occupancy.clear(5, 31), true)
  assert.deepEqual(bits(occupancy, 5), [])
})

test('bitmaps of cells that are left serve others, so that wandering crowds do not make them more', () => {
  const occupancy = new Occupancy(KEY)
  const cells = 5000
  for (let cell = 0; cell < cells; cell++) occupancy.set(cell, cell & 63)
  const before = occupancy.bytes
  for (let cell = cells; cell < 20 * cells; cell++) {
    assert.equal(occupancy.clear(cell - cells, (cell - cells) & 63), true)
    assert.equal(occupancy.set(cell, cell & 63), true)
    // A bitmap that is used again has nothing of its last cell.
    if (cell % 997 === 0) assert.deepEqual(bits(occupancy, cell), [cell & 63])
  }
  // The index may have split a little further, as random hashes go.
  assert.ok(occupancy.bytes <= before * 1.5, `${occupancy.bytes} from ${before}`)
})
