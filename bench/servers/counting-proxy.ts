import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { LOOPBACK } from '../support/ports.ts'

/** A wire between two servers that counts the bytes of both directions, and can be cut. */
export class CountingProxy {
  /** Where connections lead. */
  targetPort = 0
  /** Of all connections so far, both directions. */
  bytes = 0
  /** When the first byte passed since the start or the last `heal`, by `performance.now`; 0 before. */
  firstByteMs = 0
  readonly #server: Server
  readonly #sockets = new Set<Socket>()
  #isCut = false

  static async start(): Promise<CountingProxy> {
    const server = createServer({ pauseOnConnect: true }).listen(0, LOOPBACK)
    await once(server, 'listening')
    return new CountingProxy(server)
  }

  private constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket) => this.#join(socket))
  }

  get port(): number {
    const address = this.#server.address() as AddressInfo
    return address.port
  }

  /** Ends every connection, and each that comes. */
  cut(): void {
    this.#isCut = true
    for (const socket of this.#sockets) socket.destroy()
  }

  /** Lets connections through again. */
  heal(): void {
    this.#isCut = false
    this.firstByteMs = 0
  }

  close(): void {
    this.cut()
    this.#server.close()
  }

  #join(near: Socket): void {
    near.on('error', () => {})
    if (this.#isCut) {
      near.destroy()
      return
    }
    const far = connect({ port: this.targetPort, host: LOOPBACK, noDelay: true })
    near.setNoDelay(true)
    this.#pass(near, far)
    this.#pass(far, near)
    near.resume()
  }

  #pass(from: Socket, to: Socket): void {
    this.#sockets.add(from)
    from.on('data', (chunk: Buffer) => {
      this.bytes += chunk.length
      if (this.firstByteMs === 0) this.firstByteMs = performance.now()
    })
    from.pipe(to)
    from.on('error', () => {})
    from.on('close', () => {
      this.#sockets.delete(from)
      to.destroy()
    })
  }
}
