/** TLS on the one port: links between servers, and clients that encrypt, told apart by what they say first. */
import type { Socket } from 'node:net'
import { createServer, type Server } from 'node:tls'
import type { Counters } from '../counters.ts'
import type { Log } from '../logs/server-log.ts'
import { LINK_ALPN } from '../replication/link-security.ts'
import type { System } from '../system.ts'
import { helloKind } from './client-hello.ts'
import type { TakeConnection } from './line/connection-context.ts'

/** What clients that encrypt are shown, as the texts of PEM files. */
export interface ClientCertificate {
  readonly certificate: string
  readonly key: string
}

/** What the door needs. */
export interface ClientTlsContext {
  readonly certificate: ClientCertificate
  readonly counters: Counters
  readonly log: Log
  readonly system: System
  readonly limits: {
    /** The handshake must be over within this time. */
    readonly firstLineMsMax: number
  }
  /** Takes a connection of another server. */
  readonly takeLink: TakeConnection
  /** Takes what a client says inside, as if it had come without TLS. */
  readonly serve: (socket: Socket, connection: number) => void
}

/** No greeting of TLS is longer. */
const HELLO_BYTES_MAX = 16_384 + 5

/** Takes every connection that begins with TLS. */
export class ClientTls {
  readonly #context: ClientTlsContext
  readonly #server: Server
  /** Those whose handshake is under way. */
  readonly #waiting = new Map<Socket, { readonly connection: number; readonly cancel: () => void }>()

  /** @throws what OpenSSL says of a certificate that is none. */
  constructor(context: ClientTlsContext) {
    this.#context = context
    const { certificate, key } = context.certificate
    this.#server = createServer({ cert: certificate, key, ALPNProtocols: ['http/1.1', 'mqtt'] })
    this.#server.on('tlsClientError', (error) => {
      context.counters.tlsFailed++
      context.log.event('info', 'client TLS failed', { error: error.message })
    })
  }

  /** Takes over a connection. @param bytes what was read of it: the first is that of TLS. */
  take(socket: Socket, connection: number, bytes: Buffer): void {
    const { system, limits } = this.#context
    const cancel = system.after(limits.firstLineMsMax, () => {
      this.#context.counters.firstLinesLate++
      socket.destroy()
    })
    this.#waiting.set(socket, { connection, cancel })
    socket.on('error', () => {})
    socket.once('close', () => this.#forget(socket))
    this.#hear(socket, connection, bytes)
  }

  /** Ends handshakes under way. */
  stop(): void {
    for (const socket of this.#waiting.keys()) socket.destroy()
  }

  /** Waits for the whole greeting, and goes by that. */
  #hear(socket: Socket, connection: number, bytes: Buffer): void {
    const kind = bytes.length > HELLO_BYTES_MAX ? 'client' : helloKind(bytes, LINK_ALPN)
    switch (kind) {
      case 'need-more':
        socket.once('data', (more) => {
          socket.pause()
          this.#hear(socket, connection, Buffer.concat([bytes, Buffer.from(more)]))
        })
        socket.resume()
        return
      case 'link':
        this.#forget(socket)
        this.#context.takeLink(socket, connection, bytes)
        return
      case 'client':
        this.#encrypt(socket, connection, bytes)
    }
  }

  #encrypt(socket: Socket, connection: number, bytes: Buffer): void {
    socket.allowHalfOpen = false
    socket.unshift(bytes)
    const ends = addressOf(socket)
    const onSecure = (secure: Socket): void => {
      if (addressOf(secure) !== ends) return
      this.#server.off('secureConnection', onSecure)
      this.#forget(socket)
      secure.on('error', () => {})
      this.#context.serve(secure, connection)
    }
    this.#server.on('secureConnection', onSecure)
    socket.once('close', () => this.#server.off('secureConnection', onSecure))
    this.#server.emit('connection', socket)
  }

  #forget(socket: Socket): void {
    this.#waiting.get(socket)?.cancel()
    this.#waiting.delete(socket)
  }
}

/** Both ends of a connection: no two that live have the same. */
function addressOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${localPort} ${remoteAddress} ${remotePort}`
}
