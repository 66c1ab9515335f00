/** A server of the old kind: it listens, takes every line for a command, and knows no links and no greetings. */
import { once } from 'node:events'
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { LineFramer } from '../../src/protocol/index.ts'

const LINE_BYTES_MAX = 1024 * 1024

/** Has an address of its own, so that its lines can be told from those of clients. */
export const CLASSIC_HOST = '127.0.0.2'

/** The naive server. */
export class ClassicServer {
  /** Every line that came in, on any connection. */
  readonly received: string[] = []
  readonly port: number
  readonly #isRude: boolean
  readonly #sockets = new Set<Socket>()
  #server: Server | undefined

  /** Starts one that ends with the test. A rude one answers whatever it hears with a question mark and a copy. */
  static async start(t: TestContext, options: { readonly isRude?: boolean } = {}): Promise<ClassicServer> {
    const { isRude = false } = options
    const placeholder = createServer()
    placeholder.listen(0, CLASSIC_HOST)
    await once(placeholder, 'listening')
    const { port } = placeholder.address() as AddressInfo
    placeholder.close()
    const classic = new ClassicServer(port, isRude)
    await classic.listen()
    t.after(() => classic.stop())
    return classic
  }

  private constructor(port: number, isRude: boolean) {
    this.port = port
    this.#isRude = isRude
  }

  /** Listens, at first or again. */
  async listen(): Promise<void> {
    const server = createServer((socket) => this.#hear(socket))
    this.#server = server
    server.listen(this.port, CLASSIC_HOST)
    await once(server, 'listening')
  }

  /** Sends a line over the connections that others have opened. */
  say(line: string): void {
    for (const socket of this.#sockets) socket.write(`${line}\n`)
  }

  /** Goes down. */
  stop(): void {
    this.#server?.close()
    for (const socket of this.#sockets) socket.destroy()
  }

  #hear(socket: Socket): void {
    const framer = new LineFramer(LINE_BYTES_MAX)
    this.#sockets.add(socket)
    socket.on('close', () => this.#sockets.delete(socket))
    socket.on('error', () => undefined)
    socket.on('data', (chunk: Buffer) => {
      framer.push(chunk)
      while (framer.next() === 'line') {
        const line = framer.buffer.toString('latin1', framer.start, framer.end)
        this.received.push(line)
        if (this.#isRude) socket.write(`? ${line}\n`)
      }
    })
  }
}
