import type { Readiness } from './health-row.ts'
import type { HerdView } from './herd-view.ts'
import type { LinkEncryption } from './link-security.ts'
import type { Member } from './members.ts'

export type { Readiness } from './health-row.ts'

/** One link, as `herd status` shows it. */
export interface LinkStatus {
  readonly neighbor: string
  readonly open: boolean
  readonly classic: boolean
  /** It came by itself, and isn't one of the herd file. */
  readonly joined: boolean
  /** Seconds since it was opened or lost. */
  readonly forSeconds: number
  /** Fixes owed to the neighbor. */
  readonly queued: number
  /** Whether the neighbor has said, since the link was opened, that all it had was sent. */
  readonly caughtUp: boolean
  /** Milliseconds to the neighbor and back; `null` before it is known. */
  readonly roundTripMs: number | null
  /** The neighbor's clock minus this server's, in milliseconds; `null` before it is known. */
  readonly clockOffsetMs: number | null
  /** AT lines that came since it was opened, and went; absent from a server of an older version. */
  readonly lines?: { readonly in: number; readonly out: number }
}

/** A member of the herd, as one server sees it. */
export interface MemberStatus extends Member {
  /** Whether there is a way to it, over links that both ends say are open. */
  readonly reachable: boolean
}

/** What a server says of its herd, to an operator that wants to add a server, or remove one. */
export interface HerdStatus {
  readonly herd: string
  /** The server that says so. */
  readonly server: string
  /** Seconds; `null`: never. The same for all servers. */
  readonly forgetAfterSeconds: number | null
  /** How links are encrypted. The same for all servers. */
  readonly encryption: LinkEncryption['mode']
  /** Settings that a new server should have as well, by their names in a herd file. */
  readonly settings: {
    readonly link: Readonly<Record<string, number>>
    readonly limits: Readonly<Record<string, number>>
  }
  /** Servers that came by themselves, and how many may. */
  readonly joined: readonly string[]
  readonly joinedMax: number
  readonly members: readonly MemberStatus[]
}

/** The limits of ours that turn an ask for places away. */
export type PlacesRefusal =
  | 'breaker'
  | 'asksInFlightMax'
  | 'callsPerSecondMax'
  | 'callsPerSecondPerAddressMax'
  | 'callsPerDayMax'
  | 'callsPerMonthMax'

/** One source of places, as one server has met it since it started. */
export interface ProviderStatus {
  readonly name: string
  /** It is on this machine: nothing below but asks, calls, errors and latency is about it. */
  readonly local: boolean
  /** `open`: it failed too often, and is left alone. `half-open`: one call is trying whether it answers again. */
  readonly breaker: 'closed' | 'open' | 'half-open'
  readonly asks: number
  /** Asks that went on to the provider. */
  readonly calls: number
  /** Calls that were made again because they failed. */
  readonly retries: number
  /** Asks answered by what was kept and is fresh. */
  readonly hits: number
  /** Asks answered by what was kept and is stale … */
  readonly stale: number
  /** … and how many of them sent, or would have sent, a call for a fresh answer. */
  readonly refreshes: number
  /** Asks that joined one for the same area under way. */
  readonly coalesced: number
  readonly refused: Readonly<Record<PlacesRefusal, number>>
  /** Calls that failed, retries and all. */
  readonly errors: number
  readonly breakerOpened: number
  /** What the calls have cost in US dollars, by the provider's own estimate. */
  readonly usd: number
  /** From a call to its answer or failure, retries and all. */
  readonly latency: LatencyStatus
}

/** A histogram. */
export interface LatencyStatus {
  readonly count: number
  readonly sumMs: number
  /** Calls that took at most `leMs` milliseconds, and longer than the bucket before; `null`: any number. */
  readonly buckets: readonly { readonly leMs: number | null; readonly count: number }[]
}

/** How much of a provider may be asked in a day or a month, as one server sees it. */
export interface CallBudgetStatus {
  readonly provider: string
  readonly per: 'day' | 'month'
  /** Such as `2026-11-21` or `2026-11`, in UTC. */
  readonly period: string
  /** Calls of the whole herd. */
  readonly budget: number
  /** Calls that this server has made. */
  readonly usedHere: number
  /** Calls that were made by all servers, or are set aside by them, as far as is known here. */
  readonly usedByHerd: number
  /** Calls that this server may still make without being handed any. */
  readonly leftHere: number
}

/** Where a server has its places from. */
export interface PlacesStatus {
  /** In the order in which they are asked. */
  readonly providers: readonly ProviderStatus[]
  readonly budgets: readonly CallBudgetStatus[]
}

/** What a server says of itself. */
export interface ServerStatus {
  readonly server: string
  readonly herd: string
  /** New at each start of the server. */
  readonly run: string
  readonly pid: number
  readonly upSeconds: number
  readonly readiness: Readiness
  /** `failing`: it can't be written, and what is new is in memory only. `off`: none is kept. */
  readonly journal: 'ok' | 'failing' | 'off'
  /** Another server of this name speaks in the herd. */
  readonly hasTwin: boolean
  readonly clients: number
  readonly lastFix: {
    readonly client: string
    readonly server: string
    readonly position: string
    readonly time: string
    /** Seconds since the client's own time of it; negative when that lies ahead. */
    readonly ageSeconds: number
  } | null
  /** Connections that were accepted and are open now; links that the neighbor dialed are among them. */
  readonly connections: number
  readonly links: readonly LinkStatus[]
  readonly members: readonly MemberStatus[]
  /** Absent from a server of an older version. */
  readonly places?: PlacesStatus
  /** The herd as it sees it; absent from a server of an older version. */
  readonly view?: HerdView
  readonly counters: Readonly<Record<string, number>>
}
