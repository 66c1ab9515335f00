/**
 * The encryption of links: TLS 1.3 on the one port, from the first byte. By default both ends prove with the herd's
 * secret that they belong to the herd, without certificates.
 */
import { constants, X509Certificate } from 'node:crypto'
import type { Socket } from 'node:net'
import { connect, createServer, type Server, type TLSSocket } from 'node:tls'
import type { Channel } from './greet.ts'
import { LINK_VERSION, OPERATOR } from './handshake.ts'
import { haveSecret, type LinkKey, type LinkKeys } from './link-keys.ts'

/** The texts of PEM files. */
export interface LinkCertificates {
  /** Whom to believe. */
  readonly ca: string
  /** This server's own, with what leads from it to the CA. */
  readonly certificate: string
  readonly key: string
}

/** How links are encrypted. */
export type LinkEncryption =
  /** TLS with a key that comes from the herd's secret. */
  | { readonly mode: 'psk' }
  /** TLS in which each side shows a certificate for its server's name; an operator needs none. */
  | { readonly mode: 'certificates'; readonly certificates: Partial<LinkCertificates> }
  /** Nothing is encrypted. */
  | { readonly mode: 'none' }

/** A connection that is ready for the greeting, or why there is none. */
export type Secured =
  | { readonly outcome: 'secure'; readonly channel: Channel }
  | { readonly outcome: 'refused' | 'lost'; readonly reason: string }

/** What links ask for by ALPN, so that a port that clients encrypt on as well can tell. */
export const LINK_ALPN = 'herd'

const BINDING_BYTES = 32
const BINDING_LABEL = 'EXPORTER-herd-link'
const TLS_OPTIONS = {
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  // The hash of the first is the one that a pre-shared key of TLS 1.3 has by default.
  ciphers: 'TLS_AES_128_GCM_SHA256:TLS_CHACHA20_POLY1305_SHA256',
  // Every connection proves anew.
  secureOptions: constants.SSL_OP_NO_TICKET,
} as const
/** Codes of OpenSSL when the other end speaks, but no TLS. */
const NO_TLS =
  /WRONG_VERSION_NUMBER|UNEXPECTED_MESSAGE|RECORD_LENGTH|LENGTH_TOO_LONG|BAD_RECORD_TYPE|HTTP_REQUEST/
/** Codes of OpenSSL when the other end won't have our key. */
const KEY_REFUSED = /ALERT_HANDSHAKE_FAILURE|ALERT_DECRYPT_ERROR|ALERT_UNKNOWN_PSK|ALERT_ILLEGAL_PARAMETER/

/** Told once how a TLS handshake has ended; later calls mean nothing. */
type Settle = (secured: Secured) => void

/** Encrypts the connections of one server, those that it dials and those that it accepts. */
export class LinkSecurity {
  readonly mode: LinkEncryption['mode']
  readonly #herd: string
  readonly #name: string
  readonly #keys: LinkKeys
  readonly #certificates: Partial<LinkCertificates> | undefined
  /** It never listens: connections of the one port are given to it. */
  readonly #server: Server | undefined
  /** Handshakes under way, by the address of the dialing side. */
  readonly #accepting = new Map<string, Settle>()
  /** What dialing sides have said of themselves to TLS. */
  readonly #claims = new WeakMap<TLSSocket, Claim>()

  /** @param name this server's, or `OPERATOR`. @throws what OpenSSL says of certificates that are none. */
  constructor(encryption: LinkEncryption, herd: string, name: string, keys: LinkKeys) {
    this.mode = encryption.mode
    this.#herd = herd
    this.#name = name
    this.#keys = keys
    this.#certificates = encryption.mode === 'certificates' ? encryption.certificates : undefined
    if (encryption.mode !== 'none' && name !== OPERATOR) this.#server = this.#makeServer()
  }

