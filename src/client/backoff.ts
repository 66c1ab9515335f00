/** How long to leave alone what failed. */
export interface BackoffLimits {
  /** After the first failure, milliseconds. */
  readonly firstMs: number
  /** After however many, milliseconds. */
  readonly mostMs: number
}

/**
 * Decorrelated jitter: each wait is drawn between the first one and three times the last, so that many clients that lost one server
 * at once don't come back at once.
 */
export class Backoff {
  readonly #limits: BackoffLimits
  readonly #random: () => number
  #lastMs: number

  constructor(limits: BackoffLimits, random: () => number) {
    this.#limits = limits
    this.#random = random
    this.#lastMs = limits.firstMs
  }

  /** The next wait, milliseconds. */
  next(): number {
    const { firstMs, mostMs } = this.#limits
    const drawn = firstMs + this.#random() * (this.#lastMs * 3 - firstMs)
    this.#lastMs = Math.min(mostMs, drawn)
    return this.#lastMs
  }

  /** It works again. */
  reset(): void {
    this.#lastMs = this.#limits.firstMs
  }
}
