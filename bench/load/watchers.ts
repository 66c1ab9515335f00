import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'

/** How somebody watches: `/v1/stream` (server-sent events) or `/v1/socket` (a WebSocket). */
export type WatchKind = 'sse' | 'socket'

/** What a watched client's ID begins with, and nothing else that watchers are told has. */
const MARK = '^'.charCodeAt(0)
const DIGITS = 8
const ZERO = 0x30

/** The ID of the client that reports the fix with this number. */
export function watchedClient(number: number): string {
  return `^${String(number).padStart(DIGITS, '0')}`
}

/** Finds the numbers of fixes in what one watcher gets, whatever stands between them and wherever it was cut. */
export class FixNumbers {
  readonly #onFix: (number: number) => void
  #rest: Buffer | null = null

  constructor(onFix: (number: number) => void) {
    this.#onFix = onFix
  }

  push(chunk: Buffer): void {
    const bytes = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk])
    this.#rest = null
    for (let at = bytes.indexOf(MARK); at !== -1; at = bytes.indexOf(MARK, at + 1)) {
      if (at + DIGITS >= bytes.length) {
        this.#rest = Buffer.from(bytes.subarray(at))
        return
      }
      let number = 0
      for (let digit = at + 1; digit <= at + DIGITS; digit += 1) {
        number = number * 10 + (bytes[digit] ?? ZERO) - ZERO
      }
      this.#onFix(number)
    }
  }
}

/** What all watchers of one load have in common. */
export interface WatchPlan {
  readonly host: string
  readonly port: number
  readonly kind: WatchKind
  /** Shared: a read is handled to its end before the next one begins. */
  readonly readBuffer: Buffer
  /** Somebody was told of a fix. */
  readonly onFix: (number: number) => void
  readonly fail: (error: unknown) => void
}

const STATUS: Readonly<Record<WatchKind, string>> = { sse: 'HTTP/1.1 200 ', socket: 'HTTP/1.1 101 ' }

/** A pong that nobody asked for (RFC 6455 §5.5.3), masked with zeros. */
const PONG = Buffer.from([0x8a, 0x80, 0, 0, 0, 0])

/** One who watches all clients from now on. */
export class Watcher {
  /** The server has let it in. */
  readonly ready: Promise<void>
  readonly #plan: WatchPlan
  readonly #socket: Socket
  readonly #numbers: FixNumbers
  readonly #setReady: () => void
  #isReady = false

  constructor(plan: WatchPlan) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ready = promise
    this.#setReady = resolve
    this.#plan = plan
    this.#numbers = new FixNumbers(plan.onFix)
    this.#socket = connect({
      host: plan.host,
      port: plan.port,
      noDelay: true,
      onread: { buffer: plan.readBuffer, callback: (length, chunk) => this.#receive(length, chunk) },
    })
    this.#socket.once('connect', () => this.#socket.write(requestOf(plan)))
    this.#socket.once('error', plan.fail)
    this.#socket.once('close', this.#lost)
  }

  /** Shows that it lives, as the answer to a ping would: to be called every few seconds. */
  beat(): void {
    if (this.#isReady && this.#plan.kind === 'socket') this.#socket.write(PONG)
  }

  close(): void {
    this.#socket.off('close', this.#lost)
    this.#socket.destroy()
  }

  #receive(length: number, chunk: Uint8Array): boolean {
    try {
      const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, length)
      if (this.#isReady) this.#numbers.push(bytes)
      else this.#begin(bytes.toString('latin1'))
      return true
    } catch (error) {
      this.#plan.fail(error)
      return false
    }
  }

  #begin(head: string): void {
    const { kind } = this.#plan
    if (!head.startsWith(STATUS[kind])) throw new Error(`nobody may watch: ${head}`)
    if (kind === 'socket') this.#socket.write(maskedText('{"op":"watch","id":"w","from":"now"}'))
    this.#isReady = true
    this.#setReady()
  }

  readonly #lost = (): void => this.#plan.fail(new Error('the server closed a watcher'))
}

function requestOf({ kind }: WatchPlan): string {
  const head =
    kind === 'sse'
      ? ['GET /v1/stream?from=now HTTP/1.1', 'accept: text/event-stream']
      : [
          'GET /v1/socket HTTP/1.1',
          'connection: Upgrade',
          'upgrade: websocket',
          'sec-websocket-version: 13',
          `sec-websocket-key: ${randomBytes(16).toString('base64')}`,
        ]
  return `${[...head, 'host: 127.0.0.1'].join('\r\n')}\r\n\r\n`
}

/** A short message as a client frames it (RFC 6455 §5.2). */
export function maskedText(text: string): Buffer {
  const mask = randomBytes(4)
  const payload = Buffer.from(text)
  if (payload.length > 125) throw new Error('longer messages have a longer head')
  for (let at = 0; at < payload.length; at += 1) payload[at] = (payload[at] ?? 0) ^ (mask[at % 4] ?? 0)
  return Buffer.concat([Buffer.from([0x81, 0x80 | payload.length]), mask, payload])
}
