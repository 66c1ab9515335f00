import { createServer, type Server, type Socket } from 'node:net'
import type { AddressLimits } from './address-book.ts'
import type { ConnectionContext } from './line/connection-context.ts'
import { LineCommands } from './line/line-commands.ts'
import { LineConnection } from './line/line-connection.ts'
import { Whosat, type WhosatContext } from './line/whosat.ts'

/** Replies that a socket takes before it asks to wait. */
const SOCKET_BYTES = 65_536
/** Stopping takes no longer, whatever clients do: supervisors kill after some 5 s. */
const STOP_MS_MAX = 3000

/** Bounds of the port and of each of its connections. */
export type GatewayLimits = ConnectionContext['limits'] & WhosatContext['limits'] & AddressLimits

/** What the port needs besides what it makes itself. */
export interface GatewayOptions
  extends Omit<ConnectionContext, 'commands' | 'whosat' | 'limits'>,
    Pick<WhosatContext, 'searchTurns'> {
  readonly limits: GatewayLimits
  readonly nextConnection: () => number
}

/**
 * The one port: accepts connections, as many as it may. Each is one of line commands until its first bytes say otherwise: then it is
 * given to the gateway that they are for (`takers`), or to the links.
 */
export class Port {
  readonly #options: GatewayOptions
  readonly #context: ConnectionContext
  readonly #servers: Server[] = []
  /** Connections of line commands; what was given away is not among them. */
  readonly #connections = new Map<Socket, LineConnection>()
  #onClosed: () => void = () => {}

  constructor(options: GatewayOptions) {
    this.#options = options
    this.#context = {
      ...options,
      commands: new LineCommands(options),
      whosat: new Whosat({ ...options, table: options.replica.table }),
    }
  }

  /** Connections open now, links included. */
  get connections(): number {
    return this.#options.addresses.connections
  }

  /**
   * Begins to listen, on one more address each time that it is called. @returns the port, which the system chooses when `port` is 0.
   *
   * @throws the error of the system, `EADDRINUSE` among others.
   */
  listen(host: string, port: number): Promise<number> {
    const server = createServer(
      // A socket must say when it has drained below the bytes at which its connection pauses.
      {
        allowHalfOpen: true,
        noDelay: true,
        highWaterMark: Math.min(SOCKET_BYTES, this.#options.limits.replyBytesMax),
      },
      (socket) => this.#accept(socket),
    )
    this.#servers.push(server)
    return new Promise((resolve, reject) => {
      server.once('error', reject)
      server.listen({ host, port, backlog: 4096 }, () => {
        server.off('error', reject)
        // Too few file descriptors, for instance: the connection is lost, the server goes on.
        server.on('error', (error) => {
          this.#options.log.event('error', 'can’t accept', { error: error.message })
        })
        const address = server.address()
        resolve(typeof address === 'object' && address !== null ? address.port : port)
      })
    })
  }

  /**
   * Stops listening, and closes every connection of line commands once its replies are out. Links are not touched, nor what was given
   * to other gateways.
   */
  async stop(): Promise<void> {
    for (const server of this.#servers) server.close()
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
    const refusedBy = this.#options.addresses.enter(address, system.nowMs())
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
    socket.once('close', () => {
      this.#options.addresses.leave(address, system.nowMs())
      log.event('info', 'connection closed', {
        connection: id,
        bytesIn: socket.bytesRead,
        bytesOut: socket.bytesWritten,
      })
    })
    this.serve(socket, id)
  }

  /** Serves a connection that was accepted, from its first byte on: also what comes out of one that is encrypted. */
  serve(socket: Socket, connection: number): void {
    const forget = (): void => {
      this.#connections.delete(socket)
      if (this.#connections.size === 0) this.#onClosed()
    }
    this.#connections.set(socket, new LineConnection(this.#context, socket, connection, forget))
    socket.once('close', forget)
  }
}
