import { setTimeout as sleep } from 'node:timers/promises'
import { FloodConnection, type FloodSpeech } from './flood-connection.ts'
import { FloodGate } from './flood-gate.ts'

/** Batches that one connection may be ahead of another. */
const AHEAD_MAX = 4
const READ_BYTES = 256 * 1024
const POLL_MS = 1

/** The connections of a flood, of which each sends a batch when its last one is answered and the gate lets it. */
export class Flood {
  readonly #connections: readonly FloodConnection[]
  readonly #gate: FloodGate
  readonly #mayGoOn: () => boolean

  /**
   * @param ports and what is said there, one connection for each.
   * @param mayGoOn whether what was sent has arrived far enough for more to be sent.
   */
  constructor(
    speeches: readonly (readonly [port: number, speech: FloodSpeech])[],
    mayGoOn: () => boolean,
    fail: (error: unknown) => void,
  ) {
    const readBuffer = Buffer.alloc(READ_BYTES)
    this.#mayGoOn = mayGoOn
    this.#gate = new FloodGate(speeches.length, AHEAD_MAX)
    this.#connections = speeches.map(
      ([port, speech]) => new FloodConnection(port, speech, readBuffer, () => this.pump(), fail),
    )
  }

  async whenReady(): Promise<void> {
    await Promise.all(this.#connections.map(({ ready }) => ready))
  }

  /**
   * Sends for a time; resolves when everything is answered.
   *
   * @param batchesPerSecond infinity: as many as are answered.
   * @returns how many batches were sent, and how long it took until all were answered.
   */
  async run(ms: number, batchesPerSecond: number): Promise<{ batches: number; seconds: number }> {
    const startMs = performance.now()
    this.#gate.open(startMs, batchesPerSecond)
    // What waits for its time is woken by the clock, all else by an answer.
    const timer = setInterval(() => this.pump(), 1)
    this.pump()
    await sleep(ms)
    this.#gate.close()
    clearInterval(timer)
    while (!this.#connections.every(({ isIdle }) => isIdle)) await sleep(POLL_MS)
    return { batches: this.#gate.sent, seconds: (performance.now() - startMs) / 1000 }
  }

  /** Lets every connection send that may. */
  pump(): void {
    if (!this.#gate.isOpen) return
    const nowMs = performance.now()
    for (const [number, connection] of this.#connections.entries()) {
      if (connection.isIdle && this.#mayGoOn() && this.#gate.take(number, nowMs)) connection.send()
    }
  }

  close(): void {
    for (const connection of this.#connections) connection.close()
  }
}
