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
/** 0: the record is free. */
export const TEXT_LENGTH = 8
export const ID_START = 9
export const ID_END = 10
export const POSITION_END = 11
/** Where the AT line ends; attributes, if there are any, follow after one space. */
export const TIME_END = 12
/** Its neighbors in the chain of its cell of the grid. A free record keeps the next free one here. */
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
 *     page.words[wordRow(record) + TEXT_LENGTH]
 */
export class Records {
  readonly #pages: RecordPage[] = []
  #count = 0
  #end = 0
  /** Head of the chain of free records, + 1; 0 when there is none. */
  #free = 0

  /** How many records are in use. */
  get count(): number {
    return this.#count
  }

  /** All record numbers given out so far are below this. */
  get end(): number {
    return this.#end
  }

  /** Bytes of all pages. */
  get bytes(): number {
    return this.#pages.length * PAGE_RECORDS * RECORD_BYTES
  }

  /** Takes a record into use: one that was freed, or a new one behind all others. @returns its number. */
  add(): number {
    this.#count++
    if (this.#free !== 0) {
      const record = this.#free - 1
      this.#free = this.page(record).words[wordRow(record) + NEXT_IN_CELL] as number
      return record
    }
    if ((this.#end & RECORD_MASK) === 0) {
      const bytes = new ArrayBuffer(PAGE_RECORDS * RECORD_BYTES)
      this.#pages.push({ floats: new Float64Array(bytes), words: new Int32Array(bytes) })
    }
    return this.#end++
  }

  /** Frees a record: its number will be given out again. */
  free(record: number): void {
    const { words } = this.page(record)
    words[wordRow(record) + TEXT_LENGTH] = 0
    words[wordRow(record) + NEXT_IN_CELL] = this.#free
    this.#free = record + 1
    this.#count--
  }

  /** Says whether a record is in use. */
  isUsed(record: number): boolean {
    return this.page(record).words[wordRow(record) + TEXT_LENGTH] !== 0
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
