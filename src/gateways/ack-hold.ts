import type { Counters } from '../counters.ts'
import type { AckLevel, OutputBuffer } from '../protocol/index.ts'
import { type Acks, ackText } from '../replication/acks.ts'
import type { Stamp } from '../replication/stamps.ts'
import type { System } from '../system.ts'
import type { ReplyWriter } from './reply-writer.ts'

/** What holding needs besides the connection's replies. */
export interface AckContext {
  readonly acks: Acks
  readonly output: OutputBuffer
  readonly counters: Counters
  readonly system: System
  readonly limits: {
    /** A report is answered after this time, with the level that was reached. */
    readonly ackMsMax: number
  }
}

/** Where in the output a report's reply lies. */
interface Span {
  readonly start: number
  readonly end: number
  readonly stamp: Stamp
}

/**
 * Holds back a connection's replies to reports until what was reported is held as widely as the client wants: those of
 * one turn together, in their order. Whoever doesn't ask for that has none of these.
 */
export class AckHold {
  readonly level: AckLevel
  readonly #context: AckContext
  readonly #replies: ReplyWriter
  readonly #resume: () => void
  #spans: Span[] = []

  /** @param resume called when replies that were held may be sent. */
  constructor(context: AckContext, level: AckLevel, replies: ReplyWriter, resume: () => void) {
    this.#context = context
    this.level = level
    this.#replies = replies
    this.#resume = resume
  }

  /** The reply that was appended after the mark tells of what has this stamp. */
  note(mark: number, stamp: Stamp): void {
    this.#spans.push({ start: mark, end: this.#context.output.waiting, stamp })
  }

  /** Holds back what was appended, if it must be. */
  hold(): void {
    const { acks, output, system, limits } = this.#context
    const spans = this.#spans
    if (spans.length === 0) return
    this.#spans = []
    const open = new Set(
      spans.map(({ stamp }) => stamp).filter((stamp) => !acks.isReached(this.level, stamp)),
    )
    if (open.size === 0) return
    const text = output.take()
    const resolve = this.#replies.hold(text.length)
    const finish = (reply: Buffer): void => {
      cancelTimer()
      resolve(reply)
      this.#resume()
    }
    const cancels = Array.from(open, (stamp) =>
      acks.wait(this.level, stamp, () => {
        open.delete(stamp)
        if (open.size === 0) finish(text)
      }),
    )
    const cancelTimer = system.after(limits.ackMsMax, () => {
      for (const cancel of cancels) cancel()
      finish(this.#late(text, spans))
    })
  }

  /** The replies, those to reports that didn't get there with the level that they did. */
  #late(text: Buffer, spans: readonly Span[]): Buffer {
    const { acks, counters, limits } = this.#context
    const pieces: Buffer[] = []
    let at = 0
    for (const { start, end, stamp } of spans) {
      if (acks.isReached(this.level, stamp)) continue
      counters.acksLate++
      const reached = ackText(acks.reached(stamp))
      const words = `? reached ${reached}, not ${ackText(this.level)}, in ${limits.ackMsMax} ms: `
      pieces.push(text.subarray(at, start), Buffer.from(words), text.subarray(start, end))
      at = end
    }
    return Buffer.concat([...pieces, text.subarray(at)])
  }
}
