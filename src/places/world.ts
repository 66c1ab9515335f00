/** What places need of the world outside: time and chance. Tests put in their own. */
export interface PlacesWorld {
  /** Milliseconds on a clock that only goes forward, never 0: for time limits, ages and rates. */
  nowMs(): number
  /** Milliseconds since the POSIX epoch: for the UTC day of the daily budget and for HTTP dates. */
  wallMs(): number
  /** A number in [0, 1): for the jitter of retries. */
  random(): number
  /** Calls `act` once, `delayMs` from now, unless the function that it returns is called before. */
  after(delayMs: number, act: () => void): () => void
}
