import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../test/support/properties.ts'
import { Grid } from './grid.ts'
import { type Bounds, bandOf, cellsInBand, TOP } from './grid-cells.ts'
import { Records } from './records.ts'

/** A grid whose records are where it was told, with a copy of that. */
class Places {
  readonly records = new Records()
  readonly grid = new Grid(this.records, 0x12345678)
  readonly at = new Map<number, readonly [number, number]>()

  add(latitude: number, longitude: number): void {
    const record = this.records.add()
    this.grid.add(record, latitude, longitude)
    this.at.set(record, [latitude, longitude])
  }

  move(record: number, latitude: number, longitude: number): void {
    this.grid.move(record, ...this.#place(record), latitude, longitude)
    this.at.set(record, [latitude, longitude])
  }

  remove(record: number): void {
    this.grid.remove(record, ...this.#place(record))
    this.records.free(record)
    this.at.delete(record)
  }

  /** The records that a walk visits; −1 among them when the budget was not enough. */
  walk(bounds: Bounds, budget = 1e9): number[] {
    const visited: number[] = []
    const left = this.grid.walk(bounds, budget, (record) => {
      visited.push(record)
      return 0
    })
    return left < 0 ? [...visited, -1] : visited
  }

  within({ south, north, west, east }: Bounds): number[] {
    return [...this.at.keys()].filter((record) => {
      const [latitude, longitude] = this.#place(record)
      const isBeside = [longitude - 360, longitude, longitude + 360].some((x) => x >= west && x <= east)
      return isBeside && latitude >= south && latitude <= north
    })
  }

  #place(record: number): readonly [number, number] {
    return this.at.get(record) ?? [Number.NaN, Number.NaN]
  }
}

/** Few places in the fine cells of a few larger ones, and anywhere; eighths of a fine cell, so also on borders. */
const middle = fc.constantFrom<readonly [number, number]>(
  [0, 0],
  [34, 180],
  [-60.2, -180],
  [90, 12],
  [-90, 0],
)
const eighths = fc.oneof(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -700, max: 700 }))
const anywhere = fc.tuple(fc.integer({ min: -90, max: 90 }), fc.integer({ min: -180, max: 180 }))
const offset = fc.oneof(
  { weight: 9, arbitrary: fc.tuple(eighths, eighths).map(([y, x]) => [y / 2560, x / 2560] as const) },
  { weight: 1, arbitrary: anywhere },
)

function place(
  [latitude, longitude]: readonly [number, number],
  offset: readonly [number, number],
): [number, number] {
  const east = longitude + offset[1]
  const wrapped = east > 180 ? east - 360 : east < -180 ? east + 360 : east
  return [Math.max(-90, Math.min(90, latitude + offset[0])), wrapped]
}

/** Sizes that begin at each of the levels, in degrees. */
const size = fc.oneof(fc.constantFrom(0, 0.001, 0.03, 0.3, 3), fc.double({ min: 0, max: 1, noNaN: true }))
const step = fc.tuple(fc.constantFrom('add', 'add', 'move', 'move', 'remove'), offset, fc.nat(1000))

function boundsFrom([south, west]: readonly [number, number], height: number, width: number): Bounds {
  // A hair wider, as those of searches are: across ±180° a longitude is rounded.
  return { south, north: south + height, west: west - 1e-7, east: west + width + 1e-7 }
}

test('a walk visits all within its bounds, nobody twice and nobody who is gone', () => {
  const steps = fc.array(step, { maxLength: 120, size: 'max' })
  const asked = fc.array(fc.tuple(offset, size, size), { minLength: 1, maxLength: 12, size: 'max' })
  fc.assert(
    fc.property(middle, steps, asked, (middle, steps, asked) => {
      const places = new Places()
      for (const [what, offset, choice] of steps) {
        const record = [...places.at.keys()][choice % Math.max(1, places.at.size)]
        if (what === 'add') places.add(...place(middle, offset))
        else if (record === undefined) continue
        else if (what === 'move') places.move(record, ...place(middle, offset))
        else places.remove(record)
      }
      for (const [offset, height, width] of asked) {
        const bounds = boundsFrom(place(middle, offset), height, width)
        const visited = new Set(places.walk(bounds))
        assert.equal(visited.size, places.walk(bounds).length, 'nobody twice')
        for (const record of visited) assert.ok(places.at.has(record), 'nobody who is gone')
        for (const record of places.within(bounds)) assert.ok(visited.has(record), 'nobody is left out')
      }
    }),
    runs(300),
  )
})

