const DAY_MS = 86_400_000

/** Whether a call may go out, or which limit forbids it. */
export type CallVerdict = 'granted' | 'callsPerSecondMax' | 'callsPerDayMax'

/** Counts the calls to a paid provider: a token bucket by the second, a counter by the UTC day. No clock. */
export class CallBudget {
  readonly #perSecond: number
  readonly #perDay: number
  readonly #tokensMax: number
  #tokens: number
  #filledAtMs: number
  #day = 0
  #callsToday = 0

  /** Takes both limits, 0 for none, and the monotonic time now, in milliseconds. */
  constructor(callsPerSecondMax: number, callsPerDayMax: number, nowMs: number) {
    this.#perSecond = callsPerSecondMax
    this.#perDay = callsPerDayMax
    // Below one call a second, a bucket that holds less than one token would never grant any.
    this.#tokensMax = Math.max(1, callsPerSecondMax)
    this.#tokens = this.#tokensMax
    this.#filledAtMs = nowMs
  }

  /** Takes one call out of both budgets, or none out of either. Times are in milliseconds. */
  take(nowMs: number, wallMs: number): CallVerdict {
    this.#turnDay(wallMs)
    this.#fill(nowMs)
    if (this.#perDay > 0 && this.#callsToday >= this.#perDay) return 'callsPerDayMax'
    if (this.#perSecond > 0 && this.#tokens < 1) return 'callsPerSecondMax'
    this.#tokens -= 1
    this.#callsToday += 1
    return 'granted'
  }

  /** A wall clock that is set back gives no second budget for a day. */
  #turnDay(wallMs: number): void {
    const day = Math.floor(wallMs / DAY_MS)
    if (day <= this.#day) return
    this.#day = day
    this.#callsToday = 0
  }

  #fill(nowMs: number): void {
    const seconds = (nowMs - this.#filledAtMs) / 1_000
    this.#tokens = Math.min(this.#tokensMax, Math.max(0, this.#tokens) + seconds * this.#perSecond)
    this.#filledAtMs = nowMs
  }
}
