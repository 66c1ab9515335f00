/** TLS on the one port: links between servers, and clients that encrypt, told apart by what they say first. */
import type { Socket } from 'node:net'
import { createServer, type Server, TLSSocket } from 'node:tls'
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
  readonly system: Pick<System, 'after'>
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
/** What may be spoken inside, by ALPN; who asks for nothing by its name may speak anything. */
const PROTOCOLS = ['http/1.1', 'mqtt']

/** One whose handshake is under way. */
interface Waiting {
  readonly connection: number
  readonly cancel: () => void
}

/** Takes every connection that begins with TLS. */
export class ClientTls {
  readonly #context: ClientTlsContext
  readonly #server: Server
  readonly #waiting = new Map<Socket, Waiting>()
  /** Those that encrypt, by both ends: no two that live have the same. */
  readonly #encrypting = new Map<string, Socket>()

  /** @throws what OpenSSL says of a certificate that is none. */
  constructor(context: ClientTlsContext) {
    this.#context = context
    const { certificate, key } = context.certificate
    this.#server = createServer({
      ...{ cert: certificate, key, minVersion: 'TLSv1.2', ALPNProtocols: PROTOCOLS },
    })
    this.#server.on('secureConnection', (secure) => this.#onSecure(secure))
    this.#server.on('tlsClientError', (error, secure) => {
      // Its end destroys the connection below it, and what that says is said once.
      secure.on('error', () => {})
      context.counters.tlsFailed++
      context.log.event('info', 'client TLS failed', { error: error.message })
    })
  }

  /** Takes over a connection. @param bytes what was read of it: the first is that of TLS. */
  take(socket: Socket, connection: number, bytes: Buffer): void {
    const { system, limits, counters } = this.#context
    socket.on('error', () => {})
    // Once is enough.
    if (socket instanceof TLSSocket) {
      counters.tlsFailed++
      socket.destroy()
      return
    }
    const cancel = system.after(limits.firstLineMsMax, () => {
      counters.firstLinesLate++
      socket.destroy()
    })
    this.#waiting.set(socket, { connection, cancel })
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
    if (kind === 'need-more') this.#wait(socket, connection, bytes)
    else if (kind === 'client') this.#encrypt(socket, bytes)
    else {
      this.#forget(socket)
      this.#context.takeLink(socket, connection, bytes)
    }
  }

  #wait(socket: Socket, connection: number, bytes: Buffer): void {
    const onData = (more: Buffer): void => {
      socket.off('end', onEnd)
      socket.pause()
      this.#hear(socket, connection, Buffer.concat([bytes, more]))
    }
    const onEnd = (): void => {
      this.#context.counters.tlsFailed++
      socket.destroy()
    }
    socket.once('data', onData)
    socket.once('end', onEnd)
    socket.resume()
  }

  #encrypt(socket: Socket, bytes: Buffer): void {
    const ends = endsOf(socket)
    if (socket.destroyed || this.#encrypting.has(ends)) {
      socket.destroy()
      return
    }
    this.#encrypting.set(ends, socket)
    socket.once('close', () => {
      if (this.#encrypting.get(ends) === socket) this.#encrypting.delete(ends)
    })
    socket.unshift(bytes)
    this.#server.emit('connection', socket)
  }

  #onSecure(secure: TLSSocket): void {
    const ends = endsOf(secure)
    const socket = this.#encrypting.get(ends)
    const waiting = socket === undefined ? undefined : this.#waiting.get(socket)
    if (socket === undefined || waiting === undefined) {
      secure.destroy()
      return
    }
    this.#encrypting.delete(ends)
    this.#forget(socket)
    this.#context.serve(secure, waiting.connection)
  }

  #forget(socket: Socket): void {
    this.#waiting.get(socket)?.cancel()
    this.#waiting.delete(socket)
  }
}

/** Both ends of a connection. */
function endsOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${localPort} ${remoteAddress} ${remotePort}`
}
