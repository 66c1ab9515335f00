import type { FastifyInstance, FastifyRequest } from 'fastify'
import { sendProblem } from './problem.ts'

/** Methods that change nothing. */
const SAFE = new Set(['GET', 'HEAD', 'OPTIONS'])

/**
 * Keeps pages of other origins from reporting through their visitors' browsers, and from reading unless they are allowed to. A browser
 * says which page asks (`Origin`, `Sec-Fetch-Site`); whoever is no browser says nothing and is not concerned.
 */
export class OriginGuard {
  readonly #allowed: ReadonlySet<string>

  /** @param allowed origins besides the server's own; `*`: all. */
  constructor(allowed: readonly string[]) {
    this.#allowed = new Set(allowed.map((origin) => origin.toLowerCase()))
  }

  /** Whether a request comes from no page of another origin, or from one that is allowed. */
  admits({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
    const { origin, host } = headers
    const site = headers['sec-fetch-site']
    if (origin === undefined) return site === undefined || site === 'same-origin' || site === 'none'
    if (this.#allowed.has('*') || this.#allowed.has(origin.toLowerCase())) return true
    return hostOf(origin) === host?.toLowerCase()
  }

  /** Refuses what it doesn't admit on every route that changes something, and says to browsers who may read. */
  addTo(app: FastifyInstance): void {
    // No promise: this stands before every request.
    app.addHook('onRequest', (request, reply, done) => {
      const { method, headers } = request
      if (this.admits(request)) {
        if (headers.origin !== undefined) {
          void reply.header('access-control-allow-origin', headers.origin).header('vary', 'origin')
        }
        done()
      } else if (SAFE.has(method)) done()
      else {
        const detail = `pages of ${headers.origin ?? 'other origins'} may not report here (http.allowedOrigins)`
        void sendProblem(reply, 403, 'origin', 'Forbidden', detail)
      }
    })
  }
}

/** The host and port of an origin, as a browser would put them into `Host`. */
function hostOf(origin: string): string | null {
  return /^https?:\/\/([^/]+)$/.exec(origin.toLowerCase())?.[1] ?? null
}
