import { tableMemory } from '../locations/index.ts'
import { STAMP_ALIAS_END, STAMP_SEQ_END } from '../protocol/index.ts'

/**
 * A fix's stamp: which run accepted it, and as its how-manieth change; both in one number, exact in a double. It is
 * not the order of fixes: it only says who must have heard of it.
 */
export type Stamp = number

/** A fix that no run answers for: no vector covers it. */
export const NO_STAMP: Stamp = 0
/** Indexes of runs are below this. */
export const RUNS_END: number = STAMP_ALIAS_END
/** Numbers in a run are below this. */
export const SEQ_END: number = STAMP_SEQ_END

const PAGE_SHIFT = 13
const PAGE_RECORDS = 1 << PAGE_SHIFT
const PAGE_MASK = PAGE_RECORDS - 1

/** The stamp of change `seq`, from 1, of the run with this index. */
export function makeStamp(run: number, seq: number): Stamp {
  return run * SEQ_END + seq
}

/** The index of a stamp's run. */
export function runOf(stamp: Stamp): number {
  return Math.floor(stamp / SEQ_END)
}

/** A stamp's number in its run. */
export function seqOf(stamp: Stamp): number {
  return stamp % SEQ_END
}

/** The stamp of each record, by record number: a column of its own, so that a sweep over all reads little. */
export class Stamps {
  readonly #pages: Float64Array[] = []

  /** Bytes of all pages. */
  get bytes(): number {
    return this.#pages.length * PAGE_RECORDS * 8
  }

  /** The stamp of a record; `NO_STAMP` if it never had one. */
  get(record: number): Stamp {
    return this.#pages[record >>> PAGE_SHIFT]?.[record & PAGE_MASK] ?? NO_STAMP
  }

  /** Gives a record a stamp. */
  set(record: number, stamp: Stamp): void {
    const number = record >>> PAGE_SHIFT
    while (number >= this.#pages.length) this.#pages.push(new Float64Array(tableMemory(PAGE_RECORDS * 8)))
    const page = this.#pages[number] as Float64Array
    page[record & PAGE_MASK] = stamp
  }
}
