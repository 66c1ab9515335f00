/** One time of flooding, from the first update until all of them had arrived everywhere. */
export interface FloodStep {
  /** Updates a second that were asked for; missing: as many as are answered. */
  readonly rate?: number | undefined
  /** Updates that the servers answered, … */
  readonly accepted: number
  /** … in so many seconds. */
  readonly seconds: number
  /** Updates that each server took, its own among them. */
  readonly applied: readonly number[]
  /** From the last answer until all servers knew the newest of all clients. */
  readonly settledMs: number
  /** What the server that took least took in a second, until all had settled. */
  readonly appliedPerSecond: number
  /** The share of the accepted that never came to the server that took least: newer ones of the same clients did. */
  readonly conflatedMax: number
  /** Cores kept busy by all servers together while updates were accepted, and by the load. */
  readonly serverCpu: number
  readonly loadCpu?: number | undefined
}

/** What a flood found out. */
export interface FloodResult {
  /** At full speed. */
  readonly full: FloodStep
  /** At the highest rate that was found at which at most a hundredth was conflated. */
  readonly lossless: FloodStep | null
  /** All rates that were tried for it. */
  readonly tried: readonly FloodStep[]
}