  /** Encrypts a connection that we dialed, in `msMax` at most; the server must prove to be `to`. Never throws. */
  dial(socket: Socket, to: string, msMax: number): Promise<Secured> {
    if (this.mode === 'none') return Promise.resolve(plain(socket))
    const [key] = this.#keys
    const who =
      this.#certificates === undefined
        ? {
            ca: [],
            pskCallback: () => ({ psk: key.psk, identity: pskIdentity(this.#herd, this.#name, key) }),
          }
        : certificateOptions(this.#certificates)
    return settled(socket, msMax, (settle) => {
      const secure = connect({
        ...TLS_OPTIONS,
        ...who,
        socket,
        ALPNProtocols: [LINK_ALPN],
        // Without certificates there is nothing to check, and one that is shown all the same is not believed.
        checkServerIdentity: (_, { raw }) => this.#serverObjection(raw, to),
      })
      secure.on('error', (error) => settle(this.#dialFailure(error, to)))
      secure.once('secureConnect', () => {
        settle({
          outcome: 'secure',
          channel: { socket: secure, binding: bindingOf(secure), objection: noObjection },
        })
      })
    })
  }

  /**
   * Encrypts a connection that was accepted and began with TLS, in `msMax` at most. Never throws.
   *
   * @param chunk what was read from it already. The socket must be paused and nobody else's any more.
   */
  accept(socket: Socket, chunk: Buffer, msMax: number): Promise<Secured> {
    const server = this.#server
    if (server === undefined)
      return Promise.resolve({ outcome: 'refused', reason: 'nothing is encrypted here' })
    const address = addressOf(socket)
    return settled(socket, msMax, (settle) => {
      this.#accepting.set(address, settle)
      // Whoever closes its side in the middle of this has gone.
      socket.allowHalfOpen = false
      socket.unshift(chunk)
      server.emit('connection', socket)
    }).finally(() => this.#accepting.delete(address))
  }

  #makeServer(): Server {
    const options =
      this.#certificates === undefined
        ? { pskCallback: (socket: TLSSocket, identity: string) => this.#pskOf(socket, identity) }
        : // Who shows none, or a wrong one, is told so in the greeting.
          { ...certificateOptions(this.#certificates), requestCert: true, rejectUnauthorized: false }
    const server = createServer({ ...TLS_OPTIONS, ...options })
    server.on('secureConnection', (secure) => {
      secure.on('error', () => {})
      const channel = {
        socket: secure,
        binding: bindingOf(secure),
        objection: (name: string) => this.#clientObjection(secure, name),
      }
      this.#accepting.get(addressOf(secure))?.({ outcome: 'secure', channel })
    })
    server.on('tlsClientError', (error, secure) => {
      secure.on('error', () => {})
      this.#accepting.get(addressOf(secure))?.(this.#acceptFailure(error, this.#claims.get(secure)))
    })
    return server
  }

  #pskOf(socket: TLSSocket, identity: string): Buffer | null {
    const claim = readPskIdentity(identity)
    if (claim === null) return null
    this.#claims.set(socket, claim)
    return this.#keyOf(claim)?.psk ?? null
  }

  #keyOf({ herd, keyId }: Claim): LinkKey | undefined {
    return herd === this.#herd ? this.#keys.find(({ id }) => id === keyId) : undefined
  }

  /** Why the server that we dialed is not the one that we meant, by a certificate that it showed. */
  #serverObjection(certificate: Buffer, to: string): Error | undefined {
    if (this.#certificates === undefined) {
      return new Error(`${to} showed a certificate, and not that it holds the herd's secret`)
    }
    // An operator that doesn't know the name yet asks whomever the herd's CA has signed for.
    if (to === OPERATOR && this.#name === OPERATOR) return undefined
    if (new X509Certificate(certificate).checkHost(to, NAME_CHECK) !== undefined) return undefined
    return new Error(`its certificate is not for the name ${to}`)
  }

  /** Why the side that dialed us is not the one that its greeting says. */
  #clientObjection(secure: TLSSocket, name: string): string | null {
    if (this.#certificates === undefined) {
      const claimed = this.#claims.get(secure)?.from
      return claimed === name ? null : 'the greeting and TLS name different servers'
    }
    if (name === OPERATOR) {
      return haveSecret(this.#keys)
        ? null
        : 'this server has no secret (HERD_SECRET, secretFile) to ask it by'
    }
    const certificate = secure.getPeerX509Certificate()
    if (certificate === undefined) return 'links to this server take a certificate'
    if (!secure.authorized) return `that certificate is not accepted: ${String(secure.authorizationError)}`
    return certificate.checkHost(name, NAME_CHECK) === undefined
      ? `that certificate is not for the name ${name}`
      : null
  }

  #dialFailure(error: Error, to: string): Secured & { readonly outcome: 'refused' | 'lost' } {
    const code = codeOf(error)
    if (NO_TLS.test(code)) return { outcome: 'refused', reason: `${to} does not speak TLS (link.encryption)` }
    if (this.#certificates === undefined && KEY_REFUSED.test(code)) {
      const reason = `${to} does not hold our secret of herd ${this.#herd} (key ${this.#keys[0].id})`
      return { outcome: 'refused', reason }
    }
    return { outcome: code.startsWith('ECONN') ? 'lost' : 'refused', reason: reasonOf(error) }
  }

  #acceptFailure(error: Error, claim: Claim | undefined): Secured & { readonly outcome: 'refused' | 'lost' } {
    if (claim === undefined) return { outcome: 'lost', reason: reasonOf(error) }
    if (claim.herd !== this.#herd) return { outcome: 'refused', reason: `this is herd ${this.#herd}` }
    const which = this.#keyOf(claim) === undefined ? `key ${claim.keyId}` : 'it only knows its name'
    return {
      outcome: 'refused',
      reason: `${claim.from} does not hold the secret of herd ${this.#herd} (${which})`,
    }
  }
}

/** What a dialing side says of itself to TLS, before it has proved anything. */
interface Claim {
  readonly herd: string
  readonly from: string
  readonly keyId: string
}

/** Names of servers are compared as TLS compares those of hosts: capitals don't count, and stars mean nothing. */
const NAME_CHECK = { subject: 'default', wildcards: false } as const

/** A PSK identity: which herd, who dials, and which secret; no secret itself. */
function pskIdentity(herd: string, from: string, key: LinkKey): string {
  return `HERD ${LINK_VERSION} ${herd} ${from} ${key.id}`
}

function readPskIdentity(identity: string): Claim | null {
  const [word, version, herd, from, keyId, more] = identity.split(' ')
  if (word !== 'HERD' || version !== String(LINK_VERSION) || more !== undefined) return null
  return herd === undefined || from === undefined || keyId === undefined ? null : { herd, from, keyId }
}

function certificateOptions({ ca, certificate, key }: Partial<LinkCertificates>) {
  return { ca: ca ?? [], cert: certificate, key }
}

function plain(socket: Socket): Secured {
  return { outcome: 'secure', channel: plainChannel(socket) }
}

/** A connection as it is, without TLS. */
export function plainChannel(socket: Socket): Channel {
  return { socket, binding: Buffer.alloc(0), objection: noObjection }
}

function noObjection(): null {
  return null
}

/** Begins a TLS handshake and waits for its end: success, an error, the connection's end, or no time left. */
async function settled(socket: Socket, msMax: number, begin: (settle: Settle) => void): Promise<Secured> {
  const { promise, resolve } = Promise.withResolvers<Secured>()
  const late = (): void => resolve({ outcome: 'lost', reason: `no TLS handshake within ${msMax} ms` })
  const timer = setTimeout(late, msMax).unref()
  const closed = (): void => resolve({ outcome: 'lost', reason: 'it closed in the TLS handshake' })
  socket.once('close', closed)
  begin(resolve)
  const secured = await promise
  clearTimeout(timer)
  socket.off('close', closed)
  if (secured.outcome !== 'secure') socket.destroy()
  return secured
}

function bindingOf(secure: TLSSocket): Buffer {
  return secure.exportKeyingMaterial(BINDING_BYTES, BINDING_LABEL, Buffer.alloc(0))
}

/** Both ends of a connection: no two that live have the same. */
function addressOf({ localAddress, localPort, remoteAddress, remotePort }: Socket): string {
  return `${localAddress} ${localPort} ${remoteAddress} ${remotePort}`
}

function codeOf(error: Error): string {
  return 'code' in error ? String(error.code) : ''
}

/** OpenSSL's own words come with file names and numbers: its code says as much. */
function reasonOf(error: Error): string {
  const code = codeOf(error)
  return code.startsWith('ERR_SSL_') ? `TLS: ${code.slice('ERR_SSL_'.length)}` : error.message
}
