/** A client of the line protocol for live tests: sends bytes as it is told, reads lines, waits for the end. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { TestContext } from 'node:test'

const READ_MS_MAX = 20_000
const LF = 0x0a

/** How a client connects. */
export interface ClientOptions {
  readonly port: number
  readonly host?: string
  /** Where it connects from; any of 127.0.0.0/8 is an address of its own. */
  readonly from?: string
  /** It reads nothing before `read` is called. */
  readonly deaf?: boolean
}

/** The reply to a WHATSAT. */
export interface PlacesReply {
  readonly at: string
  /** The JSON text, as it came. */
  readonly text: string
  readonly body: PlacesReplyBody
}

/** What a reply's JSON holds, as far as tests look at it. */
export interface PlacesReplyBody {
  readonly status: string
  readonly error_message?: string
  readonly info_messages?: readonly string[]
  readonly results: readonly { readonly name: string }[]
}

/**
 * One connection. Lines are text in Latin-1, so that each character is one byte whatever came; `json` reads
 * UTF-8 out of it.
 */
export class LineClient {
  readonly socket: Socket
  #chunks: Buffer[] = []
  #ended = false
  readonly #closed = Promise.withResolvers<void>()
  #wake: () => void = () => undefined

  /** Connects; the connection is gone when the test is over. */
  static async connect(t: TestContext, options: ClientOptions): Promise<LineClient> {
    const { port, host = '127.0.0.1', from, deaf = false } = options
    const local = from === undefined ? {} : { localAddress: from }
    const socket = connect({ port, host, allowHalfOpen: true, noDelay: true, ...local })
    t.after(() => socket.destroy())
    await once(socket, 'connect')
    return new LineClient(socket, deaf)
  }

  /** A client on a connection that is there already. */
  static over(socket: Socket): LineClient {
    return new LineClient(socket, false)
  }

  private constructor(socket: Socket, deaf: boolean) {
    this.socket = socket
    // A reset is an end like any other to whoever reads.
    socket.on('error', () => undefined)
    socket.on('end', () => this.#end())
    socket.on('close', () => {
      this.#closed.resolve()
      this.#end()
    })
    if (deaf) socket.pause()
    else this.read()
  }

  /** Begins to read. */
  read(): void {
    this.socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk)
      this.#wake()
    })
    this.socket.resume()
  }

  /** Sends text (as UTF-8) or bytes; resolves when the system has taken them. */
  async send(data: string | Buffer): Promise<void> {
    const written = Promise.withResolvers<void>()
    this.socket.write(data, () => written.resolve())
    await Promise.race([written.promise, this.#closed.promise])
  }

  /** Sends a line and reads a line. */
  async ask(line: string): Promise<string> {
    await this.send(`${line}\n`)
    return this.line()
  }

  /** Sends a WHATSAT and reads its whole reply. */
  async whatsat(client: string, radius = 10, items = 5): Promise<PlacesReply> {
    await this.send(`WHATSAT ${client} ${radius} ${items}\n`)
    return this.places()
  }

  /** Says that nothing more will be sent. */
  halfClose(): void {
    this.socket.end()
  }

  /** The next line, without its line end. */
  async line(): Promise<string> {
    const lineEnd = await this.#wait('a line', () => {
      const at = Buffer.concat(this.#chunks).indexOf(LF)
      return at === -1 ? undefined : at
    })
    return this.#take(lineEnd + 1).slice(0, -1)
  }

  /** The next `count` lines. */
  async lines(count: number): Promise<string[]> {
    const end = await this.#wait(`${count} lines`, () => {
      const bytes = Buffer.concat(this.#chunks)
      let at = -1
      for (let found = 0; found < count; found++) {
        at = bytes.indexOf(LF, at + 1)
        if (at === -1) return undefined
      }
      return at
    })
    return this.#take(end + 1)
      .slice(0, -1)
      .split('\n')
  }

  /** The next reply of a WHATSAT: an AT line, JSON, an empty line. */
  async places(): Promise<PlacesReply> {
    const at = await this.line()
    assert.match(at, /^AT /)
    const end = await this.#wait('an empty line', () => {
      const found = Buffer.concat(this.#chunks).indexOf('\n\n')
      return found === -1 ? undefined : found
    })
    const text = Buffer.from(this.#take(end + 2).slice(0, -2), 'latin1').toString('utf8')
    return { at, text, body: JSON.parse(text) as PlacesReplyBody }
  }

  /** Everything up to the end of what the server sends. */
  async rest(): Promise<string> {
    await this.#wait('the end of the connection', () => (this.#ended ? true : undefined))
    return this.#take(Buffer.concat(this.#chunks).length)
  }

  /** How many bytes came that nobody has taken yet. */
  get waitingBytes(): number {
    return this.#chunks.reduce((bytes, chunk) => bytes + chunk.length, 0)
  }

  /** Whether the server has ended its side. */
  get isEnded(): boolean {
    return this.#ended
  }

  #end(): void {
    this.#ended = true
    this.#wake()
  }

  #take(bytes: number): string {
    const all = Buffer.concat(this.#chunks)
    this.#chunks = bytes === all.length ? [] : [all.subarray(bytes)]
    return all.toString('latin1', 0, bytes)
  }

  async #wait<T>(what: string, found: () => T | undefined): Promise<T> {
    const deadline = performance.now() + READ_MS_MAX
    for (;;) {
      const value = found()
      if (value !== undefined) return value
      const leftMs = deadline - performance.now()
      const seen = JSON.stringify(Buffer.concat(this.#chunks).toString('latin1').slice(0, 300))
      if (this.#ended) assert.fail(`${what} did not come before the connection ended; there was ${seen}`)
      if (leftMs <= 0) assert.fail(`${what} did not come within ${READ_MS_MAX} ms; there was ${seen}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
}

/** Sends lines over a connection of its own, closes our side, and returns everything that came. */
export async function converse(
  t: TestContext,
  options: ClientOptions,
  data: string | Buffer,
): Promise<string> {
  const client = await LineClient.connect(t, options)
  await client.send(data)
  client.halfClose()
  const replies = await client.rest()
  client.socket.destroy()
  return replies
}
