import type { Socket } from 'node:net'
import type { Client } from 'aedes'
import type { Caller } from '../calls/calls.ts'
import { FixSubscriber, type SubscriberContext } from './fix-subscriber.ts'

/** An answer to a message that is not given yet. */
interface Answer {
  isDue: boolean
  error: Error | null
  readonly give: (error: Error | null) => void
}

/** What is known of one connection. */
export class MqttConnection {
  readonly client: Client
  readonly socket: Socket
  readonly address: string
  /** Who it is; `null` before it was admitted. */
  caller: Caller | null = null
  /** What it subscribes to. */
  readonly filters: Set<string> = new Set()
  readonly subscriber: FixSubscriber
  /** Whether it was said in the log that something of it was refused … */
  isRefusalLogged = false
  /** … and what it was closed for: aedes says that for each message that waited. */
  isErrorLogged = false
  readonly #answers: Answer[] = []
  #rateWait: Promise<void> = Promise.resolve()
  readonly #counters: SubscriberContext['counters']
  #isDropped = false

  constructor(client: Client, socket: Socket, context: SubscriberContext) {
    this.client = client
    this.socket = socket
    this.address = socket.remoteAddress ?? ''
    this.#counters = context.counters
    this.subscriber = new FixSubscriber(context, client, socket, () => this.dropSlow())
  }

  /** Its client takes nothing of what waits for it: closes it, and counts that once. */
  dropSlow(): void {
    if (this.#isDropped) return
    this.#isDropped = true
    this.#counters.slowReadersDropped++
    this.socket.destroy()
  }

  /**
   * Begins an answer. Answers are given in the order in which they were begun (MQTT 3.1.1 §4.6), whenever they are due.
   *
   * @returns to be called when it is due.
   */
  beginAnswer(give: (error: Error | null) => void): (error: Error | null) => void {
    const answer: Answer = { isDue: false, error: null, give }
    this.#answers.push(answer)
    return (error) => {
      answer.isDue = true
      answer.error = error
      while (this.#answers[0]?.isDue === true) {
        const first = this.#answers.shift()
        first?.give(first.error)
      }
    }
  }

  /** Waits until it may report again: one report after the other. */
  waitForRate(wait: () => Promise<void>): Promise<void> {
    this.#rateWait = this.#rateWait.then(wait)
    return this.#rateWait
  }
}
