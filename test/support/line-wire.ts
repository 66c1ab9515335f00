/** One connection of the line protocol for much traffic: each line goes to a function as soon as it is there. */
import { connect, type Socket } from 'node:net'
import { LineFramer } from '../../src/protocol/index.ts'

const LINE_BYTES_MAX = 1024 * 1024

/** Where a server is. */
export interface WireTarget {
  readonly host: string
  readonly port: number
}

/** The connection. Lines are text in Latin-1, without their LF. */
export class LineWire {
  /** Resolves when the connection is gone, however that happened. */
  readonly closed: Promise<void>
  readonly #socket: Socket
  #isClosed = false

  /** Connects within `msMax`, or rejects. */
  static async open(target: WireTarget, onLine: (line: string) => void, msMax = 2000): Promise<LineWire> {
    const socket = connect({ ...target, noDelay: true })
    const opened = Promise.withResolvers<void>()
    const timer = setTimeout(() => socket.destroy(new Error(`no connection within ${msMax} ms`)), msMax)
    socket.once('connect', () => opened.resolve())
    // A reset is an end like any other to whoever reads.
    socket.on('error', (error) => opened.reject(error))
    socket.once('close', () => opened.reject(new Error('closed before it was open')))
    try {
      await opened.promise
    } finally {
      clearTimeout(timer)
    }
    return new LineWire(socket, onLine)
  }

  private constructor(socket: Socket, onLine: (line: string) => void) {
    this.#socket = socket
    const closed = Promise.withResolvers<void>()
    this.closed = closed.promise
    socket.once('close', () => {
      this.#isClosed = true
      closed.resolve()
    })
    const framer = new LineFramer(LINE_BYTES_MAX)
    socket.on('data', (chunk: Buffer) => {
      framer.push(chunk)
      while (framer.next() === 'line') onLine(framer.buffer.toString('latin1', framer.start, framer.end))
    })
  }

  get isClosed(): boolean {
    return this.#isClosed
  }

  /** Sends text; resolves when the system can take more, or when the connection is gone. */
  async send(text: string): Promise<void> {
    if (this.#socket.write(text, 'latin1')) return
    const drained = Promise.withResolvers<void>()
    this.#socket.once('drain', () => drained.resolve())
    await Promise.race([drained.promise, this.closed])
  }

  /** Ends the connection at once. */
  destroy(): void {
    this.#socket.destroy()
  }
}
