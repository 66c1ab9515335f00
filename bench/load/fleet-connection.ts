import { connect, type Socket } from 'node:net'
import type { Dialect } from './dialects.ts'
import type { Feed } from './feeds.ts'
import { ReplyCounter } from './reply-counter.ts'
import type { ReportTemplate } from './report-template.ts'

/** What all connections of one fleet have in common. */
export interface FleetPlan {
  readonly host: string
  readonly port: number
  readonly dialect: Dialect
  readonly reports: ReportTemplate
  readonly feed: Feed
  readonly reportsPerBatch: number
  /** Counts every report that is sent, and is its time. */
  readonly clock: { tick: number }
  /** Shared: a read is handled to its end before the next one begins. */
  readonly readBuffer: Buffer
}

/** Sends batches of a feed's reports, each when the one before is answered, until the feed has no more. */
export class FleetConnection {
  /** All is sent and answered; or what went wrong. */
  readonly done: Promise<void>
  readonly #plan: FleetPlan
  readonly #counter: ReplyCounter
  readonly #socket: Socket
  readonly #finish: () => void
  readonly #fail: (error: unknown) => void
  /** Written again only when all of it is answered, so never while the kernel may still read it. */
  readonly #batch: Buffer
  #linesOwed = 0

  constructor(plan: FleetPlan) {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.done = promise
    this.#finish = resolve
    this.#fail = reject
    this.#plan = plan
    this.#counter = new ReplyCounter(plan.dialect.firstByte)
    this.#batch = Buffer.alloc(plan.reportsPerBatch * plan.reports.bytes)
    this.#socket = connect({
      host: plan.host,
      port: plan.port,
      noDelay: true,
      onread: { buffer: plan.readBuffer, callback: (length, chunk) => this.#receive(length, chunk) },
    })
    this.#socket.once('connect', () => this.#send())
    this.#socket.once('error', reject)
    this.#socket.once('close', () => reject(new Error('the server closed a connection')))
  }

  close(): void {
    this.#socket.destroy()
  }

  #send(): void {
    const { feed, reports, reportsPerBatch, clock, dialect } = this.#plan
    let count = 0
    let at = 0
    while (count < reportsPerBatch && feed.advance()) {
      at = reports.write(this.#batch, at, feed.client, feed.move, clock.tick)
      clock.tick += 1
      count += 1
    }
    if (count === 0) this.#finish()
    else this.#socket.write(this.#batch.subarray(0, at))
    this.#linesOwed = count * dialect.repliesPerReport
  }

  /** Returns whether to go on reading. */
  #receive(length: number, chunk: Uint8Array): boolean {
    try {
      this.#linesOwed -= this.#counter.push(chunk, length)
      if (this.#linesOwed < 0) throw new Error(`${-this.#linesOwed} more replies than lines sent`)
      if (this.#linesOwed === 0) this.#send()
      return true
    } catch (error) {
      this.#fail(error)
      return false
    }
  }
}
