import { runOf, SEQ_END, type Stamp } from './stamps.ts'

const ROOM_MIN = 8

/**
 * For every run, by its index: up to which of its changes whoever this vector is about holds each, or something newer
 * of the same client. Numbers only ever go up. Pure.
 */
export class VersionVector {
  #seqs = new Float64Array(ROOM_MIN)
  #changes = 0

  /** Goes up with every change: equal numbers mean that nothing changed between. */
  get changes(): number {
    return this.#changes
  }

  /** Indexes of all runs that it says anything about are below this. */
  get end(): number {
    return this.#seqs.length
  }

  /** The number up to which changes of a run are covered; 0: none is. */
  seq(run: number): number {
    return run < this.#seqs.length ? (this.#seqs[run] as number) : 0
  }

  /** Says whether a stamp is covered. */
  covers(stamp: Stamp): boolean {
    const run = runOf(stamp)
    return stamp !== 0 && stamp - run * SEQ_END <= this.seq(run)
  }

  /** Raises a run's number; `false` if it was as high. */
  raise(run: number, seq: number): boolean {
    if (run >= this.#seqs.length) {
      const grown = new Float64Array(Math.max(run + 1, this.#seqs.length * 2))
      grown.set(this.#seqs)
      this.#seqs = grown
    }
    if (seq <= (this.#seqs[run] as number)) return false
    this.#seqs[run] = seq
    this.#changes++
    return true
  }

  /** Says nothing about a run any more. That is always safe: who hears of it again is sent it again. */
  drop(run: number): void {
    if (this.seq(run) === 0) return
    this.#seqs[run] = 0
    this.#changes++
  }

  /** A copy that doesn't change with this one. */
  snapshot(): VersionVector {
    const copy = new VersionVector()
    copy.#seqs = this.#seqs.slice()
    copy.#changes = this.#changes
    return copy
  }

  /** Calls back for each run that is further here than in `other`. */
  forEachBeyond(other: VersionVector, callback: (run: number, seq: number) => void): void {
    for (let run = 0; run < this.#seqs.length; run++) {
      const seq = this.#seqs[run] as number
      if (seq > other.seq(run)) callback(run, seq)
    }
  }
}
