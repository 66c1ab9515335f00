/**
 * When updates were sent, answered and heard of elsewhere, by their numbers. Pure: it is told what the time is, in
 * milliseconds of one clock.
 */
export class Arrivals {
  readonly #others: number
  readonly #sentMs: Float64Array
  readonly #answeredMs: Float64Array
  readonly #lastMs: Float64Array
  readonly #heard: Uint8Array
  readonly #each: number[] = []
  #firstMeasured = 0
  #sent = 0

  /** @param updatesMax numbers go up to it. @param others servers that must hear of each. */
  constructor(updatesMax: number, others: number) {
    this.#others = others
    this.#sentMs = new Float64Array(updatesMax)
    this.#answeredMs = new Float64Array(updatesMax)
    this.#lastMs = new Float64Array(updatesMax)
    this.#heard = new Uint8Array(updatesMax)
  }

  /** Updates sent so far; the next one has this number. */
  get sent(): number {
    return this.#sent
  }

  /** What was sent before was for warming up. */
  measureFromHere(): void {
    this.#firstMeasured = this.#sent
    this.#each.length = 0
  }

  /** Numbers an update that is sent now. */
  send(nowMs: number): number {
    const number = this.#sent
    if (number >= this.#sentMs.length) throw new Error(`${number} updates are all that there is room for`)
    this.#sentMs[number] = nowMs
    this.#sent += 1
    return number
  }

  /** The server that an update was sent to has answered. */
  answer(number: number, nowMs: number): void {
    this.#answeredMs[number] = nowMs
  }

  /** Another server has told of an update. */
  hear(number: number, nowMs: number): void {
    if (number >= this.#sent) throw new Error(`update ${number} was never sent`)
    this.#heard[number] = (this.#heard[number] ?? 0) + 1
    this.#lastMs[number] = nowMs
    if (number >= this.#firstMeasured) this.#each.push(nowMs - (this.#sentMs[number] ?? 0))
  }

  /** Updates that some servers have not told of. */
  get missing(): number {
    let missing = 0
    for (let number = 0; number < this.#sent; number += 1)
      if ((this.#heard[number] ?? 0) < this.#others) missing += 1
    return missing
  }

  /** Milliseconds of what was measured, each from the sending of an update. */
  get delays(): Record<'answered' | 'each' | 'everywhere', readonly number[]> {
    const since = (times: Float64Array): number[] => {
      const delays: number[] = []
      for (let number = this.#firstMeasured; number < this.#sent; number += 1)
        delays.push((times[number] ?? Number.NaN) - (this.#sentMs[number] ?? 0))
      return delays
    }
    return { answered: since(this.#answeredMs), each: this.#each, everywhere: since(this.#lastMs) }
  }
}

/** Quantiles of some milliseconds. */
export interface Quantiles {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** What half, 99 in a hundred, and all of the values do not exceed. Throws when there are none. */
export function quantilesOf(values: readonly number[]): Quantiles {
  const sorted = values.toSorted((left, right) => left - right)
  const at = (share: number): number => {
    const value = sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)]
    if (value === undefined) throw new Error('nothing was measured')
    return value
  }
  return { p50Ms: at(0.5), p99Ms: at(0.99), maxMs: at(1) }
}
