import {
  type Bounds,
  bandOf,
  bitOf,
  cellNumber,
  cellsInBand,
  columnOf,
  FINE,
  SPLIT_SHIFT,
  TOP,
  wrapColumn,
} from './grid-cells.ts'
import { HashIndex, NONE } from './hash-index.ts'
import { mix } from './keyed-hash.ts'
import { Occupancy } from './occupancy.ts'
import { NEXT_IN_CELL, PREVIOUS_IN_CELL, type Records, wordRow } from './records.ts'

/** Chains that are followed at a time: then the waits for their rows, which are in no cache, overlap. */
const CHAINS_AT_ONCE = 16

/** A walk begins at the finest level that covers its bounds with about this many cells. */
const CELLS_AT_ONCE_MAX = 144

type Visit = (record: number) => number

/**
 * The spatial index over moving clients: a hash from fine cells to the first record in each, records of a cell
 * chained through two columns of their rows. Moving within a cell costs nothing, between cells a few writes. For
 * each larger cell of two levels, a bitmap says which cells within it have anyone in them.
 */
export class Grid {
  readonly #records: Records
  readonly #heads = new HashIndex()
  readonly #key: number
  /** By level, `TOP` first. */
  readonly #occupied: readonly [Occupancy, Occupancy]
  #budget = 0
  /** The next record of each chain that the walk is following. */
  readonly #chains = new Int32Array(CHAINS_AT_ONCE)
  readonly #visited = new Int32Array(CHAINS_AT_ONCE)
  #chainCount = 0

  /** @param key keeps outsiders from choosing cells whose hashes collide. */
  constructor(records: Records, key: number) {
    this.#records = records
    this.#key = key
    this.#occupied = [new Occupancy(key), new Occupancy(key)]
  }

  /** Bytes of the hash from cells to records, and of the bitmaps. */
  get bytes(): number {
    return this.#heads.bytes + this.#occupied[0].bytes + this.#occupied[1].bytes
  }

  /** Puts a new record into its cell. Degrees. */
  add(record: number, latitude: number, longitude: number): void {
    const band = bandOf(FINE, latitude)
    this.#link(record, band, fineColumn(band, longitude))
  }

  /** Takes a record out of the cell of where its client was. Degrees. */
  remove(record: number, latitude: number, longitude: number): void {
    const band = bandOf(FINE, latitude)
    this.#unlink(record, band, fineColumn(band, longitude))
  }

  /** Moves a record from where its client was to where it is now. Degrees. */
  move(record: number, oldLatitude: number, oldLongitude: number, latitude: number, longitude: number): void {
    const oldBand = bandOf(FINE, oldLatitude)
    const oldColumn = fineColumn(oldBand, oldLongitude)
    const band = bandOf(FINE, latitude)
    const column = fineColumn(band, longitude)
    if (band === oldBand && column === oldColumn) return
    this.#unlink(record, oldBand, oldColumn)
    this.#link(record, band, column)
  }

