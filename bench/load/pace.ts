/** Spreads the turns of many evenly over a period, again and again. Pure: it is told what the time is. */
export class Pace {
  readonly #members: number
  readonly #periodMs: number
  #turns = 0

  /** Every one of `members` (numbers from 0) has a turn every `periodMs`. */
  constructor(members: number, periodMs: number) {
    this.#members = members
    this.#periodMs = periodMs
  }

  /**
   * Whose turn has come by `elapsedMs` since the start; -1 if nobody's. To be asked until it says so: who is late
   * catches up, and no turn is left out.
   */
  next(elapsedMs: number): number {
    if (this.dueMs > elapsedMs) return -1
    const member = this.#turns % this.#members
    this.#turns += 1
    return member
  }

  /** When the next turn is due, in milliseconds since the start. */
  get dueMs(): number {
    return (this.#turns * this.#periodMs) / this.#members
  }
}
