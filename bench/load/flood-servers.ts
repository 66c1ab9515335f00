import type { Flood } from './flood.ts'
import type { Target } from './targets.ts'

/** The servers under a flood, of whichever kind. */
export interface FloodServers {
  readonly flood: Flood
  /** Counts anew from here. Everything sent before has arrived. */
  begin(): Promise<void>
  /** Resolves when everything that was sent since `begin` has arrived everywhere. */
  settle(): Promise<Settled>
  close(): void
}

/** What arrived since `begin`. */
export interface Settled {
  /** When it had, by `performance.now`. */
  readonly atMs: number
  /** Updates that each server took, its own among them. */
  readonly applied: readonly number[]
}

/** How a flood is made. */
export interface FloodOrder {
  readonly targets: readonly Target[]
  readonly connectionsPerServer: number
  /** Updates in a batch. */
  readonly inFlight: number
  readonly clients: number
  readonly fail: (error: unknown) => void
}
