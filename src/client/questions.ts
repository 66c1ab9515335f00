/** What one asks a herd, and what comes back. Units are in the names. */
import type { FixJson } from '../gateways/http/shapes.ts'
import { HerdProblem } from './errors.ts'

/** How much of what is found is wanted. */
export interface Wanted {
  /** At most so many. */
  readonly limit?: number
  /** Only fixes of at most this age, in seconds. */
  readonly max_age_s?: number
}

/** Around a place, degrees, or around a client, which is itself left out. */
export type NearQuestion = Wanted & { readonly radius_m?: number } & (
    | { readonly lat: number; readonly lon: number; readonly client?: never }
    | { readonly client: string; readonly lat?: never; readonly lon?: never }
  )

/** Degrees. Where `west` is greater than `east`, it reaches over the antimeridian. */
export type Box = readonly [west: number, south: number, east: number, north: number]

/** Degrees and metres. */
export interface Circle {
  readonly lat: number
  readonly lon: number
  readonly radius_m: number
}

/** Areas of GeoJSON (RFC 7946); positions are `[lon, lat]`, and rings are closed. */
export type Polygon =
  | { readonly type: 'Polygon'; readonly coordinates: readonly (readonly (readonly number[])[])[] }
  | {
      readonly type: 'MultiPolygon'
      readonly coordinates: readonly (readonly (readonly (readonly number[])[])[])[]
    }

/** Clients that were found. */
export interface Found {
  readonly fixes: readonly FixJson[]
  /** There are more than were asked for. */
  readonly more: boolean
}

/** What places are wanted. */
export interface PlacesQuestion {
  readonly radius_km?: number
  /** At most so many. */
  readonly items?: number
  /** A type of Google's, such as `cafe`. */
  readonly type?: string
  readonly keyword?: string
  readonly rank?: 'prominence' | 'distance'
}

/** A place, as Google's Nearby Search (legacy) tells it; it may have more members. */
export interface Place {
  readonly name?: string
  readonly place_id?: string
  readonly types?: readonly string[]
  readonly vicinity?: string
  readonly geometry?: { readonly location?: { readonly lat: number; readonly lng: number } }
  readonly [member: string]: unknown
}

/** Places, as Google's Nearby Search (legacy) tells them. */
export interface Places {
  /** `OK`, `ZERO_RESULTS`, or why there are none, such as `OVER_QUERY_LIMIT`. */
  readonly status: string
  readonly results: readonly Place[]
  /** Whom to name beside them. */
  readonly html_attributions?: readonly string[]
  readonly error_message?: string
}

/** For one call. */
export interface CallOptions {
  /** Gives up when it is aborted. */
  readonly signal?: AbortSignal
}

/** Makes a path with a query; what is `undefined` is left out. */
export function pathOf(
  path: string,
  query: Readonly<Record<string, string | number | undefined>> = {},
): string {
  const search = new URLSearchParams()
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) search.set(name, String(value))
  }
  return search.size === 0 ? path : `${path}?${search}`
}

/** What every reader of URLs takes for a way up, however it is encoded. */
const WAYS_UP: ReadonlySet<string> = new Set(['.', '..'])

/**
 * The path of what a herd knows of a client.
 *
 * @throws {HerdProblem} for an ID that no URL can name: `.`, `..`, or half a character. Watching tells of the first two all the same.
 */
export function clientPath(client: string): string {
  if (client.isWellFormed() && !WAYS_UP.has(client)) return `/v1/clients/${encodeURIComponent(client)}`
  const detail = `no URL can name the client ${JSON.stringify(client)}: watch it instead`
  throw new HerdProblem({ type: 'urn:herd:invalid', status: 400, detail })
}
