import { connect, type Socket } from 'node:net'
import type { RecordableHistogram } from 'node:perf_hooks'

/** What all connections of one load have in common. */
export interface QueryPlan {
  readonly host: string
  readonly port: number
  /** Who is asked about in the question of a number, counted from 0 over all connections. */
  readonly clientOf: (question: number) => number
  /** The question about a client, as it goes over the wire; Latin-1 only. */
  readonly request: (client: number) => string
  /** Where the reply that begins at `at` ends, -1 if not all of it is there. Throws if it is none. */
  readonly endOf: (bytes: Buffer, at: number) => number
  readonly inFlight: number
  readonly readBuffer: Buffer
  readonly counts: QueryCounts
  readonly fail: (error: unknown) => void
}

/** Counted by all connections together. */
export interface QueryCounts {
  /** Replies since the start; also chooses who is asked about next. */
  asked: number
  answered: number
  /** While it is, latencies are kept. */
  open: boolean
  /** In nanoseconds, while `open`. */
  readonly latencies: RecordableHistogram
  /** So many of the next replies are to be kept for a closer look. */
  samplesWanted: number
  readonly samples: Answer[]
}

/** A question about a client, and the whole reply to it. */
export interface Answer {
  readonly client: number
  readonly reply: string
}

interface Question {
  readonly client: number
  readonly sentAtMs: number
}

const NANOSECONDS_IN_MS = 1e6

/** Keeps a number of questions about random clients in flight; each has its own latency. */
export class QueryConnection {
  readonly #plan: QueryPlan
  readonly #socket: Socket
  readonly #waiting: Question[] = []
  #rest: Buffer = Buffer.alloc(0)

  constructor(plan: QueryPlan) {
    this.#plan = plan
    this.#socket = connect({
      host: plan.host,
      port: plan.port,
      noDelay: true,
      onread: { buffer: plan.readBuffer, callback: (length, chunk) => this.#receive(length, chunk) },
    })
    this.#socket.once('connect', () => {
      for (let count = 0; count < plan.inFlight; count += 1) this.#ask()
    })
    this.#socket.once('error', plan.fail)
    this.#socket.once('close', this.#lost)
  }

  close(): void {
    this.#socket.off('close', this.#lost)
    this.#socket.destroy()
  }

  #ask(): void {
    const { clientOf, request, counts } = this.#plan
    const client = clientOf(counts.asked)
    counts.asked += 1
    this.#waiting.push({ client, sentAtMs: performance.now() })
    this.#socket.write(request(client), 'latin1')
  }

  /** Returns whether to go on reading. */
  #receive(length: number, chunk: Uint8Array): boolean {
    try {
      // The chunk's memory is read into again, so what is left of it must be a copy.
      const bytes = Buffer.concat([this.#rest, chunk.subarray(0, length)])
      let at = 0
      for (;;) {
        const end = this.#plan.endOf(bytes, at)
        if (end === -1) break
        this.#take(bytes, at, end)
        at = end
      }
      this.#rest = bytes.subarray(at)
      return true
    } catch (error) {
      this.#plan.fail(error)
      return false
    }
  }

  #take(bytes: Buffer, at: number, end: number): void {
    const { counts } = this.#plan
    const question = this.#waiting.shift()
    if (question === undefined) throw new Error('more replies than questions')
    counts.answered += 1
    if (counts.open) {
      const ms = performance.now() - question.sentAtMs
      counts.latencies.record(Math.max(1, Math.round(ms * NANOSECONDS_IN_MS)))
    }
    if (counts.samplesWanted > 0) {
      counts.samplesWanted -= 1
      counts.samples.push({ client: question.client, reply: bytes.toString('latin1', at, end) })
    }
    this.#ask()
  }

  readonly #lost = (): void => {
    this.#plan.fail(new Error('the server closed a connection'))
  }
}
