import type { Socket } from 'node:net'
import type { Counters } from '../counters.ts'
import type { Log } from '../logs/server-log.ts'
import { ATTRIBUTES_BYTES_MAX, type CommandParser, LineFramer, OutputBuffer } from '../protocol/index.ts'
import type { AtReader } from './at-reader.ts'
import type { DirtyQueue } from './dirty-queue.ts'
import { LINK_VERSION } from './handshake.ts'
import { receiveAt } from './receive-at.ts'
import type { Replica } from './replica.ts'

/** Bounds of an open link. */
export interface LinkLimits {
  /** How often something is said when there is nothing to say. */
  readonly heartbeatMs: number
  /** A neighbor that says nothing for this long is taken for dead. */
  readonly silenceMsMax: number
  /** Bytes of AT lines handed to the socket at a time. */
  readonly batchBytesMax: number
  /** The longest line a client may send; a link's lines are longer by what AT adds. */
  readonly lineBytesMax: number
}

/** What all links of a server share. */
export interface LinkContext {
  readonly replica: Replica
  readonly parser: CommandParser
  readonly reader: AtReader
  readonly log: Log
  readonly counters: Counters
  readonly limits: LinkLimits
}

/** AT, the origin's name and the difference come on top of what the client sent; so do attributes. */
const AT_BYTES_MORE = 1024
const PING = `HERD ${LINK_VERSION} ping\n`

/**
 * A link that is open: takes the neighbor's AT lines, and sends what is owed to it whenever the socket can take more.
 * The socket pulls; nobody pushes, so a neighbor that doesn't read costs one batch and a queue of record numbers.
 */
export class OpenLink {
  readonly #context: LinkContext
  readonly #socket: Socket
  readonly #connection: number
  readonly #classic: boolean
  readonly #queue: DirtyQueue
  readonly #framer: LineFramer
  readonly #output = new OutputBuffer()
  readonly #timer: NodeJS.Timeout
  readonly #onClose: (reason: string) => void
  #flushing = false
  #writing = false
  #quietBeats = 0
  #heardSince = true
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
    connection: number,
    classic: boolean,
    rest: Buffer,
    onClose: (reason: string) => void,
  ) {
    this.#context = context
    this.#socket = socket
    this.#connection = connection
    this.#classic = classic
    this.#onClose = onClose
    this.#framer = new LineFramer(context.limits.lineBytesMax + AT_BYTES_MORE + ATTRIBUTES_BYTES_MAX)
    this.#queue = context.replica.connect()
    this.#timer = setInterval(() => this.#beat(), context.limits.heartbeatMs).unref()
    if (classic) socket.setKeepAlive(true, context.limits.silenceMsMax)
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => this.#take(chunk))
    socket.on('end', () => this.close('closed by the neighbor'))
    socket.on('error', (error) => this.close(error.message))
    socket.on('close', () => this.#closed())
    this.#take(rest)
    socket.resume()
    this.wake()
  }

  /** How many fixes are owed to the neighbor. */
  get queued(): number {
    return this.#queue.length
  }

  /** The queue that marks fixes as coming from this link. */
  get queue(): DirtyQueue {
    return this.#queue
  }

  /** Says that something may be owed: it is sent after the events at hand, so that they share a batch. */
  wake(): void {
    if (this.#flushing || this.#writing || this.#queue.length === 0) return
    this.#flushing = true
    setImmediate(() => {
      this.#flushing = false
      this.#flush()
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

  /** Ends the link. */
  close(reason: string): void {
    if (this.#socket.destroyed) return
    this.#reason = reason
    this.#socket.destroy()
  }

  #closed(): void {
    clearInterval(this.#timer)
    this.#context.replica.disconnect(this.#queue)
    this.#onClose(this.#reason)
  }

  #flush(): void {
    if (this.#writing || this.#socket.destroyed) return
    const { replica, limits, counters, log } = this.#context
    const lines = replica.nextBatch(this.#queue, this.#output, limits.batchBytesMax, !this.#classic)
    if (lines === 0) {
      if (this.#queue.length > 0) this.wake()
      else if (this.#finishing) this.#socket.end()
      return
    }
    counters.linkLinesOut += lines
    const batch = this.#output.share()
    if (log.traffic) log.linesOut(this.#connection, batch, 0, batch.length)
    this.#writing = true
    this.#socket.write(batch, () => {
      this.#writing = false
      if (this.#finishing) this.#flush()
      else this.wake()
    })
  }

  #take(chunk: Buffer): void {
    if (this.#socket.destroyed) return
    this.#heardSince = true
    this.#framer.push(chunk)
    for (;;) {
      const framed = this.#framer.next()
      if (framed === 'need-more') return
      if (framed === 'too-long') {
        this.close('it sent a line that is too long')
        return
      }
      this.#line(this.#framer.buffer, this.#framer.start, this.#framer.end)
    }
  }

  #line(buffer: Buffer, start: number, end: number): void {
    const { log, parser, counters } = this.#context
    const kind = parser.parse(buffer, start, end)
    // Heartbeats are HERD lines: they would be most of a quiet herd's log, and say nothing.
    if (log.traffic && kind !== 'herd') log.lineIn(this.#connection, buffer, start, end)
    if (kind === 'at') receiveAt(this.#context, buffer, this.#queue)
    // Words of later versions, pings among them, are nobody's mistake; nor is what a classic server chats back.
    else if (kind !== 'herd' && !this.#classic) counters.linkLinesBad++
  }

  #beat(): void {
    const { limits } = this.#context
    if (this.#classic) return
    this.#quietBeats = this.#heardSince ? 0 : this.#quietBeats + 1
    this.#heardSince = false
    if (this.#quietBeats * limits.heartbeatMs >= limits.silenceMsMax) {
      this.close(`silent for ${limits.silenceMsMax} ms`)
      return
    }
    if (!this.#writing && !this.#finishing) this.#socket.write(PING)
  }
}
