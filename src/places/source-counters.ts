/** What a provider has been asked, and how it went, since the server started. */
import type { LatencyStatus, PlacesRefusal, ProviderStatus } from '../replication/status.ts'
import type { BreakerState } from './breaker.ts'
import type { Provider } from './provider.ts'

/** Upper bounds of the buckets, milliseconds; the last bucket has none. */
const BUCKETS_MS = [1, 10, 30, 100, 300, 1_000, 3_000, 10_000] as const

/** Counting is adding one to a field. */
export class SourceCounters {
  asks = 0
  calls = 0
  retries = 0
  hits = 0
  stale = 0
  refreshes = 0
  coalesced = 0
  errors = 0
  breakerOpened = 0
  usd = 0
  readonly refused: Record<PlacesRefusal, number> = {
    breaker: 0,
    asksInFlightMax: 0,
    callsPerSecondMax: 0,
    callsPerSecondPerAddressMax: 0,
    callsPerDayMax: 0,
    callsPerMonthMax: 0,
  }
  readonly #buckets: number[] = Array.from({ length: BUCKETS_MS.length + 1 }, () => 0)
  #sumMs = 0
  #count = 0

  /** Asks that a limit of ours turned away. */
  get refusedAll(): number {
    return Object.values(this.refused).reduce((sum, count) => sum + count, 0)
  }

  /** Counts how long a call took. */
  took(ms: number): void {
    const bucket = BUCKETS_MS.findIndex((leMs) => ms <= leMs)
    const index = bucket === -1 ? BUCKETS_MS.length : bucket
    this.#buckets[index] = (this.#buckets[index] ?? 0) + 1
    this.#sumMs += ms
    this.#count++
  }

  /** All of it. */
  status({ name, local }: Provider, breaker: BreakerState): ProviderStatus {
    const { asks, calls, retries, hits, stale, refreshes, coalesced, errors, breakerOpened, usd } = this
    return {
      ...{ name, local, breaker, asks, calls, retries, hits, stale, refreshes, coalesced },
      ...{ refused: { ...this.refused }, errors, breakerOpened, usd, latency: this.#latency() },
    }
  }

  #latency(): LatencyStatus {
    const buckets = this.#buckets.map((count, index) => ({ leMs: BUCKETS_MS[index] ?? null, count }))
    return { count: this.#count, sumMs: Math.round(this.#sumMs), buckets }
  }
}
