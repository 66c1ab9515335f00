import type { Socket } from 'node:net'
import type { Counters } from '../../counters.ts'
import type { Log } from '../../logs/server-log.ts'
import type { OutputBuffer } from '../../protocol/index.ts'
import type { System } from '../../system.ts'
import { ReplyQueue } from './reply-queue.ts'

/** Bounds of a writer. */
export interface ReplyLimits {
  /** A client that needs longer for the replies that wait for it is dropped. */
  readonly slowReaderMsMax: number
}

/** What a writer needs besides its socket. */
export interface ReplyWriterContext {
  readonly output: OutputBuffer
  readonly log: Log
  readonly counters: Counters
  readonly system: System
  readonly limits: ReplyLimits
}

/** Sends the replies of one connection, in the order of its commands, and drops a client that doesn't take them. */
export class ReplyWriter {
  readonly #context: ReplyWriterContext
  readonly #socket: Socket
  readonly #connection: number
  readonly #queue = new ReplyQueue()
  #slowTimer: (() => void) | null = null

  constructor(context: ReplyWriterContext, socket: Socket, connection: number) {
    this.#context = context
    this.#socket = socket
    this.#connection = connection
  }

  /** Bytes that wait: for their turn, or for the client to read. */
  get waitingBytes(): number {
    return this.#queue.bytes + this.#socket.writableLength
  }

  /** Replies that were begun with `await` and are not sent. */
  get awaited(): number {
    return this.#queue.awaited
  }

  /** Whether every reply was given to the socket. */
  get isDone(): boolean {
    return this.#queue.isEmpty
  }

  /** Sends what was appended to the output, and everything else whose turn it is. */
  send(): void {
    const { output } = this.#context
    if (this.#queue.isEmpty) {
      if (output.waiting === 0) return
      // A client that doesn't keep up gets copies: what waits for it must not keep memory that others share.
      this.#write(this.#socket.writableLength === 0 ? output.share() : output.take())
      // Mostly the system takes all of it at once.
      if (this.#socket.writableLength === 0) output.takeBack()
      return
    }
    this.#queue.push(output.take())
    for (const reply of this.#queue.takeReady()) this.#write(reply)
  }

  /**
   * Begins a reply whose rest comes later: its head is what was appended to the output after the mark.
   *
   * @returns the function to call, once, with the rest; `send` then sends it when it is its turn.
   */
  await(mark: number): (tail: Buffer) => void {
    const { output } = this.#context
    const head = output.take(mark)
    if (this.#queue.isEmpty) this.send()
    else this.#queue.push(output.take())
    return this.#queue.await(head)
  }

  /**
   * Lines up replies that are there, but held back. Nothing may be waiting in the output.
   *
   * @returns the function to call, once, with the replies; `send` then sends them when it is their turn.
   */
  hold(bytes: number): (replies: Buffer) => void {
    return this.#queue.await(Buffer.alloc(0), bytes)
  }

  /**
   * Sends what is no reply, between replies.
   *
   * @returns whether the client keeps up; if not, the socket says when it has drained.
   */
  push(bytes: Buffer): boolean {
    this.#write(bytes)
    return !this.#socket.writableNeedDrain
  }

  /** The socket has given everything to the system. */
  drained(): void {
    this.#slowTimer?.()
    this.#slowTimer = null
  }

  /** Sends no more: `flushed` is called when the system has everything, however long the client takes for it. */
  end(flushed: () => void): void {
    if (this.#socket.writableLength > 0 && this.#slowTimer === null) this.#watchReader()
    this.#socket.end(() => {
      this.drained()
      if (!this.#socket.destroyed) flushed()
    })
  }

  #write(bytes: Buffer): void {
    const { log } = this.#context
    if (this.#socket.destroyed) return
    if (log.traffic) log.linesOut(this.#connection, bytes, 0, bytes.length)
    if (!this.#socket.write(bytes) && this.#slowTimer === null) this.#watchReader()
  }

  /** Looks again in a while whether the client has taken anything of what waits for it. */
  #watchReader(): void {
    const { limits, system, counters, log } = this.#context
    const socket = this.#socket
    const taken = socket.bytesWritten - socket.writableLength
    this.#slowTimer = system.after(limits.slowReaderMsMax, () => {
      if (socket.bytesWritten - socket.writableLength > taken) {
        this.#watchReader()
        return
      }
      counters.slowReadersDropped++
      log.event('warning', 'slow reader dropped', { connection: this.#connection })
      socket.destroy()
    })
  }
}
