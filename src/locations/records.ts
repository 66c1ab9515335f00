import { tableMemory } from './table-memory.ts'

/** Records in one page: a page of 1 MiB is made at once, and that is no pause. */
const RECORD_SHIFT = 13
const PAGE_RECORDS = 1 << RECORD_SHIFT
const RECORD_MASK = PAGE_RECORDS - 1
/**
 * One record is two cache lines that lie side by side, which processors fetch together: 48 bytes of numbers, and
 * then the text if it is no longer than most are.
 */
const RECORD_BYTES = 128

/** Places in a record's row of 64-bit floats. Latitude and longitude in degrees, seconds as in `Nanotime`. */
export const LATITUDE = 0
export const LONGITUDE = 1
export const TIME_SECONDS = 2
const FLOATS = RECORD_BYTES / 8

/** Places in its row of 32-bit words, behind the floats. Text offsets count from the start of the text. */
export const TIME_NANOSECONDS = 6
/** Its neighbors in the chain of its cell of the grid. A free record keeps the next free one here. */
export const NEXT_IN_CELL = 7
export const PREVIOUS_IN_CELL = 8
/** Where the ID starts and which server is the origin: see `StoredFixes`. */
export const ID_START_AND_SERVER = 9
/** Of all of the text. 0: the record is free. */
export const TEXT_LENGTH = 10
/** Where the AT line ends; attributes, if there are any, follow after one space. */
export const TIME_END = 11
/** Where a text begins that is no longer than `TEXT_BYTES`; of a longer one, its address in the arena. */
export const TEXT = 12
const WORDS = RECORD_BYTES / 4
/** Texts up to this length lie in the record: those of IDs up to 24 bytes, written as in the exercise. */
export const TEXT_BYTES: number = RECORD_BYTES - TEXT * 4

/** Views of one page of records, all of the same bytes. */
export interface RecordPage {
  readonly floats: Float64Array
  readonly words: Int32Array
  readonly bytes: Buffer
}

/**
 * All records, in pages of rows, so that growing never copies; no object per record. A row is read
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
      const bytes = tableMemory(PAGE_RECORDS * RECORD_BYTES)
      this.#pages.push({
        floats: new Float64Array(bytes),
        words: new Int32Array(bytes),
        bytes: Buffer.from(bytes),
      })
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

/** Where in its page's bytes the text in a record's row starts. */
export function textRow(record: number): number {
  return (record & RECORD_MASK) * RECORD_BYTES + TEXT * 4
}
