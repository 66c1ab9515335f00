import type { Search } from '../locations/index.ts'

interface Waiting {
  readonly search: Search
  readonly done: () => void
}

/**
 * The searches of all connections that take more than one turn: one step of one of them in each turn of the event
 * loop, in rotation. However many there are, reports and other queries get their turns between.
 */
export class SearchQueue {
  readonly #waiting: Waiting[] = []

  /** Goes on with a search until it is done, and then says so. */
  finish(search: Search, done: () => void): void {
    this.#waiting.push({ search, done })
    if (this.#waiting.length === 1) this.#schedule()
  }

  #schedule(): void {
    setImmediate(() => this.#step())
  }

  #step(): void {
    const next = this.#waiting.shift()
    if (next === undefined) return
    const isDone = next.search.step()
    if (!isDone) this.#waiting.push(next)
    if (this.#waiting.length > 0) this.#schedule()
    if (isDone) next.done()
  }
}
