import { createServer, type Server } from 'node:http'
import type { Socket } from 'node:net'
import Fastify, { type FastifyError, type FastifyInstance } from 'fastify'
import type { Counters } from '../../counters.ts'
import type { Log } from '../../logs/server-log.ts'
import type { System } from '../../system.ts'
import type { Gatekeeper } from '../access/grant.ts'
import { CallRefused } from '../calls/call-refused.ts'
import type { Calls } from '../calls/calls.ts'
import type { WatchHub } from '../watch/watch-hub.ts'
import { addApiDocs } from './api-docs.ts'
import { addClientRoutes } from './client-routes.ts'
import { OriginGuard } from './origin-guard.ts'
import { addOsmAndRoutes } from './osmand-routes.ts'
import { addOwnTracksRoutes } from './owntracks-routes.ts'
import { sendProblem, sendRefusal } from './problem.ts'
import { addJsonBodies, addReportRoutes } from './report-routes.ts'
import { addStreamRoute, Streams } from './stream-route.ts'
import { checkBySchemas } from './validation.ts'

/** Bounds of HTTP. */
export interface HttpLimits {
  readonly bodyBytesMax: number
  /** A request's head must have come within this time, milliseconds. */
  readonly headMsMax: number
  /** And all of it within this. */
  readonly requestMsMax: number
  /** A connection without a request is closed after this time. */
  readonly idleMsMax: number
  /** A stream shows so often that it lives. */
  readonly heartbeatMs: number
  /** A reader that takes nothing of what waits for it for this time is dropped. */
  readonly slowReaderMsMax: number
}

/** What HTTP needs of its server. */
export interface HttpContext {
  readonly calls: Calls
  readonly hub: WatchHub
  readonly gatekeeper: Gatekeeper
  readonly log: Log
  readonly counters: Counters
  readonly system: System
  /** Of Herd. */
  readonly version: string
  readonly limits: HttpLimits
  /** Origins besides its own whose pages may ask, such as `https://map.example.org`; `*`: all. */
  readonly allowedOrigins: readonly string[]
}

/**
 * HTTP on connections that the port has accepted: it listens nowhere itself. Everything that speaks HTTP is a route here: the API, the
 * map, streams, phones, metrics.
 */
export class HttpGateway {
  readonly #app: FastifyInstance
  readonly #server: Server
  readonly #streams: Streams
  readonly #sockets = new Set<Socket>()

  private constructor(app: FastifyInstance, server: Server, streams: Streams) {
    this.#app = app
    this.#server = server
    this.#streams = streams
  }

  /** Makes the gateway, ready to take connections. */
  static async open(context: HttpContext): Promise<HttpGateway> {
    const { limits } = context
    const server = createServer({
      requestTimeout: limits.requestMsMax,
      headersTimeout: limits.headMsMax,
      keepAliveTimeout: limits.idleMsMax,
    })
    const app = Fastify({
      bodyLimit: limits.bodyBytesMax,
      forceCloseConnections: true,
      routerOptions: { maxParamLength: MAX_PARAM_LENGTH, ignoreTrailingSlash: true },
      serverFactory: (handler) => server.on('request', handler),
    })
    const streams = new Streams()
    handleErrors(app, context.log)
    checkBySchemas(app)
    addJsonBodies(app)
    new OriginGuard(context.allowedOrigins).addTo(app)
    await addApiDocs(app, context.version)
    addReportRoutes(app, context)
    addClientRoutes(app, context)
    addOwnTracksRoutes(app, context)
    addOsmAndRoutes(app, context, async (_request, reply) => reply.redirect('/docs'))
    addStreamRoute(app, context, streams)
    await app.ready()
    // It never listens by itself, and without this event it would watch over no time-outs.
    server.emit('listening')
    return new HttpGateway(app, server, streams)
  }

  /** Takes over a connection that begins with an HTTP request. */
  take(socket: Socket, bytes: Buffer): void {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    socket.unshift(bytes)
    this.#server.emit('connection', socket)
    socket.resume()
  }

  /** Answers what was asked, and closes every connection; at once those of streams. */
  async stop(): Promise<void> {
    this.#streams.end()
    await this.#app.close()
    for (const socket of this.#sockets) socket.destroySoon()
  }
}

/** An ID in a path may be as long as an ID, each byte as `%FF`. */
const MAX_PARAM_LENGTH = 3 * 1024

function handleErrors(app: FastifyInstance, log: Log): void {
  app.setNotFoundHandler((request, reply) =>
    sendProblem(
      reply,
      404,
      'no-such-route',
      'Not Found',
      `there is no ${request.method} ${request.url.split('?')[0]}; /docs has all there is`,
    ),
  )
  app.setErrorHandler((error: FastifyError, _request, reply) => {
    if (error instanceof CallRefused) return sendRefusal(reply, error)
    const status = error.statusCode ?? 500
    if (status < 500) return sendProblem(reply, status, 'invalid', 'Bad Request', error.message)
    log.event('error', 'http', { error: error.message })
    return sendProblem(reply, 500, 'internal', 'Internal Server Error', 'this is a mistake of the server')
  })
}
