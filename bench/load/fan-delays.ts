import { createHistogram } from 'node:perf_hooks'

const NANOSECONDS_IN_MS = 1e6

/** Delays of fixes that many are told of: from the report to each of them, and to the last. */
export class FanDelays {
  readonly #watchers: number
  readonly #each = createHistogram()
  readonly #last = createHistogram()
  readonly #sentAtMs: number[] = []
  readonly #told: number[] = []
  readonly #first: number
  #arrived = 0

  /** @param first the number of the first fix that counts: those before are told to nobody here. */
  constructor(watchers: number, first: number) {
    this.#watchers = watchers
    this.#first = first
  }

  /** The next fix is reported now. */
  sent(nowMs: number): void {
    this.#sentAtMs.push(nowMs)
    this.#told.push(0)
  }

  /** One watcher was told of a fix. @throws when more were than there are. */
  arrived(number: number, nowMs: number): void {
    const index = number - this.#first
    const sentAtMs = this.#sentAtMs[index]
    if (sentAtMs === undefined) return
    const nanoseconds = Math.max(1, Math.round((nowMs - sentAtMs) * NANOSECONDS_IN_MS))
    this.#each.record(nanoseconds)
    this.#arrived += 1
    const told = (this.#told[index] ?? 0) + 1
    this.#told[index] = told
    if (told === this.#watchers) this.#last.record(nanoseconds)
    if (told > this.#watchers) throw new Error(`fix ${number} was told twice`)
  }

  /** Whether all were told of all. */
  get isComplete(): boolean {
    return this.#arrived === this.#watchers * this.#sentAtMs.length
  }

  /** For anybody who waits: how many were told by now. */
  get told(): number {
    return this.#arrived
  }

  /** In milliseconds. */
  get figures(): FanFigures {
    const of = (histogram: ReturnType<typeof createHistogram>, percent: number): number =>
      histogram.percentile(percent) / NANOSECONDS_IN_MS
    return {
      fixes: this.#sentAtMs.length,
      eachP50Ms: of(this.#each, 50),
      eachP99Ms: of(this.#each, 99),
      lastP50Ms: of(this.#last, 50),
      lastP99Ms: of(this.#last, 99),
      maxMs: of(this.#last, 100),
    }
  }
}

/** What came of some fixes. */
export interface FanFigures {
  readonly fixes: number
  readonly eachP50Ms: number
  readonly eachP99Ms: number
  /** Of each fix, the watcher that was told last. */
  readonly lastP50Ms: number
  readonly lastP99Ms: number
  readonly maxMs: number
}
