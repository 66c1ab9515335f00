import type { IncomingMessage } from 'node:http'
import { isIP } from 'node:net'
import { TLSSocket } from 'node:tls'
import type { FastifyInstance } from 'fastify'
import { type Gatekeeper, isRefused } from '../access/grant.ts'
import { sendProblem } from './problem.ts'

/** What of a request says where it comes from. */
export type GuardedRequest = Pick<IncomingMessage, 'headers' | 'method' | 'url' | 'socket' | 'httpVersion'>

/** Why a request is refused. */
export interface GuardRefusal {
  readonly status: number
  readonly code: string
  readonly title: string
  readonly detail: string
}

/** What the guard needs. */
export interface OriginGuardContext {
  readonly gatekeeper: Gatekeeper
  /** Origins besides the server's own whose pages may ask; `*`: all. */
  readonly allowedOrigins: readonly string[]
  /** Names by which the server may be called, besides addresses and `localhost`; `*`: all. */
  readonly allowedHosts: readonly string[]
}

const READS: ReadonlySet<string | undefined> = new Set(['GET', 'HEAD'])
const ANY = '*'
const PREFLIGHT_SECONDS = 600
const HOST = /^(\[[^\]]*\]|[^:]*)(?::\d+)?$/

/**
 * Keeps pages of other origins from reporting and reading through their visitors' browsers. A browser says which page asks (`Origin`,
 * `Sec-Fetch-Site`); whoever is no browser says nothing and is not concerned. A page whose name was made to point at this server (DNS
 * rebinding) is of the same origin to the browser: it is told by the name in `Host`, which is none of ours.
 */
export class OriginGuard {
  readonly #gatekeeper: Gatekeeper
  readonly #origins: ReadonlySet<string>
  readonly #hosts: ReadonlySet<string>

  constructor({ gatekeeper, allowedOrigins, allowedHosts }: OriginGuardContext) {
    this.#gatekeeper = gatekeeper
    this.#origins = new Set(allowedOrigins.map((origin) => origin.toLowerCase()))
    const ownHosts = allowedOrigins.map((origin) => nameOf(hostOf(origin.toLowerCase()) ?? ''))
    this.#hosts = new Set(['localhost', ...allowedHosts, ...ownHosts].map((host) => host.toLowerCase()))
  }

  /** Whether a request comes from no page of another origin, or from one that is allowed. */
  admits({ headers }: Pick<GuardedRequest, 'headers'>): boolean {
    const { origin, host } = headers
    if (origin === undefined) {
      const site = headers['sec-fetch-site']
      return site === undefined || site === 'same-origin' || site === 'none'
    }
    if (this.#origins.has(ANY) || this.#origins.has(origin.toLowerCase())) return true
    return hostOf(origin.toLowerCase()) === host?.toLowerCase()
  }

  /** Why a request is refused; `null`: it isn't. */
  refusal(request: GuardedRequest): GuardRefusal | null {
    if (request.headers.host === undefined && request.httpVersion === '1.1') {
      const detail = 'a request of HTTP/1.1 says in Host whom it asks (RFC 9112)'
      return { status: 400, code: 'host', title: 'Bad Request', detail }
    }
    if (!this.#isCalledRightly(request)) {
      const name = JSON.stringify(request.headers.host ?? '')
      return {
        ...{ status: 421, code: 'host', title: 'Misdirected Request' },
        detail: `this server doesn't go by the name ${name}: call it by its address or by localhost, or add the name to http.allowedHosts`,
      }
    }
    if (this.admits(request) || isNavigation(request)) return null
    const page = request.headers.origin ?? 'other origins'
    return {
      ...{ status: 403, code: 'origin', title: 'Forbidden' },
      detail: `pages of ${page} may neither ask nor report here; http.allowedOrigins names those that may`,
    }
  }

  /** Refuses what it refuses on every route, says to browsers who may read, and answers what they ask before (preflights). */
  addTo(app: FastifyInstance): void {
    // No promise: this stands before every request.
    app.addHook('onRequest', (request, reply, done) => {
      const { headers, method } = request
      const refused = this.refusal(request.raw)
      if (refused !== null) {
        const { status, code, title, detail } = refused
        void sendProblem(reply, status, code, title, detail)
        return
      }
      if (headers.origin === undefined) {
        done()
        return
      }
      void reply
        .header('access-control-allow-origin', headers.origin)
        .header('access-control-expose-headers', 'etag, retry-after')
        .header('vary', 'origin')
      if (method !== 'OPTIONS' || headers['access-control-request-method'] === undefined) {
        done()
        return
      }
      void reply
        .header('access-control-allow-methods', 'GET, HEAD, POST')
        .header('access-control-allow-headers', 'authorization, content-type, if-none-match, last-event-id')
        .header('access-control-max-age', PREFLIGHT_SECONDS)
      if (headers['access-control-request-private-network'] === 'true') {
        void reply.header('access-control-allow-private-network', 'true')
      }
      void reply.code(204).send()
    })
  }

  /**
   * Whether a request calls the server by a name of its own. What shows a token need not: a page that doesn't know it gains nothing,
   * nor one that is not admitted without. Nor need what came encrypted: its browser has compared the name with our certificate.
   */
  #isCalledRightly({ headers, socket }: GuardedRequest): boolean {
    const { host, authorization } = headers
    if (host === undefined || authorization !== undefined || this.#hosts.has(ANY)) return true
    if (socket instanceof TLSSocket) return true
    const name = nameOf(host.toLowerCase())
    if (this.#hosts.has(name) || isIP(name) !== 0) return true
    return isRefused(this.#gatekeeper.admit(null, socket.remoteAddress ?? ''))
  }
}

/** A link that somebody follows from another page: it shows what there is, and asks for nothing. */
function isNavigation({ method, headers, url }: GuardedRequest): boolean {
  const isAPage = headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document'
  return isAPage && headers.origin === undefined && READS.has(method) && url?.includes('?') === false
}

/** The host and port of an origin, as a browser would put them into `Host`. */
function hostOf(origin: string): string | null {
  return /^https?:\/\/([^/]+)$/.exec(origin)?.[1] ?? null
}

/** The name or address in `Host`, without port and brackets. */
function nameOf(host: string): string {
  const name = HOST.exec(host)?.[1] ?? host
  return name.startsWith('[') ? name.slice(1, -1) : name.replace(/\.$/, '')
}
