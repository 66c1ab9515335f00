import type { Quantiles } from './arrivals.ts'

/** What a load of updates at a steady rate has measured. All times begin when an update is sent. */
export interface PulseResult {
  /** Updates that were measured, … */
  readonly updates: number
  /** … and with those of the warm-up. */
  readonly updatesInAll: number
  readonly seconds: number
  /** Updates that did not come to all other servers. */
  readonly missing: number
  /** Until the server that it was sent to answered; missing where it doesn't. */
  readonly answered?: Quantiles | undefined
  /** Until one other server told of it: a value for each server. Missing where nobody listens. */
  readonly each?: Quantiles | undefined
  /** Until the last of the other servers told of it. */
  readonly everywhere?: Quantiles | undefined
  /** Cores kept busy by all servers together, and by the load. */
  readonly serverCpu: number
  readonly loadCpu?: number | undefined
}
