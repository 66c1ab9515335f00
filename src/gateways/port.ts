import { createServer, type Server, type Socket } from 'node:net'
import { AddressBook, type AddressLimits } from './address-book.ts'
import type { ConnectionContext } from './line/connection-context.ts'
import { LineCommands } from './line/line-commands.ts'
import { LineConnection } from './line/line-connection.ts'
import { Whosat, type WhosatContext } from './line/whosat.ts'

/** Replies that a socket takes before it asks to wait. */
const SOCKET_BYTES = 65_536
/** Stopping takes no longer, whatever clients do: supervisors kill after some 5 s. */
const STOP_MS_MAX = 3000

/** Bounds of the gateway and of each of its connections. */
export type GatewayLimits = ConnectionContext['limits'] & WhosatContext['limits'] & AddressLimits

/** What the gateway needs besides what it makes itself. */
export interface GatewayOptions
  extends Omit<ConnectionContext, 'commands' | 'whosat' | 'addresses' | 'limits'> {
  readonly limits: GatewayLimits
  readonly nextConnection: () => number
}

/** The port: accepts connections, as many as it may, and gives each its lines. */
export class Port {
  readonly #options: GatewayOptions
  readonly #context: ConnectionContext
  readonly #server: Server
  readonly #addresses: AddressBook
  /** Clients' connections; links are not among them. */
  readonly #connections = new Map<Socket, LineConnection>()
  #onClosed: () => void = () => {}

  constructor(options: GatewayOptions) {
    this.#options = options
    this.#addresses = new AddressBook(options.limits)
    this.#context = {
      ...options,
      commands: new LineCommands(options),
      whosat: new Whosat({ ...options, table: options.replica.table }),
      addresses: this.#addresses,
    }
    this.#server = createServer(
      // A socket must say when it has drained below the bytes at which its connection pauses.
      {
        allowHalfOpen: true,
        noDelay: true,
        highWaterMark: Math.min(SOCKET_BYTES, options.limits.replyBytesMax),
      },
      (socket) => this.#accept(socket),
    )
  }

  /** Connections open now, links included. */
  get connections(): number {
    return this.#addresses.connections
  }

  /**
   * Begins to listen. @returns the port, which the system chooses when `port` is 0.
   *
   * @throws the error of the system, `EADDRINUSE` among others.
   */
  listen(host: string, port: number): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject)
      this.#server.listen({ host, port, backlog: 4096 }, () => {
        this.#server.off('error', reject)
        // Too few file descriptors, for instance: the connection is lost, the server goes on.
        this.#server.on('error', (error) => {
          this.#options.log.event('error', 'can’t accept', { error: error.message })
        })
        const address = this.#server.address()
        resolve(typeof address === 'object' && address !== null ? address.port : port)
      })
    })
  }

  /** Stops listening, and closes every client's connection once its replies are out. Links are not touched. */
  async stop(): Promise<void> {
    this.#server.close()
    const closed = new Promise<void>((resolve) => {
      this.#onClosed = resolve
    })
    for (const connection of this.#connections.values()) connection.stop()
    const lingerMs = Math.min(this.#options.limits.lingerMsMax, STOP_MS_MAX)
    const cancel = this.#options.system.after(lingerMs, () => {
      for (const socket of this.#connections.keys()) socket.destroy()
    })
    if (this.#connections.size > 0) await closed
    cancel()
  }

  #accept(socket: Socket): void {
    const { counters, log, system, limits, nextConnection } = this.#options
    const address = socket.remoteAddress ?? ''
    const refusedBy = this.#addresses.enter(address, system.nowMs())
    if (refusedBy !== null) {
      if (counters.connectionsRefused++ === 0)
        log.event('warning', 'too many connections', { limit: refusedBy })
      socket.on('error', () => {})
      socket.end(`? too many connections: ${refusedBy}\n`)
      socket.resume()
      system.after(Math.min(limits.lingerMsMax, STOP_MS_MAX), () => socket.destroy())
      return
    }
    const id = nextConnection()
    counters.connectionsOpened++
    log.event('info', 'connection open', { connection: id, address, port: socket.remotePort ?? 0 })
    const forget = (): void => {
      this.#connections.delete(socket)
      if (this.#connections.size === 0) this.#onClosed()
    }
    this.#connections.set(socket, new LineConnection(this.#context, socket, id, forget))
    socket.once('close', () => {
      forget()
      this.#addresses.leave(address, system.nowMs())
      log.event('info', 'connection closed', {
        connection: id,
        bytesIn: socket.bytesRead,
        bytesOut: socket.bytesWritten,
      })
    })
  }
}