  /**
   * Visits all records within the bounds, each once, and some around them.
   *
   * @param budget how many cells and records may be looked at; a few more are, since chains are followed together.
   * @param visit says what it cost beyond that look, in looks.
   * @returns what is left of the budget; negative when it was not enough: then some were not visited.
   */
  walk(bounds: Bounds, budget: number, visit: Visit): number {
    this.#budget = budget
    this.#chainCount = 0
    let level = FINE
    while (level > TOP && this.#countCells(level, bounds) > CELLS_AT_ONCE_MAX) level--
    if (this.#countCells(level, bounds) > budget) return -1
    const northmost = bandOf(level, bounds.north)
    for (let band = bandOf(level, bounds.south); band <= northmost; band++) {
      const cells = cellsInBand(level, band)
      const west = columnOf(level, band, bounds.west)
      const east = Math.min(columnOf(level, band, bounds.east), west + cells - 1)
      for (let column = west; column <= east; column++) {
        this.#visitCell(level, band, wrapColumn(column, cells), bounds, visit)
        if (this.#budget < 0) return this.#budget
      }
    }
    this.#followChains(visit)
    return this.#budget
  }

  /** About how many cells of a level the bounds have: in their widest band, times the bands. */
  #countCells(level: number, { south, north, west, east }: Bounds): number {
    const southmost = bandOf(level, south)
    const northmost = bandOf(level, north)
    const widest = bandOf(level, Math.max(south, Math.min(north, 0)))
    const columns = Math.min(1, (east - west) / 360) * cellsInBand(level, widest) + 1
    return (northmost - southmost + 1) * columns
  }

  /** Visits the records of a cell: those of its smaller cells that the bounds reach. */
  #visitCell(level: number, band: number, column: number, bounds: Bounds, visit: Visit): void {
    this.#budget--
    const cell = cellNumber(level, band, column)
    if (level === FINE) {
      const head = this.#heads.first(mix(cell ^ this.#key))
      if (head === NONE) return
      this.#chains[this.#chainCount++] = head
      if (this.#chainCount === CHAINS_AT_ONCE) this.#followChains(visit)
      return
    }
    const occupied = this.#occupied[level as 0 | 1]
    const place = occupied.find(cell)
    if (place === NONE) return
    for (let half = 0; half < 2; half++) {
      for (let bits = occupied.word(place, half); bits !== 0 && this.#budget >= 0; bits &= bits - 1) {
        const bit = half * 32 + 31 - Math.clz32(bits & -bits)
        const innerBand = (band << SPLIT_SHIFT) | (bit >> SPLIT_SHIFT)
        const innerColumn = (column << SPLIT_SHIFT) | (bit & ((1 << SPLIT_SHIFT) - 1))
        if (isWithin(level + 1, innerBand, innerColumn, bounds)) {
          this.#visitCell(level + 1, innerBand, innerColumn, bounds, visit)
        }
      }
    }
  }

  /** Visits the records of all chains at hand, one of each in turn. */
  #followChains(visit: Visit): void {
    const chains = this.#chains
    let count = this.#chainCount
    while (count > 0 && this.#budget >= 0) {
      this.#budget -= count
      // First only what reads memory, so that the processor can do it for all chains at once.
      let going = 0
      for (let chain = 0; chain < count; chain++) {
        const record = chains[chain] as number
        this.#visited[chain] = record
        const next = this.#records.page(record).words[wordRow(record) + NEXT_IN_CELL] as number
        if (next !== 0) chains[going++] = next - 1
      }
      for (let chain = 0; chain < count; chain++) this.#budget -= visit(this.#visited[chain] as number)
      count = going
    }
    this.#chainCount = 0
  }

  /** Puts a record at the head of a cell's chain. Links are record number + 1, so that 0 is the end. */
  #link(record: number, band: number, column: number): void {
    const { words } = this.#records.page(record)
    const row = wordRow(record)
    const hash = mix(cellNumber(FINE, band, column) ^ this.#key)
    const head = this.#heads.first(hash)
    words[row + PREVIOUS_IN_CELL] = 0
    words[row + NEXT_IN_CELL] = head + 1
    if (head === NONE) {
      this.#heads.insert(hash, record)
      this.#occupy(band, column)
      return
    }
    this.#records.page(head).words[wordRow(head) + PREVIOUS_IN_CELL] = record + 1
    this.#heads.replaceFound(record)
  }

  #unlink(record: number, band: number, column: number): void {
    const { words } = this.#records.page(record)
    const row = wordRow(record)
    const previous = (words[row + PREVIOUS_IN_CELL] as number) - 1
    const next = (words[row + NEXT_IN_CELL] as number) - 1
    if (next !== NONE) this.#records.page(next).words[wordRow(next) + PREVIOUS_IN_CELL] = previous + 1
    if (previous !== NONE) {
      this.#records.page(previous).words[wordRow(previous) + NEXT_IN_CELL] = next + 1
      return
    }
    this.#heads.first(mix(cellNumber(FINE, band, column) ^ this.#key))
    if (next !== NONE) this.#heads.replaceFound(next)
    else {
      this.#heads.removeFound()
      this.#vacate(band, column)
    }
  }

  /** Somebody is in a fine cell that was empty: notes it in the larger ones around it. */
  #occupy(band: number, column: number): void {
    let level = FINE
    let isNew = true
    while (isNew && level-- > TOP) {
      const bit = bitOf(band, column)
      band >>= SPLIT_SHIFT
      column >>= SPLIT_SHIFT
      isNew = this.#occupied[level as 0 | 1].set(cellNumber(level, band, column), bit)
    }
  }

  /** The opposite of `#occupy`. */
  #vacate(band: number, column: number): void {
    let level = FINE
    let isEmpty = true
    while (isEmpty && level-- > TOP) {
      const bit = bitOf(band, column)
      band >>= SPLIT_SHIFT
      column >>= SPLIT_SHIFT
      isEmpty = this.#occupied[level as 0 | 1].clear(cellNumber(level, band, column), bit)
    }
  }
}

function fineColumn(band: number, longitude: number): number {
  return wrapColumn(columnOf(FINE, band, longitude), cellsInBand(FINE, band))
}

/** Says whether bounds reach a cell. */
function isWithin(level: number, band: number, column: number, bounds: Bounds): boolean {
  if (band < bandOf(level, bounds.south) || band > bandOf(level, bounds.north)) return false
  const cells = cellsInBand(level, band)
  const west = columnOf(level, band, bounds.west)
  const fromWest = wrapColumn(column - west, cells)
  return fromWest <= columnOf(level, band, bounds.east) - west
}
