import type { Socket } from 'node:net'
import { LineFramer } from '../protocol/index.ts'

/** How long a peer that was refused has to read why. */
const LINGER_MS = 1000

/**
 * A socket while two sides greet: lines are asked for one at a time, short ones only, and the whole of it takes no
 * longer than it is given. Afterwards the socket is released, with the bytes that came behind the last line.
 * Lines are text in Latin-1, one character a byte, without their LF: what is proved is every byte of them.
 */
export class HandshakeSocket {
  readonly socket: Socket
  readonly #framer: LineFramer
  readonly #timer: NodeJS.Timeout
  #waiting: ((line: string | null) => void) | null = null
  #over = false

  /**
   * @param limits `handshakeLineBytesMax`: a longer line ends the conversation. `handshakeMsMax`: from now to `release`.
   * @param rest bytes that were read from the socket already.
   */
  constructor(
    socket: Socket,
    limits: { readonly handshakeLineBytesMax: number; readonly handshakeMsMax: number },
    rest: Buffer,
  ) {
    this.socket = socket
    this.#framer = new LineFramer(limits.handshakeLineBytesMax)
    this.#framer.push(rest)
    this.#timer = setTimeout(this.#end, limits.handshakeMsMax).unref()
    socket.on('data', this.#take)
    socket.on('end', this.#end)
    socket.on('close', this.#end)
  }

  writeLine(line: string): void {
    if (!this.#over) this.socket.write(`${line}\n`, 'latin1')
  }

  /** The next line, or `null` when there will be none: closed, too long, or out of time. */
  readLine(): Promise<string | null> {
    const line = this.#nextLine()
    if (line !== null || this.#over) return Promise.resolve(line)
    this.socket.resume()
    return new Promise((resolve) => {
      this.#waiting = resolve
    })
  }

  /** Lets go of the socket, paused. @returns what was read and not used. */
  release(): Buffer {
    this.socket.pause()
    clearTimeout(this.#timer)
    this.socket.off('data', this.#take)
    this.socket.off('end', this.#end)
    this.socket.off('close', this.#end)
    return this.#framer.takeRest()
  }

  /** Sends a last line, if there is one, and closes. */
  close(line?: string): void {
    this.release()
    this.#over = true
    if (line === undefined) {
      this.socket.destroy()
      return
    }
    // What the peer still sends is read and dropped: closing over unread bytes would take back the last line.
    this.socket.resume()
    this.socket.end(`${line}\n`, 'latin1')
    setTimeout(() => this.socket.destroy(), LINGER_MS).unref()
  }

  readonly #take = (chunk: Buffer): void => {
    // One line at a time: what comes behind it waits in the framer, and the rest in the kernel.
    this.socket.pause()
    this.#framer.push(chunk)
    const line = this.#nextLine()
    if (line !== null) this.#answer(line)
    else if (!this.#over) this.socket.resume()
  }

  #nextLine(): string | null {
    if (this.#over) return null
    const framed = this.#framer.next()
    if (framed === 'line') {
      return this.#framer.buffer.toString('latin1', this.#framer.start, this.#framer.end)
    }
    if (framed === 'too-long') this.#end()
    return null
  }

  readonly #end = (): void => {
    this.#over = true
    this.#answer(null)
  }

  #answer(line: string | null): void {
    const waiting = this.#waiting
    this.#waiting = null
    waiting?.(line)
  }
}
