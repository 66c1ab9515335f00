/** Leaves a provider alone that failed too often, so that nobody waits for it and it can recover. No clock, no timer. */
import type { ProviderFailed } from './provider.ts'

/** `closed`: it is asked. `open`: it is not. `half-open`: one call is under way to see whether it answers again. */
export type BreakerState = 'closed' | 'open' | 'half-open'

/** Bounds of a breaker. */
export interface BreakerLimits {
  /** Calls that fail in a row until it opens. */
  readonly breakerFailuresMax: number
  /** How long it stays open, milliseconds. */
  readonly breakerOpenMs: number
  /** How long it stays open after OVER_QUERY_LIMIT or REQUEST_DENIED, milliseconds. */
  readonly breakerDeniedMs: number
}

/** What became of a call is told once. */
export interface WatchedCall {
  /** Whether it is the one that decides whether the breaker closes again. */
  readonly isTrial: boolean
  succeeded(): void
  /** @returns for how long the breaker has opened by that, milliseconds; 0: it hasn't. */
  failed(failure: ProviderFailed, nowMs: number): number
}

/** A source that asks for more than this is asked again all the same. */
const WAIT_MS_MAX = 86_400_000

/** One provider's. */
export class Breaker {
  readonly #limits: BreakerLimits
  #state: BreakerState = 'closed'
  #failuresInRow = 0
  #openUntilMs = 0
  #lastFailure: ProviderFailed | undefined
  /** Counts the times that it opened or closed: a call that began before says nothing about now. */
  #epoch = 0

  constructor(limits: BreakerLimits) {
    this.#limits = limits
  }

  get state(): BreakerState {
    return this.#state
  }

  /** Why no call may go out now, or undefined. */
  objection(nowMs: number): ProviderFailed | undefined {
    const isShut = this.#state === 'half-open' || (this.#state === 'open' && nowMs < this.#openUntilMs)
    return isShut ? this.#lastFailure : undefined
  }

  /** A call goes out, to which there is no objection. */
  begin(): WatchedCall {
    const isTrial = this.#state === 'open'
    if (isTrial) this.#turn('half-open')
    const epoch = this.#epoch
    return {
      isTrial,
      succeeded: () => {
        if (epoch !== this.#epoch) return
        this.#failuresInRow = 0
        if (isTrial) this.#turn('closed')
      },
      failed: (failure, nowMs) => (epoch === this.#epoch ? this.#failed(failure, nowMs, isTrial) : 0),
    }
  }

  #failed(failure: ProviderFailed, nowMs: number, isTrial: boolean): number {
    // It understood us well enough to say that it can't be asked that: so it is up.
    if (failure.status === 'INVALID_REQUEST') {
      this.#failuresInRow = 0
      if (isTrial) this.#turn('closed')
      return 0
    }
    const { breakerFailuresMax, breakerOpenMs, breakerDeniedMs } = this.#limits
    const isDenied = failure.status !== 'UNKNOWN_ERROR'
    this.#failuresInRow++
    if (!isTrial && !isDenied && this.#failuresInRow < breakerFailuresMax) return 0
    const openMs = Math.max(isDenied ? breakerDeniedMs : breakerOpenMs, Math.min(WAIT_MS_MAX, failure.waitMs))
    this.#lastFailure = failure
    this.#openUntilMs = nowMs + openMs
    this.#turn('open')
    return openMs
  }

  #turn(state: BreakerState): void {
    this.#state = state
    this.#epoch++
    if (state === 'closed') this.#failuresInRow = 0
  }
}
