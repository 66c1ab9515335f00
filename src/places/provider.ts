/**
 * The contract between WHATSAT and a source of places. One file in `providers/` implements it; cache, coalescing,
 * retries, limits, budget, breaker and the text that a client gets stand once, around any of them.
 */

import type { ResultsSpan } from './json-text.ts'

/** A circle on the ground. The coordinates keep the client's own decimal text beside their value. */
export interface Area {
  /** Decimal degrees, −90 … 90. */
  readonly latitude: number
  /** Decimal degrees, −180 … 180. */
  readonly longitude: number
  /** `latitude,longitude` as decimal text without a plus sign, as the Google APIs take it. */
  readonly locationText: string
  /** Metres, 0 … 50,000. */
  readonly radiusMetres: number
}

/** What comes first in an answer: what is best known, or what is nearest. */
export type PlaceRank = 'prominence' | 'distance'

/** What is asked of a provider. */
export interface PlacesQuery extends Area {
  readonly rank: PlaceRank
  /** Only places of this Google type, such as `museum`. */
  readonly type?: string | undefined
  /** Only places whose name, or another text of theirs, has these words in it, in any case. */
  readonly keyword?: string | undefined
}

/** A provider's answer as text: never yet cut to a number of items. */
export interface PlacesBody {
  /** JSON: a Google Nearby Search (legacy) response body, or one of the source's own that clients expect instead. */
  readonly text: string
  /** How it went, by a legacy status: it decides how long the answer may be kept. */
  readonly status: string
  /** The top-level array that is cut to the number of items: `results` unless it says otherwise. */
  readonly list?: 'results' | 'data'
  /**
   * Where the items lie in the text, from whoever wrote it here, without adjacent newlines: it isn't scanned then.
   * Undefined for a text that came from elsewhere.
   */
  readonly results?: ResultsSpan | undefined
  /** What the source bills for this answer, in US dollars, as far as we know: 0 unless it says otherwise. */
  readonly usd?: number
}

/** How long a provider's terms and nature let its answers live, in memory only. */
export interface KeepingTerms {
  /** An answer is as good as new for this long, milliseconds. */
  readonly freshMs: number
  /** After that, for this long, it is given once more while a new one is fetched, or when none can be had. */
  readonly staleMs: number
}

/**
 * Takes one more call out of budget and rates, for a search that needs several.
 *
 * @throws {ProviderFailed} when it may not go out: the search ends with that.
 */
export type NextCall = () => void

/** A source of places. */
export interface Provider {
  /** A short name for settings, logs, metrics and cache keys: `embedded`, `google`. */
  readonly name: string
  /**
   * It answers from this machine, in milliseconds at most and for nothing: no cache, time limit, retry, budget,
   * breaker or queue stands around it. When it finds nothing, the next provider is asked, if that is local too.
   */
  readonly local: boolean
  /**
   * It gives a page of what is best known in the circle: neighbouring circles have nearly the same answer, so
   * positions may be snapped to a coarse grid when the rank is prominence.
   */
  readonly snaps: boolean
  /** How long its answers may be kept; undefined for a provider that is local. */
  readonly keeping?: KeepingTerms | undefined
  /**
   * Finds places in an area, at most a page of them (20): one try, without retries.
   *
   * @param nextCall to be called before each call to the source but the first, which is paid for.
   * @throws {ProviderFailed} when the source can't be asked or doesn't answer usably. Its message is meant
   *   for the client and never holds a key or a URL.
   */
  search(query: PlacesQuery, signal: AbortSignal, nextCall?: NextCall): Promise<PlacesBody>
  /** Gives back connections and files. Nothing is asked of it any more. */
  close?(): Promise<void>
}

/** The most places in an answer: as many as Google gives on a page, and as many as WHATSAT may ask for. */
export const PAGE_ITEMS = 20

/** The legacy statuses that say that an ask failed. */
export type FailureStatus = 'INVALID_REQUEST' | 'OVER_QUERY_LIMIT' | 'REQUEST_DENIED' | 'UNKNOWN_ERROR'

/** What else is known of a failure. */
export interface FailureOptions extends ErrorOptions {
  /** The same question may be answered a moment later: the network, a rate limit, a server's own trouble. */
  readonly mayRetry?: boolean
  /** What the source asked us to wait before that, milliseconds. */
  readonly waitMs?: number
}

/** A source of places did not answer usably. The message goes to the client as `error_message`. */
export class ProviderFailed extends Error {
  override readonly name = 'ProviderFailed'
  /** The legacy `status` to answer with. */
  readonly status: FailureStatus
  readonly mayRetry: boolean
  readonly waitMs: number

  constructor(message: string, status: FailureStatus, options: FailureOptions = {}) {
    super(message, options)
    this.status = status
    this.mayRetry = options.mayRetry ?? false
    this.waitMs = options.waitMs ?? 0
  }
}
