import { connect, type Socket } from 'node:net'
import type { RecordableHistogram } from 'node:perf_hooks'
import type { Dialect } from './dialects.ts'
import { ReplyCounter } from './reply-counter.ts'
import type { ReportTemplate } from './report-template.ts'

/** What all connections of one load have in common. */
export interface SteadyPlan {
  readonly host: string
  readonly port: number
  readonly dialect: Dialect
  readonly reports: ReportTemplate
  readonly readBuffer: Buffer
  readonly counts: SteadyCounts
  readonly fail: (error: unknown) => void
}

/** Counted by all connections together. */
export interface SteadyCounts {
  /** Is the time of a report, too. */
  sent: number
  answered: number
  /** While it is, latencies are kept. */
  open: boolean
  /** From the write to the reply, in nanoseconds, while `open`. */
  readonly latencies: RecordableHistogram
}

const NANOSECONDS_IN_MS = 1e6

/** One client that reports when it is told to, whether or not it was answered before. */
export class SteadyConnection {
  /** It is connected, and its first report answered; never rejects. */
  readonly ready: Promise<void>
  readonly #client: number
  readonly #plan: SteadyPlan
  readonly #socket: Socket
  readonly #counter: ReplyCounter
  /** When the reports were sent that wait for a reply. */
  readonly #waiting: number[] = []
  readonly #setReady: () => void
  #move = 0

  constructor(client: number, plan: SteadyPlan) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ready = promise
    this.#setReady = resolve
    this.#client = client
    this.#plan = plan
    this.#counter = new ReplyCounter(plan.dialect.firstByte)
    this.#socket = connect({
      host: plan.host,
      port: plan.port,
      noDelay: true,
      onread: { buffer: plan.readBuffer, callback: (length, chunk) => this.#receive(length, chunk) },
    })
    this.#socket.once('connect', () => this.report())
    this.#socket.once('error', plan.fail)
    this.#socket.once('close', this.#lost)
  }

  /** Sends where the client is now, some 30 m from where it was. */
  report(): void {
    const { reports, counts } = this.#plan
    const bytes = Buffer.allocUnsafe(reports.bytes)
    reports.write(bytes, 0, this.#client, this.#move, counts.sent)
    this.#move += 1
    counts.sent += 1
    this.#waiting.push(performance.now())
    this.#socket.write(bytes)
  }

  close(): void {
    this.#socket.off('close', this.#lost)
    this.#socket.destroy()
  }

  /** Returns whether to go on reading. */
  #receive(length: number, chunk: Uint8Array): boolean {
    try {
      const { counts } = this.#plan
      for (let lines = this.#counter.push(chunk, length); lines > 0; lines -= 1) {
        const sentAtMs = this.#waiting.shift()
        if (sentAtMs === undefined) throw new Error('more replies than reports')
        counts.answered += 1
        if (!counts.open) continue
        const ms = performance.now() - sentAtMs
        counts.latencies.record(Math.max(1, Math.round(ms * NANOSECONDS_IN_MS)))
      }
      this.#setReady()
      return true
    } catch (error) {
      this.#plan.fail(error)
      return false
    }
  }

  readonly #lost = (): void => {
    this.#plan.fail(new Error('the server closed a connection'))
  }
}
