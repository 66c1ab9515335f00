import type { Socket } from 'node:net'
import type { Log } from '../logs/server-log.ts'
import { OutputBuffer } from '../protocol/index.ts'
import type { System } from '../system.ts'
import { LinkSession, type SessionContext, type SessionOptions } from './link-session.ts'
import type { Owed } from './owed.ts'

export type { LinkLimits } from './link-session.ts'

/** What all links of a server share. */
export interface LinkContext extends SessionContext {
  readonly log: Log
  readonly system: Pick<System, 'after'>
}

/**
 * A link that is open: gives the session what the socket brings, and the socket what the session has to say, whenever it
 * can take more.
 */
export class OpenLink {
  readonly #context: LinkContext
  readonly #socket: Socket
  readonly #options: SessionOptions
  readonly #session: LinkSession
  readonly #output = new OutputBuffer()
  readonly #onClose: (reason: string) => void
  #beatTimer: () => void
  #flushing = false
  #writing = false
  /** A batch is gathering. */
  #batchTimer: (() => void) | null = null
  /** A claim is due later. */
  #claimTimer: (() => void) | null = null
  #reason = 'closed by the neighbor'
  #finishing = false

  /**
   * Takes over a socket that has greeted, or was dialed at a classic neighbor.
   *
   * @param rest bytes that came behind the greeting. @param onClose told once, when the link is lost.
   */
  constructor(
    context: LinkContext,
    socket: Socket,
    options: SessionOptions,
    rest: Buffer,
    onClose: (reason: string) => void,
  ) {
    this.#context = context
    this.#socket = socket
    this.#options = options
    this.#onClose = onClose
    this.#session = new LinkSession(context, options)
    this.#beatTimer = this.#nextBeat()
    if (options.classic) socket.setKeepAlive(true, context.limits.silenceMsMax)
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('end', () => this.close('closed by the neighbor'))
    socket.on('error', (error) => this.close(error.message))
    socket.on('close', () => this.#closed())
    this.#take(rest)
    socket.resume()
    this.wake()
  }

  /** What is owed to the neighbor, and what it has claimed to hold. */
  get owed(): Owed {
    return this.#session.owed
  }

  /** Whether the neighbor has said, since the link was opened, that all it had was sent. */
  get isCaughtUp(): boolean {
    return this.#session.owed.isCaughtUp
  }

  /** AT lines that came over it, and went. */
  get lines(): { readonly in: number; readonly out: number } {
    return { in: this.#session.linesIn, out: this.#session.linesOut }
  }

  /** Milliseconds to the neighbor and back; `null` before it is known. */
  get roundTripMs(): number | null {
    return this.#session.heartbeat.roundTripMs
  }

  /** The neighbor's clock minus ours; `null` before it is known. */
  get clockOffsetMs(): number | null {
    return this.#session.heartbeat.clockOffsetMs
  }

  /** Says that there may be something to send: it is sent after the events at hand, so that they share a batch. */
  wake(): void {
    if (this.#flushing || this.#writing || this.#socket.destroyed) return
    // Called for every fix: while a batch gathers there is nothing to decide.
    if (this.#batchTimer !== null && !this.#session.isFull) return
    const { waitMs } = this.#session
    if (waitMs === 0) this.#flushSoon()
    else if (this.#session.hasMore) this.#batchTimer ??= this.#after(waitMs, () => (this.#batchTimer = null))
    else if (waitMs !== Number.POSITIVE_INFINITY) {
      this.#claimTimer ??= this.#after(waitMs, () => (this.#claimTimer = null))
    }
  }

  #flushSoon(): void {
    this.#flushing = true
    setImmediate(() => {
      this.#flushing = false
      this.#flush()
    })
  }

  #after(ms: number, forget: () => void): () => void {
    return this.#context.system.after(ms, () => {
      forget()
      this.wake()
    })
  }

  /** Ends the link in order: once everything that is owed was given to the system, and the neighbor has closed too. */
  async finish(): Promise<void> {
    this.#reason = 'this server is stopping'
    if (this.#socket.destroyed) return
    const closed = new Promise<void>((resolve) => this.#socket.once('close', () => resolve()))
    this.#finishing = true
    this.#flush()
    await closed
  }

  /** Ends the link: what its neighbor holds doesn't count any more, at once. */
  close(reason: string): void {
    if (this.#socket.destroyed) return
    this.#reason = reason
    this.#socket.destroy()
    this.#session.close()
  }

  #closed(): void {
    this.#beatTimer()
    this.#batchTimer?.()
    this.#claimTimer?.()
    this.#session.close()
    this.#onClose(this.#reason)
  }

  #flush(): void {
    if (this.#writing || this.#socket.destroyed) return
    const { log } = this.#context
    const lines = this.#session.pull(this.#output)
    if (this.#output.waiting === 0) {
      if (this.#finishing && !this.#session.hasMore) this.#socket.end()
      else this.wake()
      return
    }
    const batch = this.#output.share()
    // What is no AT line is mostly heartbeats: they would be most of a quiet herd's log, and say nothing.
    if (log.traffic && lines > 0) log.linesOut(this.#options.connection, batch, 0, batch.length)
    this.#writing = true
    this.#socket.write(batch, () => {
      this.#writing = false
      if (this.#finishing) this.#flush()
      else this.wake()
    })
  }

  #take(chunk: Buffer): void {
    if (this.#socket.destroyed) return
    const trouble = this.#session.receive(chunk)
    if (trouble !== null) this.close(trouble)
    else this.wake()
  }

  #nextBeat(): () => void {
    return this.#context.system.after(this.#context.limits.heartbeatMs, () => {
      this.#beatTimer = this.#nextBeat()
      const trouble = this.#session.beat()
      if (trouble !== null) this.close(trouble)
      else if (!this.#finishing) this.wake()
    })
  }
}
