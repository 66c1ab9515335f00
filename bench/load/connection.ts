import { connect, type Socket } from 'node:net'
import type { Expectation } from './expectation.ts'
import { ReplyCounter } from './reply-counter.ts'
import type { ReportLines } from './report-lines.ts'
import type { Window } from './window.ts'

/** One batch in so many is compared in full with what the server must answer; the first one always. */
const CHECK_EVERY = 512

/** What all connections of one load have in common. */
export interface LoadPlan {
  readonly host: string
  readonly port: number
  readonly inFlight: number
  /** A line said first on each connection, and answered by a line; empty: none. */
  readonly prelude: string
  readonly lines: ReportLines
  readonly expectation: Expectation
  readonly window: Window
  /** Shared: a read is handled to its end before the next one begins, and nothing is allocated for it. */
  readonly readBuffer: Buffer
  /** Told of the first thing that goes wrong, and of whatever follows from it. */
  readonly fail: (error: unknown) => void
}

/** Sends a batch, waits for as many lines, sends the next; until it is closed. */
export class Connection {
  readonly #number: number
  readonly #plan: LoadPlan
  readonly #counter: ReplyCounter
  readonly #socket: Socket
  #batches = 0
  /** What has come of the answer to the prelude; `undefined` when there is none to come. */
  #preludeAnswer: string | undefined
  #linesOwed = 0
  #sentAtMs = 0
  #request: Buffer = Buffer.alloc(0)
  /** The parts of a reply that is going to be compared in full. */
  #sample: Buffer[] | undefined

  constructor(number: number, plan: LoadPlan) {
    this.#number = number
    this.#plan = plan
    this.#counter = new ReplyCounter(plan.expectation.firstByte)
    this.#socket = connect({
      host: plan.host,
      port: plan.port,
      noDelay: true,
      onread: { buffer: plan.readBuffer, callback: (length, chunk) => this.#receive(length, chunk) },
    })
    this.#socket.once('connect', () => this.#begin())
    this.#socket.once('error', plan.fail)
    this.#socket.once('close', this.#lost)
  }

  close(): void {
    this.#socket.off('close', this.#lost)
    this.#socket.destroy()
  }

  #begin(): void {
    const { prelude } = this.#plan
    if (prelude === '') this.#send()
    else {
      this.#preludeAnswer = ''
      this.#socket.write(`${prelude}\n`)
    }
  }

  #send(): void {
    this.#request = this.#plan.lines.next(this.#number)
    this.#sample = this.#batches % CHECK_EVERY === 0 ? [] : undefined
    this.#batches += 1
    this.#linesOwed = this.#plan.inFlight
    this.#sentAtMs = performance.now()
    this.#socket.write(this.#request)
  }

  /** Returns whether to go on reading. */
  #receive(length: number, chunk: Uint8Array): boolean {
    try {
      if (this.#preludeAnswer !== undefined) {
        this.#hearPrelude(this.#preludeAnswer + Buffer.from(chunk.subarray(0, length)).toString('latin1'))
        return true
      }
      this.#linesOwed -= this.#counter.push(chunk, length)
      this.#sample?.push(Buffer.from(chunk.subarray(0, length)))
      if (this.#plan.window.open) this.#plan.window.replyBytes += length
      if (this.#linesOwed <= 0) this.#finishBatch()
      return true
    } catch (error) {
      this.#plan.fail(error)
      return false
    }
  }

  #hearPrelude(answer: string): void {
    this.#preludeAnswer = answer
    if (!answer.endsWith('\n')) return
    if (answer.startsWith('? ')) throw new Error(`the server refuses ${this.#plan.prelude}`)
    this.#preludeAnswer = undefined
    this.#send()
  }

  #finishBatch(): void {
    if (this.#linesOwed < 0) throw new Error(`${-this.#linesOwed} more replies than lines sent`)
    const { window, inFlight } = this.#plan
    window.note(this.#number, inFlight, this.#request.length, performance.now() - this.#sentAtMs)
    if (this.#sample !== undefined) this.#check(this.#sample)
    this.#send()
  }

  #check(sample: readonly Buffer[]): void {
    const reply = Buffer.concat(sample).toString('latin1')
    const problem = this.#plan.expectation.check(this.#request.toString('latin1'), reply)
    if (problem !== undefined) throw new Error(`wrong reply: ${problem}`)
    this.#plan.window.repliesChecked += this.#plan.inFlight
  }

  readonly #lost = (): void => {
    this.#plan.fail(new Error('the server closed a connection'))
  }
}
