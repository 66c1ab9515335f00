/**
 * Who may choose IDs or places may choose such that collide, if they know the key. These tests do, and count what the
 * table reads: under that key it is slow, as it must be, and under any other the choice was in vain.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FixWriter } from '../../test/support/fix-writer.ts'
import { WIDE_LIMITS } from '../../test/support/fixes.ts'
import { cellNumber, cellsInBand, FINE } from './grid-cells.ts'
import { type HashKey, LiveTable, ServerNames } from './index.ts'
import { keyedHash, mix } from './keyed-hash.ts'

const KNOWN: HashKey = [0x03020100, 0x07060504, 0x0b0a0908]
/** Others: one differs from it by one bit in each word. */
const OTHERS: readonly HashKey[] = [
  [0x03020101, 0x07060505, 0x0b0a0909],
  [0x7fffffff, -5, 12345],
  [0, 0, 0],
]
/** A slot of a segment is chosen by so many low bits of a hash. */
const SLOT_MASK = 4095
const COUNT = 500

/** Counts how often the words of arrays that are made meanwhile are read. */
function countReads(work: (reads: () => number) => void): void {
  const { Int32Array: Plain } = globalThis
  let reads = 0
  class Counted extends Plain {
    constructor(...args: ConstructorParameters<typeof Plain>) {
      super(...args)
      // biome-ignore lint/correctness/noConstructorReturn: the array is to be read through the proxy.
      return new Proxy(this, {
        get(target, key): unknown {
          reads++
          const value: unknown = Reflect.get(target, key)
          return typeof value === 'function' ? value.bind(target) : value
        },
      })
    }
  }
  globalThis.Int32Array = Counted as typeof Plain
  try {
    work(() => reads)
  } finally {
    globalThis.Int32Array = Plain
  }
}

interface Report {
  readonly client: number
  /** Millionths of a degree. */
  readonly latitude: number
  readonly longitude: number
}

/** What a table under that key reads to take these reports, each from a new client, and to answer about each. */
function readsOf(reports: readonly Report[], key: HashKey): number {
  let total = 0
  countReads((reads) => {
    const names = new ServerNames(1)
    names.indexOf(Buffer.from('Alford'), 0, 6)
    const table = new LiveTable(WIDE_LIMITS, names, key)
    const writer = new FixWriter()
    const before = reads()
    for (const report of reports) {
      const { buffer, clientStart, clientEnd } = writer.write({ ...report, seconds: 1 })
      assert.ok(table.apply(writer.write({ ...report, seconds: 1 })) >= 0)
      assert.ok(table.get(buffer, clientStart, clientEnd) >= 0)
    }
    total = reads() - before
  })
  return total
}

/** The first numbers that pass. */
function choose(passes: (number: number) => boolean): number[] {
  const chosen: number[] = []
  for (let number = 0; number < 2 ** 23 && chosen.length < COUNT; number++) {
    if (passes(number)) chosen.push(number)
  }
  assert.equal(chosen.length, COUNT)
  return chosen
}

function spread(client: number, place: number): Report {
  return { client, latitude: (place % 40) * 40_000, longitude: Math.floor(place / 40) * 40_000 }
}

const ordinary = Array.from({ length: COUNT }, (_, place) => spread(place, place))

/** Reports by clients whose IDs all begin at one slot. */
function collidingIds(key: HashKey): Report[] {
  const writer = new FixWriter()
  return choose((client) => {
    const { buffer, clientStart, clientEnd } = writer.write({ client, latitude: 0, longitude: 0, seconds: 1 })
    return (keyedHash(buffer, clientStart, clientEnd, key) & SLOT_MASK) === 0
  }).map(spread)
}

/** Reports from fine cells of one band that all begin at one slot of the grid's index. */
function collidingCells(key: HashKey): Report[] {
  // In the band at the equator to the north.
  const band = 90 * 320
  const cells = cellsInBand(FINE, band)
  const columns = choose(
    (column) => column < cells && (mix(cellNumber(FINE, band, column) ^ key[2]) & SLOT_MASK) < 32,
  )
  return columns.map((column, client) => ({
    client,
    latitude: 1000,
    longitude: Math.round(((column + 0.5) / cells) * 360_000_000) - 180_000_000,
  }))
}

for (const [what, colliding] of [
  ['IDs', collidingIds],
  ['cells', collidingCells],
] as const) {
  test(`${what} chosen to collide under one key are as good as any under another`, () => {
    const chosen = colliding(KNOWN)
    const usual = readsOf(ordinary, KNOWN)
    const flooded = readsOf(chosen, KNOWN)
    assert.ok(flooded > 5 * usual, `they do collide: ${flooded} reads, usually ${usual}`)
    for (const key of OTHERS) {
      const reads = readsOf(chosen, key)
      assert.ok(reads < 1.5 * usual, `${reads} reads, usually ${usual}`)
    }
  })
}
