import type { Search } from '../../locations/index.ts'

/** A search that takes more than one turn. */
interface Unfinished {
  readonly search: Pick<Search, 'step'>
  readonly isWanted: () => boolean
  readonly done: () => void
}

/**
 * Goes on with searches that aren't done in their first turn, whoever asked. There is one turn of one search at a time, however
 * many go on, so that all of them together pause nobody for longer than one; the oldest is finished first, so that only one of
 * them holds what it has found.
 */
export class SearchTurns {
  readonly #unfinished: Unfinished[] = []

  /**
   * Goes on with a search.
   *
   * @param isWanted asked before each turn: a search that nobody waits for any more is dropped.
   */
  finish(search: Pick<Search, 'step'>, isWanted: () => boolean, done: () => void): void {
    this.#unfinished.push({ search, isWanted, done })
    if (this.#unfinished.length === 1) setImmediate(() => this.#goOn())
  }

  #goOn(): void {
    const wanted = this.#unfinished.findIndex(({ isWanted }) => isWanted())
    this.#unfinished.splice(0, wanted === -1 ? this.#unfinished.length : wanted)
    const [first] = this.#unfinished
    if (first === undefined) return
    if (first.search.step()) {
      // Those who are told may begin another: it finds this one still here, and waits.
      first.done()
      this.#unfinished.shift()
    }
    if (this.#unfinished.length > 0) setImmediate(() => this.#goOn())
  }
}
