/** Every bound on asking for places. All are whole numbers above 0, but where 0 is said to mean no limit. */
export interface PlacesLimits {
  /** One ask from start to end, retries and their waits included, milliseconds. */
  readonly totalMsMax: number
  /** One try at a provider, to the last byte of its answer, milliseconds. Below `totalMsMax`. */
  readonly tryMsMax: number
  /** Tries after the first; 0 means none. */
  readonly retriesMax: number
  /** A provider's answer, uncompressed, bytes. */
  readonly bodyBytesMax: number
  /** Answers kept in memory. At least `asksInFlightMax`, as an ask under way takes a place too. */
  readonly cacheEntriesMax: number
  /** All the answers kept, bytes. An answer that alone is larger is given, but not kept. */
  readonly cacheBytesMax: number
  /** Different asks under way at once to one provider; what is beyond them is refused, not queued. */
  readonly asksInFlightMax: number
  /** Calls that go out to a provider in a second, on average, each retry one; 0 means no limit. */
  readonly callsPerSecondMax: number
  /** Calls that the asks of one address cause in a second, on average; 0 means no limit. */
  readonly callsPerSecondPerAddressMax: number
  /** Asks that fail in a row, retries and all, and so open a provider's breaker. */
  readonly breakerFailuresMax: number
  /** How long it stays open, milliseconds. */
  readonly breakerOpenMs: number
  /** How long it stays open after OVER_QUERY_LIMIT or REQUEST_DENIED, milliseconds. */
  readonly breakerDeniedMs: number
}

/** Limits that suit one server with a few thousand clients. */
export const defaultPlacesLimits: PlacesLimits = {
  totalMsMax: 8_000,
  tryMsMax: 4_000,
  retriesMax: 2,
  bodyBytesMax: 4 * 1024 * 1024,
  cacheEntriesMax: 1000,
  cacheBytesMax: 64 * 1024 * 1024,
  asksInFlightMax: 64,
  callsPerSecondMax: 10,
  callsPerSecondPerAddressMax: 5,
  breakerFailuresMax: 5,
  breakerOpenMs: 10_000,
  breakerDeniedMs: 300_000,
}
