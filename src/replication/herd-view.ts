import type { ServerHealth } from './health-row.ts'
import type { Member } from './members.ts'

/** A server as another one, or it itself, sees it. */
export interface HerdViewServer extends Pick<Member, 'name' | 'host' | 'port' | 'state' | 'links'> {
  /** Whether there is a way to it, over links that both ends say are open. */
  readonly reachable: boolean
  /** Absent: it hasn't said lately. */
  readonly health?: ServerHealth & { readonly run: string; readonly age_s: number }
}

/** The herd as one server sees it: what `GET /v1/herd` answers. */
export interface HerdView {
  readonly herd: string
  readonly server: string
  readonly servers: readonly HerdViewServer[]
  /**
   * Whether the tables of all servers that are reached are equal. `false`: two claim to hold the same and don't, which is a
   * fault. `null`: one hasn't said, or fixes are on their way.
   */
  readonly agree: boolean | null
}
