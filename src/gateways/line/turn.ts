import type { OutputBuffer } from '../../protocol/index.ts'
import type { System } from '../../system.ts'
import type { AddressBook } from '../address-book.ts'
import type { ReplyWriter } from './reply-writer.ts'

/**
 * What one connection may cost before others get their turn: a line costs 1, a query as much as many lines. A chunk
 * of reports is one turn; a chunk of queries is many.
 */
const TURN_COST_MAX = 4096
/** A query costs a turn as much as so many lines. */
export const QUERY_COST = 256
/** Records that a search looks at in the time of one line. */
export const LOOKS_AT_COST_1 = 8

/** Counters of the limits that pause reading. */
export type PauseReason = 'pausesForWhatsats' | 'pausesForReplies' | 'pausesForRate'

/** Bounds that end a turn. */
export interface TurnLimits {
  /** WHATSATs that wait for their places and WHOSATs that search on; then reading pauses. */
  readonly pendingWhatsatsMax: number
  /** Bytes of replies that wait for the client; then reading pauses. */
  readonly replyBytesMax: number
}

/** What a turn is measured by. */
export interface TurnContext {
  readonly output: OutputBuffer
  readonly addresses: AddressBook
  readonly system: System
  readonly limits: TurnLimits
}

/** How much of its turn a connection has used, and whether it may take a further line at all. */
export class Turn {
  readonly #context: TurnContext
  readonly #replies: ReplyWriter
  readonly #address: string
  #cost = 0
  /** Bytes of replies that may still be appended: set when a turn begins and when replies are lined up. */
  #replyRoom = 0

  constructor(context: TurnContext, replies: ReplyWriter, address: string) {
    this.#context = context
    this.#replies = replies
    this.#address = address
  }

  /** A new turn begins. */
  begin(): void {
    this.#cost = 0
    this.measureRoom()
  }

  /** Counts what a line has cost. */
  spend(cost: number): void {
    this.#cost += cost
  }

  /** Replies were lined up behind one that isn't there yet: measures anew how many may wait. */
  measureRoom(): void {
    this.#replyRoom = this.#context.limits.replyBytesMax - this.#replies.waitingBytes
  }

  /** Says whether no further line may be taken in this turn. Called for each line, so it asks as little as it can. */
  isOver(): boolean {
    const { output, limits, addresses } = this.#context
    return (
      this.#cost >= TURN_COST_MAX ||
      output.waiting >= this.#replyRoom ||
      this.#replies.awaited >= limits.pendingWhatsatsMax ||
      (addresses.isLimited && this.pauseReason() !== null)
    )
  }

  /** Why no further line may be taken, in this turn or the next: the counter of the limit that says so, or `null`. */
  pauseReason(): PauseReason | null {
    const { limits, output, addresses, system } = this.#context
    if (this.#replies.awaited >= limits.pendingWhatsatsMax) return 'pausesForWhatsats'
    this.measureRoom()
    if (output.waiting >= this.#replyRoom) return 'pausesForReplies'
    if (addresses.fixWaitMs(this.#address, system.nowMs()) > 0) return 'pausesForRate'
    return null
  }
}
