import { HashIndex, NONE } from './hash-index.ts'
import { mix } from './keyed-hash.ts'
import { tableMemory } from './table-memory.ts'

/** Bitmaps in one page: growing never copies. */
const PAGE_SHIFT = 12
const PAGE_BITMAPS = 1 << PAGE_SHIFT
const PAGE_MASK = PAGE_BITMAPS - 1
/** 64 bits of a bitmap in two words. */
const WORDS = 2

/**
 * Which of the 64 cells within a larger cell have anyone in them: one bitmap for each larger cell that has any. So
 * a search passes over empty land without looking at each small cell of it.
 */
export class Occupancy {
  readonly #index = new HashIndex()
  readonly #pages: Int32Array[] = []
  readonly #key: number
  #end = 0
  /** Head of the chain of free bitmaps, + 1; a free bitmap keeps the next one in its first word. */
  #free = 0

  /** @param key keeps outsiders from choosing cells whose hashes collide. */
  constructor(key: number) {
    this.#key = key
  }

  /** Bytes of bitmaps and their index. */
  get bytes(): number {
    return this.#index.bytes + this.#pages.length * PAGE_BITMAPS * WORDS * 4
  }

  /** The place of a cell's bitmap, or `NONE` when nobody is in it. `word` reads it. */
  find(cell: number): number {
    return this.#index.first(mix(cell ^ this.#key))
  }

  /** The low (0) or the high (1) half of a bitmap. */
  word(place: number, half: number): number {
    return this.#page(place)[(place & PAGE_MASK) * WORDS + half] as number
  }

  /** Says that somebody is in a cell's small cell. @returns whether the cell had been empty. */
  set(cell: number, bit: number): boolean {
    let place = this.find(cell)
    const wasEmpty = place === NONE
    if (wasEmpty) {
      place = this.#add()
      this.#index.insert(mix(cell ^ this.#key), place)
    }
    const at = (place & PAGE_MASK) * WORDS + (bit >> 5)
    const page = this.#page(place)
    page[at] = (page[at] as number) | (1 << (bit & 31))
    return wasEmpty
  }

  /** Says that nobody is left in a cell's small cell. @returns whether the cell is empty now. */
  clear(cell: number, bit: number): boolean {
    const place = this.find(cell)
    const page = this.#page(place)
    const at = (place & PAGE_MASK) * WORDS
    page[at + (bit >> 5)] = (page[at + (bit >> 5)] as number) & ~(1 << (bit & 31))
    if (page[at] !== 0 || page[at + 1] !== 0) return false
    this.#index.removeFound()
    page[at] = this.#free
    this.#free = place + 1
    return true
  }

  #add(): number {
    if (this.#free === 0) {
      if ((this.#end & PAGE_MASK) === 0)
        this.#pages.push(new Int32Array(tableMemory(PAGE_BITMAPS * WORDS * 4)))
      return this.#end++
    }
    const place = this.#free - 1
    const page = this.#page(place)
    const at = (place & PAGE_MASK) * WORDS
    this.#free = page[at] as number
    page[at] = 0
    return place
  }

  #page(place: number): Int32Array {
    return this.#pages[place >>> PAGE_SHIFT] as Int32Array
  }
}
