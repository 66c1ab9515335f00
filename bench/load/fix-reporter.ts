import { connect, type Socket } from 'node:net'
import { HttpReplies } from './http-replies.ts'
import { type WatchPlan, watchedClient } from './watchers.ts'

/** One connection: what is to be reported before the answer to the last is there, waits. */
class FixReporter {
  answered = 0
  readonly #plan: Pick<WatchPlan, 'host' | 'port' | 'fail'>
  readonly #waiting: string[] = []
  readonly #socket: Socket
  #isBusy = false

  constructor(plan: Pick<WatchPlan, 'host' | 'port' | 'fail'>) {
    this.#plan = plan
    const replies = new HttpReplies()
    this.#socket = connect({ host: plan.host, port: plan.port, noDelay: true })
    this.#socket.on('data', (chunk: Buffer) => {
      try {
        if (replies.push(chunk) === undefined) return
        this.answered += 1
        this.#isBusy = false
        this.#next()
      } catch (error) {
        plan.fail(error)
      }
    })
    this.#socket.once('error', plan.fail)
  }

  /** A client of its own reports each fix: so none takes the place of another. */
  report(fix: number): void {
    const body = JSON.stringify({ client: watchedClient(fix), lat: 34.06893, lon: -118.445127 })
    this.#waiting.push(
      `POST /v1/fixes HTTP/1.1\r\nhost: ${this.#plan.host}\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
    )
    this.#next()
  }

  close(): void {
    this.#socket.destroy()
  }

  #next(): void {
    if (this.#isBusy) return
    const request = this.#waiting.shift()
    if (request === undefined) return
    this.#isBusy = true
    this.#socket.write(request)
  }
}

/** Reports in turn over some connections. */
export class FixReporters {
  readonly #reporters: readonly FixReporter[]

  constructor(plan: Pick<WatchPlan, 'host' | 'port' | 'fail'>, connections: number) {
    this.#reporters = Array.from({ length: connections }, () => new FixReporter(plan))
  }

  /** Reports that were answered. */
  get answered(): number {
    return this.#reporters.reduce((sum, { answered }) => sum + answered, 0)
  }

  /** A client of its own reports each fix: so none takes the place of another. */
  report(fix: number): void {
    this.#reporters[fix % this.#reporters.length]?.report(fix)
  }

  close(): void {
    for (const reporter of this.#reporters) reporter.close()
  }
}
