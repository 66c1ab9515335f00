const BUCKETS = 200_000

/** Latencies in buckets of a microsecond, up to 0.2 s; longer ones share the last. Costs one addition each. */
export class Latencies {
  readonly #counts = new Uint32Array(BUCKETS)
  #total = 0
  #maxMs = 0

  add(ms: number): void {
    const bucket = Math.min(BUCKETS - 1, Math.trunc(ms * 1000))
    this.#counts[bucket] = (this.#counts[bucket] ?? 0) + 1
    this.#total += 1
    if (ms > this.#maxMs) this.#maxMs = ms
  }

  get maxUs(): number {
    return this.#maxMs * 1000
  }

  /** The latency in µs that the given share of all did not exceed (to the next microsecond). */
  quantileUs(share: number): number {
    const wanted = Math.ceil(this.#total * share)
    let seen = 0
    for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
      seen += this.#counts[bucket] ?? 0
      if (seen >= wanted) return bucket + 1
    }
    return BUCKETS
  }
}
