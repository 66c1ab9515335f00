import { RUNS_END } from './stamps.ts'

/** One life of a server's memory. */
export interface Run {
  /** The server's name. */
  readonly server: string
  /** New each time that the server has lost what it knew of its own numbers. */
  readonly id: string
}

/**
 * The runs that stamps are of, each once, by index; 0 is no run. Bounded: when there are too many, the quarter is
 * dropped that has said nothing for the longest. Pure.
 */
export class Runs {
  readonly #max: number
  readonly #runs: (Run | null)[] = [null]
  readonly #indexes = new Map<string, number>()
  readonly #free: number[] = []
  /** When each was last heard of, in steps of `#clock`. */
  readonly #heard: number[] = [0]
  #clock = 0
  #dropped = 0

  /** @param max how many at most: at least 8, below `RUNS_END`. */
  constructor(max: number) {
    this.#max = Math.min(Math.max(max, 8), RUNS_END - 1)
  }

  /** How many there are. */
  get count(): number {
    return this.#indexes.size
  }

  /** Goes up when runs are dropped: from then on their indexes mean others. */
  get dropped(): number {
    return this.#dropped
  }

  /** All indexes are below this. */
  get end(): number {
    return this.#runs.length
  }

  /** Whether `indexOf` needs `drop` before it can take up another one. */
  get isFull(): boolean {
    return this.#indexes.size >= this.#max
  }

  /** The index of a run, taken up if it is new; −1 when there is no room. */
  indexOf(server: string, id: string): number {
    const key = `${server} ${id}`
    let index = this.#indexes.get(key)
    if (index === undefined) {
      if (this.isFull) return -1
      index = this.#free.pop() ?? this.#runs.length
      this.#runs[index] = { server, id }
      this.#indexes.set(key, index)
    }
    this.#heard[index] = ++this.#clock
    return index
  }

  /** Notes that there is something new of a run. */
  heard(index: number): void {
    this.#heard[index] = ++this.#clock
  }

  /** The run with this index, or `null`. */
  get(index: number): Run | null {
    return this.#runs[index] ?? null
  }

  /** Drops the quarter that was heard of least lately, never `own`. @returns their indexes, which will be used again. */
  dropOldest(own: number): number[] {
    this.#dropped++
    const known = [...this.#indexes.values()].filter((index) => index !== own)
    known.sort((a, b) => (this.#heard[a] as number) - (this.#heard[b] as number))
    const dropped = known.slice(0, Math.ceil(this.#max / 4))
    for (const index of dropped) {
      const run = this.#runs[index]
      if (run) this.#indexes.delete(`${run.server} ${run.id}`)
      this.#runs[index] = null
      this.#free.push(index)
    }
    return dropped
  }
}
