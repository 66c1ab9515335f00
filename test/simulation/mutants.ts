import type { Owed } from '../../src/replication/owed.ts'
import type { Replica } from '../../src/replication/replica.ts'
import type { SimServer } from './server.ts'

/** Which link is changed. */
export interface MutantLink {
  readonly neighbor: string
  readonly server: SimServer
}

/** A variant known to be wrong: a small patch around the real code, which knows nothing of it. */
export interface Mutant {
  readonly name: string
  /** What it does. */
  readonly about: string
  /** It must be caught within so many seeds, from 1 on. */
  readonly withinSeeds: number
  readonly runId?: (server: string) => string
  readonly replica?: (replica: Replica, server: SimServer) => void
  readonly link?: (owed: Owed, link: MutantLink) => void
}

export const MUTANTS: readonly Mutant[] = []
