/**
 * Says which connection of a flood may send its next batch. Pure: it is told what the time is.
 *
 * - Every connection sends as much as every other, but for some batches: so all servers accept evenly.
 * - With a rate, never more batches than the rate gives for the time since `open`.
 */
export class FloodGate {
  /** Batches of each connection since `open`. */
  readonly #batches: Uint32Array
  readonly #aheadMax: number
  #startMs = 0
  #batchesPerMs = 0
  #all = 0
  #isOpen = false

  /** @param aheadMax batches that a connection may have sent more than the one that sent least. */
  constructor(connections: number, aheadMax: number) {
    this.#batches = new Uint32Array(connections)
    this.#aheadMax = aheadMax
  }

  get isOpen(): boolean {
    return this.#isOpen
  }

  /** Batches of all connections since `open`. */
  get sent(): number {
    return this.#all
  }

  /** @param batchesPerSecond of all connections together; infinity: as many as are answered. */
  open(nowMs: number, batchesPerSecond: number): void {
    this.#batches.fill(0)
    this.#all = 0
    this.#startMs = nowMs
    this.#batchesPerMs = batchesPerSecond / 1000
    this.#isOpen = true
  }

  close(): void {
    this.#isOpen = false
  }

  /** Whether a connection may send a batch now; if so, it is counted. */
  take(connection: number, nowMs: number): boolean {
    if (!this.#isOpen) return false
    const sent = this.#batches[connection] ?? 0
    if (this.#all >= (nowMs - this.#startMs) * this.#batchesPerMs) return false
    if (sent - Math.min(...this.#batches) >= this.#aheadMax) return false
    this.#batches[connection] = sent + 1
    this.#all += 1
    return true
  }
}
