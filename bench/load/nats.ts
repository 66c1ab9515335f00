/**
 * As much of NATS' protocol as a load needs: greet, subscribe, publish, count what comes. Pure. All messages of a load
 * have the same length, and so have their frames, so that a frame costs a look at its first byte.
 */

/** Ends the greeting, and every batch: answered by one PONG when all before it was taken. */
const PING = 'PING\r\n'
/** The first words of a connection; the PONG that answers them says that it is ready. */
export const NATS_HELLO: string = `CONNECT {"verbose":false,"pedantic":false,"headers":false}\r\n${PING}`
/** Answers a PING of the server's, which wants to know whether we are there. */
export const NATS_PONG = 'PONG\r\n'

/** Servers of a cluster at most: each has a subject that ends in its digit. */
export const NATS_SERVERS_MAX = 10

/** Asks for everything that is published at the other servers of a cluster. */
export function subscribeToOthers(server: number, servers: number): string {
  const others = Array.from({ length: servers }, (_, index) => index).filter((index) => index !== server)
  return others.map((index) => `SUB ${subjectOf(index)} ${index}\r\n`).join('') + PING
}

/** So many messages published at a server, and the question whether all of them were taken. */
export function natsBatch(server: number, payload: string, count: number): string {
  return natsMessage(server, payload).repeat(count) + PING
}

/** One message published at a server. */
export function natsMessage(server: number, payload: string): string {
  return `PUB ${subjectOf(server)} ${payload.length}\r\n${payload}\r\n`
}

/** Bytes of the frame in which a subscriber gets a message with so many. */
export function natsFrameBytes(payloadBytes: number): number {
  return `MSG ${subjectOf(0)} 0 ${payloadBytes}\r\n`.length + payloadBytes + 2
}

function subjectOf(server: number): string {
  return `herd.${server}`
}

const LF = 0x0a
const [M, P, I, PLUS] = [0x4d, 0x50, 0x49, 0x2b]
const O = 0x4f

/** Counts what one connection of NATS gets, wherever the network chopped it. */
export class NatsInbox {
  /** Messages that are complete. */
  messages = 0
  /** PONGs that are complete: batches that were taken. */
  pongs = 0
  /** PINGs of the server's, each of which wants an answer. */
  pings = 0
  readonly #frameBytes: number
  /** Bytes of a message's frame that are still to come. */
  #missing = 0
  /** The beginning of another line, as text. */
  #line = ''

  /** @param frameBytes of every message, as `natsFrameBytes` says; 0 for a connection without subscriptions. */
  constructor(frameBytes: number) {
    this.#frameBytes = frameBytes
  }

  /** Reads the first `length` bytes of `chunk`. Throws what the server complains of. */
  push(chunk: Uint8Array, length: number): void {
    let at = this.#skip(0, length)
    while (at < length) {
      if (chunk[at] === M && this.#line === '') {
        this.#missing = this.#frameBytes
        at = this.#skip(at, length)
      } else at = this.#takeLine(chunk, at, length)
    }
  }

  /** Goes on within the frame of a message; returns where it ends, or the chunk does. */
  #skip(at: number, length: number): number {
    if (this.#missing === 0) return at
    const step = Math.min(this.#missing, length - at)
    this.#missing -= step
    if (this.#missing === 0) this.messages += 1
    return at + step
  }

  #takeLine(chunk: Uint8Array, at: number, length: number): number {
    const found = chunk.indexOf(LF, at)
    const end = found === -1 || found >= length ? length : found + 1
    this.#line += Buffer.from(chunk.subarray(at, end)).toString('latin1')
    if (!this.#line.endsWith('\n')) return end
    const line = this.#line
    this.#line = ''
    const first = line.charCodeAt(0)
    if (first === P && line.charCodeAt(1) === O) this.pongs += 1
    else if (first === P) this.pings += 1
    else if (first !== I && first !== PLUS) throw new Error(`NATS says ${line.trim()}`)
    return end
  }
}
