import { Latencies } from './latencies.ts'

/** What all connections of a load count together; the measured figures only while it is `open`. */
export class Window {
  open = false
  messages = 0
  requestBytes = 0
  replyBytes = 0
  readonly latencies: Latencies = new Latencies()
  /** Batches answered on each connection while open: none may be left behind unnoticed. */
  readonly batches: Uint32Array
  /** Batches answered since the start; stands still when the server does. */
  batchesSinceStart = 0
  /** Replies compared in full since the start. */
  repliesChecked = 0

  constructor(connections: number) {
    this.batches = new Uint32Array(connections)
  }

  /** All replies to a batch have come. */
  note(connection: number, lines: number, requestBytes: number, latencyMs: number): void {
    this.batchesSinceStart += 1
    if (!this.open) return
    this.batches[connection] = (this.batches[connection] ?? 0) + 1
    this.messages += lines
    this.requestBytes += requestBytes
    this.latencies.add(latencyMs)
  }
}