test('a walk visits nobody far from its bounds: no farther than a cell of the finest level, if they are small', () => {
  const places = new Places()
  for (let y = -50; y <= 50; y++) for (let x = -50; x <= 50; x++) places.add(y / 640 + 1e-4, x / 640 + 1e-4)
  for (const side of [0.001, 0.01, 0.03]) {
    const reach = side + 1 / 320
    const bounds = { south: -side, north: side, west: -side, east: side }
    const near = new Set(places.within({ south: -reach, north: reach, west: -reach, east: reach }))
    const visited = places.walk(bounds)
    assert.ok(visited.length > 0 && visited.every((record) => near.has(record)))
  }
})

test('a walk looks at no more cells and records than its budget, and says when that was not enough', () => {
  const places = new Places()
  for (let client = 0; client < 500; client++) places.add((client % 25) / 500, Math.floor(client / 25) / 500)
  const bounds = { south: 0, north: 0.05, west: 0, east: 0.05 }
  const all = places.walk(bounds).length
  assert.equal(all, 500)
  for (const budget of [0, 1, 10, 100, 300, 499]) {
    const visited = places.walk(bounds, budget)
    assert.equal(visited.at(-1), -1, `${budget} is not enough`)
    assert.ok(visited.length - 1 <= budget, `${visited.length - 1} records for ${budget}`)
  }
  assert.ok(!places.walk(bounds, 2000).includes(-1))
})

test('what judging a record costs counts against the budget', () => {
  const places = new Places()
  for (let client = 0; client < 100; client++) places.add(1, 1)
  let visited = 0
  const left = places.grid.walk({ south: 1, north: 1, west: 1, east: 1 }, 1000, () => {
    visited++
    return 99
  })
  assert.ok(left < 0)
  assert.equal(visited, 10)
})

test('a walk over empty land looks at few cells, however large the land is', () => {
  const places = new Places()
  for (const longitude of [-100, 0, 100]) places.add(50, longitude)
  for (const side of [0.01, 0.1, 1]) {
    assert.deepEqual(places.walk({ south: 10, north: 10 + side, west: 10, east: 10 + side }, 200), [])
  }
  // A whole continent has that many cells of the coarsest level.
  const cells = (bandOf(TOP, 60) - bandOf(TOP, 10)) * cellsInBand(TOP, bandOf(TOP, 10))
  const visited = places.walk({ south: 10, north: 60, west: -180, east: 180 }, 2 * cells)
  assert.deepEqual(
    visited.toSorted((a, b) => a - b),
    [0, 1, 2],
  )
})

test('a walk around the globe visits everybody once; after all left, nobody; and new ones need no more memory', () => {
  const places = new Places()
  const globe = { south: -90, north: 90, west: -180, east: 180 }
  const come = (shift: number): void => {
    for (let client = 0; client < 3000; client++) {
      places.add((client % 60) * 3 - 90 + shift, Math.floor(client / 60) * 7.2 - 180 + shift)
    }
  }
  come(0)
  const before = places.grid.bytes
  for (let round = 1; round <= 3; round++) {
    const visited = places.walk(globe)
    assert.deepEqual([visited.length, new Set(visited).size], [3000, 3000])
    for (const record of [...places.at.keys()]) places.remove(record)
    assert.deepEqual(places.walk(globe), [])
    come(round / 7)
  }
  assert.ok(places.grid.bytes <= before * 1.5)
})
