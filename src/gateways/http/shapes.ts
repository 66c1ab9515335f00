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
