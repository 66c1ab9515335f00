/** Records in one page: a page of 1 MiB is made at once, and that is no pause. */
const PAGE_RECORDS = 16_384
const RECORD_SHIFT = 14
const RECORD_MASK = PAGE_RECORDS - 1
/** One record is one cache line: what an update touches lies together. */
const RECORD_BYTES = 64

/** Places in a record's row of 64-bit floats. Latitude and longitude in degrees, seconds as in `Nanotime`. */
export const LATITUDE = 0
export const LONGITUDE = 1
export const TIME_SECONDS = 2
const FLOATS = RECORD_BYTES / 8

/** Places in its row of 32-bit words, behind the floats. Text offsets count from the start of the text. */
export const TIME_NANOSECONDS = 6
export const TEXT_ADDRESS = 7
export const TEXT_LENGTH = 8
export const ID_START = 9
export const ID_END = 10
export const POSITION_END = 11
/** Its cell of the grid, and its neighbors in the chain of that cell. */
export const CELL = 12
export const NEXT_IN_CELL = 13
export const PREVIOUS_IN_CELL = 14
/** The origin's index in `ServerNames`; negated minus one when the client's clock is more than 60 s ahead. */
export const SERVER = 15
const WORDS = RECORD_BYTES / 4

/** Views of one page of records, all of the same bytes. */
export interface RecordPage {
  readonly floats: Float64Array
  readonly words: Int32Array
}

/**
 * The numbers of all records, in pages of rows, so that growing never copies; no object per record. A row is read
 * and written through the page's views:
 *
 *     const page = records.page(record)
 *     page.words[wordRow(record) + CELL]
 */
export class Records {
  readonly #pages: RecordPage[] = []
  #count = 0

  /** How many records there are; they are numbered from 0. */
  get count(): number {
    return this.#count
  }

  /** Bytes of all pages. */
  get bytes(): number {
    return this.#pages.length * PAGE_RECORDS * RECORD_BYTES
  }

  /** Adds a record, all zeros. @returns its number. */
  add(): number {
    if ((this.#count & RECORD_MASK) === 0) {
      const bytes = new ArrayBuffer(PAGE_RECORDS * RECORD_BYTES)
      this.#pages.push({ floats: new Float64Array(bytes), words: new Int32Array(bytes) })
    }
    return this.#count++
  }

  /** The page that holds a record. */
  page(record: number): RecordPage {
    return this.#pages[record >>> RECORD_SHIFT] as RecordPage
  }
}

/** Where in its page's floats a record's row starts. */
export function floatRow(record: number): number {
  return (record & RECORD_MASK) * FLOATS
}

/** Where in its page's words a record's row starts. */
export function wordRow(record: number): number {
  return (record & RECORD_MASK) * WORDS
}
