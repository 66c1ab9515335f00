import type { Counters } from '../../counters.ts'
import type { AckLevel, OutputBuffer } from '../../protocol/index.ts'
import { type Acks, ackText, MEMORY } from '../../replication/acks.ts'
import { runOf, type Stamp } from '../../replication/stamps.ts'
import type { System } from '../../system.ts'
import type { ReplyWriter } from './reply-writer.ts'

/** What holding needs besides the connection's replies. */
export interface AckContext {
  readonly acks: Acks
  readonly output: OutputBuffer
  readonly counters: Counters
  readonly system: System
  /** Where reports must be held before they are answered, unless the client asks for something else … */
  readonly ack: AckLevel
  /** … and why it can't have that; `null`: it can. */
  readonly ackObjection: (level: AckLevel) => string | null
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
 * one turn together, in their order.
 */
export class AckHold {
  readonly #context: AckContext
  readonly #replies: ReplyWriter
  readonly #resume: () => void
  #level: AckLevel
  #isAsked = false
  #spans: Span[] = []
  /** Ends what is waited for. */
  readonly #underWay = new Set<() => void>()

  /** @param resume called when replies that were held may be sent. */
  constructor(context: AckContext, replies: ReplyWriter, resume: () => void) {
    this.#context = context
    this.#replies = replies
    this.#resume = resume
    this.#level = MEMORY
    this.#set(context.ack)
  }

  /** Whether reports must be noted: they are to be held anywhere but in memory. */
  get isAsked(): boolean {
    return this.#isAsked
  }

  /** ACK: from here on, reports are answered once they are held at that level. Appends the reply. */
  ask(level: AckLevel): void {
    const { output, counters, ackObjection } = this.#context
    this.hold()
    const objection = ackObjection(level)
    if (objection === null) this.#set(level)
    else counters.invalid++
    const reply = Buffer.from(objection === null ? `ACK ${ackText(level)}\n` : `? ${objection}\n`)
    output.append(reply, 0, reply.length)
  }

  /** The reply that was appended after the mark tells of what has this stamp. */
  note(mark: number, stamp: Stamp): void {
    this.#spans.push({ start: mark, end: this.#context.output.waiting, stamp })
  }

  /** Holds back what was appended, if it must be. */
  hold(): void {
    const { output, system, limits } = this.#context
    const spans = this.#spans
    if (spans.length === 0) return
    this.#spans = []
    const level = this.#level
    const open = this.#lastOfRuns(spans)
    if (open.size === 0) return
    const text = output.take()
    const resolve = this.#replies.hold(text.length)
    const finish = (reply: Buffer): void => {
      end()
      resolve(reply)
      this.#resume()
    }
    const cancels = [...open].map((stamp) =>
      this.#context.acks.wait(level, stamp, () => {
        open.delete(stamp)
        if (open.size === 0) finish(text)
      }),
    )
    cancels.push(system.after(limits.ackMsMax, () => finish(this.#late(text, spans, level))))
    const end = (): void => {
      this.#underWay.delete(end)
      for (const cancel of cancels) cancel()
    }
    this.#underWay.add(end)
  }

  /** The connection is gone: nobody waits any more. */
  cancel(): void {
    for (const end of this.#underWay) end()
  }

  /** Of each run the last stamp that isn't held widely enough: with it, all before it are. */
  #lastOfRuns(spans: readonly Span[]): Set<Stamp> {
    const last = new Map<number, Stamp>()
    for (const { stamp } of spans) {
      const run = runOf(stamp)
      if (stamp >= (last.get(run) ?? stamp)) last.set(run, stamp)
    }
    return new Set([...last.values()].filter((stamp) => !this.#context.acks.isReached(this.#level, stamp)))
  }

  /** The replies, those to reports that didn't get there with the level that they did. */
  #late(text: Buffer, spans: readonly Span[], level: AckLevel): Buffer {
    const { acks, counters, limits } = this.#context
    const pieces: Buffer[] = []
    let at = 0
    for (const { start, end, stamp } of spans) {
      if (acks.isReached(level, stamp)) continue
      counters.acksLate++
      const reached = ackText(acks.reached(stamp))
      const words = `? reached ${reached}, not ${ackText(level)}, in ${limits.ackMsMax} ms: `
      pieces.push(text.subarray(at, start), Buffer.from(words), text.subarray(start, end))
      at = end
    }
    return Buffer.concat([...pieces, text.subarray(at)])
  }

  #set(level: AckLevel): void {
    this.#level = level
    this.#isAsked = level.disk || level.peers > 0
  }
}
