/**
 * The contract between WHATSAT and a source of places. One file per provider implements it; cache,
 * coalescing, limits and the text that a client gets stand once, around any of them, in `finder.ts`.
 */

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

/** A Google Nearby Search (legacy) response body as text: never yet cut to a number of items. */
export interface PlacesBody {
  readonly text: string
  /** The body's own `status`: it decides how long the answer may be kept. */
  readonly status: string
}

/** A source of places. */
export interface Provider {
  /** A short name for logs, metrics and cache keys: `embedded`, `google`. */
  readonly name: string
  /** It answers from this process's memory, at once: no time limit, budget or queue stands around it. */
  readonly local: boolean
  /**
   * Finds places in an area, at most a provider's own page of them (20).
   *
   * @throws {ProviderFailed} when the source can't be asked or doesn't answer usably. Its message is meant
   *   for the client and never holds a key or a URL.
   */
  search(area: Area, signal: AbortSignal): Promise<PlacesBody>
}

/** The legacy statuses that say that an ask failed. */
export type FailureStatus = 'INVALID_REQUEST' | 'OVER_QUERY_LIMIT' | 'REQUEST_DENIED' | 'UNKNOWN_ERROR'

/** A source of places did not answer usably. The message goes to the client as `error_message`. */
export class ProviderFailed extends Error {
  override readonly name = 'ProviderFailed'
  /** The legacy `status` to answer with. */
  readonly status: FailureStatus

  constructor(message: string, status: FailureStatus, options?: ErrorOptions) {
    super(message, options)
    this.status = status
  }
}
