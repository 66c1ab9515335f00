/**
 * The objects that go over HTTP and WebSocket, as types; `schemas.ts` has the same as schemas, with what each member means, and the
 * compiler holds the two to the same names. Also the types of the TypeScript client. Nothing here runs.
 */

/** A report: where a client is. Either `lat` and `lon`, or `position`. */
export interface ReportJson {
  readonly client: string
  readonly lat?: number
  readonly lon?: number
  readonly position?: string
  readonly time?: string | number
  readonly altitude_m?: number
  readonly accuracy_m?: number
  readonly speed_mps?: number
  readonly heading_deg?: number
  readonly battery_pct?: number
  readonly tags?: Readonly<Record<string, string>>
}

/** What became of a report. */
export interface ReportedJson {
  readonly client: string
  readonly outcome: 'new' | 'not-newer' | 'too-old'
  readonly at: string
}

/** The newest fix of a client. */
export interface FixJson {
  readonly client: string
  readonly server: string
  readonly lat: number
  readonly lon: number
  readonly position: string
  readonly time: string
  readonly time_ns: string
  readonly received_at: string
  readonly skew_s: number
  readonly age_s: number
  readonly altitude_m?: number
  readonly accuracy_m?: number
  readonly speed_mps?: number
  readonly heading_deg?: number
  readonly battery_pct?: number
  readonly tags?: Readonly<Record<string, string>>
}

/** A page of fixes. */
export interface FixPageJson {
  readonly fixes: readonly FixJson[]
  /** What to ask for next, as `after`; absent: that was all. */
  readonly next?: string
}

/** What is wrong: RFC 9457. */
export interface ProblemJson {
  readonly type: string
  readonly title: string
  readonly status: number
  readonly detail: string
}

/** A report of many that was not taken. */
export interface NotReportedJson {
  /** `null` when the report had none. */
  readonly client: string | null
  readonly problem: ProblemJson
}

/** A circle: degrees and metres. */
export interface CircleJson {
  readonly lat: number
  readonly lon: number
  readonly radius_m: number
}

/** Fixes that were looked for. */
export interface FixesJson {
  readonly fixes: readonly FixJson[]
  /** There are more than were asked for. */
  readonly more?: true
}

/** A fix as GeoJSON. */
export interface FeatureJson {
  readonly type: 'Feature'
  readonly id: string
  readonly geometry: { readonly type: 'Point'; readonly coordinates: readonly number[] }
  readonly properties: Omit<FixJson, 'client' | 'lat' | 'lon' | 'altitude_m'>
}

/** Fixes as GeoJSON. */
export interface FeatureCollectionJson {
  readonly type: 'FeatureCollection'
  readonly features: readonly FeatureJson[]
  readonly next?: string
  readonly more?: true
}

/** From where on somebody is told: everything first, only what comes, or what a cursor doesn't cover. */
export type FromJson = 'all' | 'now' | { readonly cursor: string }

/** What is sent to `/v1/socket`. */
export type SocketAskJson =
  | { readonly op: 'token'; readonly token: string }
  | { readonly op: 'report'; readonly id?: string; readonly report: ReportJson }
  | {
      readonly op: 'watch'
      readonly id: string
      readonly clients?: readonly string[]
      readonly circle?: CircleJson
      readonly box?: readonly [west: number, south: number, east: number, north: number]
      readonly from?: FromJson
    }
  | { readonly op: 'unwatch'; readonly id: string }
  | { readonly op: 'get'; readonly id: string; readonly client: string }
  | {
      readonly op: 'near'
      readonly id: string
      readonly lat?: number
      readonly lon?: number
      readonly client?: string
      readonly radius_m?: number
      readonly limit?: number
      readonly max_age_s?: number
    }
  | { readonly op: 'ping' }

/** What `/v1/socket` sends. */
export type SocketTellJson =
  | { readonly op: 'admitted' }
  | ({ readonly op: 'reported'; readonly id?: string } & ReportedJson)
  | { readonly op: 'watching'; readonly id: string }
  | { readonly op: 'unwatched'; readonly id: string }
  | { readonly op: 'fix'; readonly id: string; readonly fix: FixJson }
  | { readonly op: 'exit'; readonly id: string; readonly fix: FixJson }
  | { readonly op: 'cursor'; readonly id: string; readonly cursor: string }
  | ({ readonly op: 'fixes'; readonly id: string } & FixesJson)
  | { readonly op: 'problem'; readonly id?: string; readonly problem: ProblemJson }
  | { readonly op: 'pong' }

/** A link of a server, as it sees it. */
export interface LinkHealthJson {
  readonly neighbor: string
  readonly open: boolean
  readonly round_trip_ms: number | null
  /** Fixes owed to the neighbor. */
  readonly queued: number
  /** AT lines a second, from the neighbor and to it. */
  readonly in_per_s: number
  readonly out_per_s: number
}

/** How a server is, as it says of itself every two seconds. Rates are those of the last seconds. */
export interface HealthJson {
  readonly version: string
  /** The run that says so, in hex, and how many seconds ago it was heard. */
  readonly run: string
  readonly age_s: number
  readonly up_s: number
  readonly readiness: 'ready' | 'catching up' | 'alone'
  readonly clients: number
  readonly connections: number
  readonly watchers: number
  /** Fixes a second that were new to it, from clients and neighbors. */
  readonly fixes_per_s: number
  /** Reports a second of its own clients. */
  readonly accepted_per_s: number
  /** The part of the time in which it was at work, of one processor. */
  readonly busy_pct: number
  readonly audits_failed: number
  /** By how much its clock is off most neighbors'; `null`: not by much. */
  readonly clock_off_ms: number | null
  readonly http: boolean
  readonly mqtt: boolean
  readonly links: readonly LinkHealthJson[]
  readonly budgets: readonly BudgetJson[]
  /** Of what it claims to hold. */
  readonly vector: string
  /** Of its table as it stands; absent while that changes. */
  readonly table?: string
}

/** What the herd may ask of a provider of places. */
export interface BudgetJson {
  readonly provider: string
  readonly per: 'day' | 'month'
  readonly period: string
  readonly budget: number
  readonly used_here: number
  readonly used_by_herd: number
  readonly left_here: number
}

/** A server of the herd. */
export interface HerdServerJson {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly reachable: boolean
  readonly state: 'up' | 'left'
  /** Those that it has an open link with. */
  readonly links: readonly string[]
  /** Absent: nobody has told how it is. */
  readonly health?: HealthJson
}

/** The herd as one server sees it. */
export interface HerdJson {
  readonly herd: string
  /** The server that says so. */
  readonly server: string
  readonly servers: readonly HerdServerJson[]
  /** Whether the tables of all reachable servers are equal; `null`: not known, or not all are quiet. */
  readonly agree: boolean | null
}
