import {
  BAND_RADIANS,
  BANDS,
  bandOf,
  cellAt,
  cellOf,
  cellsInBand,
  columnOf,
  halfWidthInBand,
} from './grid-cells.ts'
import { HashIndex, NONE } from './hash-index.ts'
import { mix } from './keyed-hash.ts'
import { CELL, NEXT_IN_CELL, PREVIOUS_IN_CELL, type Records, wordRow } from './records.ts'

const RADIANS = Math.PI / 180
/** Each ring reaches this much further than the one before, so that few rings do for far and near. */
const RING_GROWTH = 1.6
/** No circle is smaller than this (6 mm on the ground): rounding at a cell's edge then can't lose anyone. */
const RADIUS_RADIANS_MIN = 1e-9

/**
 * The spatial index over moving clients: a hash from cells to the first record in each, records of a cell
 * chained through two columns. Moving within a cell costs nothing, between cells a few writes.
 */
export class Grid {
  readonly #records: Records
  readonly #heads = new HashIndex()
  readonly #key: number

  /** @param key keeps outsiders from choosing cells whose hashes collide. */
  constructor(records: Records, key: number) {
    this.#records = records
    this.#key = key
  }

  /** Bytes of the hash from cells to records. */
  get bytes(): number {
    return this.#heads.bytes
  }

  /** Puts a new record into its cell. Degrees. */
  add(record: number, latitude: number, longitude: number): void {
    this.#link(record, cellOf(latitude, longitude))
  }

  /** Moves a record to where its client is now. Degrees. */
  move(record: number, latitude: number, longitude: number): void {
    const cell = cellOf(latitude, longitude)
    const page = this.#records.page(record)
    if (page.words[wordRow(record) + CELL] === cell) return
    this.#unlink(record)
    this.#link(record, cell)
  }

  /**
   * Visits records around a place, ring by ring outward: all records within `radius` are visited, each once, and
   * some others. After each ring, `enough(reach)` is told how far (on the sphere, in radians) everything has been
   * visited, and may stop the walk.
   *
   * @param latitude @param longitude of the place, in degrees. @param radius in radians.
   */
  walk(
    latitude: number,
    longitude: number,
    radius: number,
    visit: (record: number) => void,
    enough: (reach: number) => boolean,
  ): void {
    const centre = latitude * RADIANS
    const visited = new Map<number, { from: number; to: number }>()
    for (let reach = BAND_RADIANS; ; reach *= RING_GROWTH) {
      const ring = Math.max(RADIUS_RADIANS_MIN, Math.min(reach, radius))
      const southmost = bandOf((centre - ring) / RADIANS)
      const northmost = bandOf((centre + ring) / RADIANS)
      for (let band = southmost; band <= northmost; band++) {
        this.#walkBand(band, centre, longitude, ring, visited, visit)
      }
      if (ring >= radius || enough(ring)) return
    }
  }

  /** Visits the cells of one band that a circle reaches and that no smaller circle did. */
  #walkBand(
    band: number,
    centre: number,
    longitude: number,
    ring: number,
    visited: Map<number, { from: number; to: number }>,
    visit: (record: number) => void,
  ): void {
    if (band < 0 || band >= BANDS) return
    const halfWidth = halfWidthInBand(band, centre, ring)
    if (halfWidth < 0) return
    const cells = cellsInBand(band)
    let from = columnOf(longitude - halfWidth / RADIANS, band)
    let to = columnOf(longitude + halfWidth / RADIANS, band)
    if (to - from >= cells) {
      // All the way round: any `cells` columns in a row are all of them.
      from = visited.get(band)?.from ?? from
      to = from + cells - 1
    }
    const before = visited.get(band)
    if (before === undefined) {
      for (let column = from; column <= to; column++) this.#visitCell(cellAt(band, column), visit)
      visited.set(band, { from, to })
      return
    }
    // Rounding may make a wider circle start a column later; what has been visited stays visited.
    from = Math.min(from, before.from)
    to = Math.min(Math.max(to, before.to), from + cells - 1)
    for (let column = from; column < before.from; column++) this.#visitCell(cellAt(band, column), visit)
    for (let column = before.to + 1; column <= to; column++) this.#visitCell(cellAt(band, column), visit)
    before.from = from
    before.to = Math.max(to, before.to)
  }

  #visitCell(cell: number, visit: (record: number) => void): void {
    let record = this.#heads.first(mix(cell ^ this.#key))
    while (record !== NONE) {
      visit(record)
      record = (this.#records.page(record).words[wordRow(record) + NEXT_IN_CELL] as number) - 1
    }
  }

  /** Puts a record at the head of a cell's chain. Links are record number + 1, so that 0 is the end. */
  #link(record: number, cell: number): void {
    const { words } = this.#records.page(record)
    const row = wordRow(record)
    const hash = mix(cell ^ this.#key)
    const head = this.#heads.first(hash)
    words[row + CELL] = cell
    words[row + PREVIOUS_IN_CELL] = 0
    words[row + NEXT_IN_CELL] = head + 1
    if (head === NONE) {
      this.#heads.insert(hash, record)
      return
    }
    this.#records.page(head).words[wordRow(head) + PREVIOUS_IN_CELL] = record + 1
    this.#heads.replaceFound(record)
  }

  #unlink(record: number): void {
    const { words } = this.#records.page(record)
    const row = wordRow(record)
    const previous = (words[row + PREVIOUS_IN_CELL] as number) - 1
    const next = (words[row + NEXT_IN_CELL] as number) - 1
    if (next !== NONE) this.#records.page(next).words[wordRow(next) + PREVIOUS_IN_CELL] = previous + 1
    if (previous !== NONE) {
      this.#records.page(previous).words[wordRow(previous) + NEXT_IN_CELL] = next + 1
      return
    }
    this.#heads.first(mix((words[row + CELL] as number) ^ this.#key))
    if (next === NONE) this.#heads.removeFound()
    else this.#heads.replaceFound(next)
  }
}
