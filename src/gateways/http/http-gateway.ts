import { createServer, type IncomingMessage, type Server, STATUS_CODES } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import Fastify, { type FastifyError, type FastifyInstance } from 'fastify'
import type { Log } from '../../logs/server-log.ts'
import { CallRefused } from '../calls/call-refused.ts'
import { addApiDocs } from './api-docs.ts'
import { addClientRoutes } from './client-routes.ts'
import { Connections } from './connections.ts'
import { addHealthRoutes } from './health-routes.ts'
import { addHerdRoute } from './herd-route.ts'
import type { HttpContext } from './http-context.ts'
import { addMapRoutes } from './map-routes.ts'
import { Metrics } from './metrics.ts'
import { addMetricsRoute } from './metrics-route.ts'
import { OriginGuard } from './origin-guard.ts'
import { addOsmAndRoutes } from './osmand-routes.ts'
import { addOwnTracksRoutes } from './owntracks-routes.ts'
import { PROBLEM_TYPE, problemText, sendProblem, sendRefusal } from './problem.ts'
import { addJsonBodies, addReportRoutes } from './report-routes.ts'
import { targetForLog } from './request-log.ts'
import { SocketDoor } from './socket-door.ts'
import { addStreamRoute, Streams } from './stream-route.ts'
import { checkBySchemas } from './validation.ts'

/** Stopping takes no longer, whatever clients do: supervisors kill after some 5 s. */
const STOP_MS_MAX = 3000

/**
 * HTTP on connections that the port has accepted: it listens nowhere itself. Everything that speaks HTTP is a route here: the API, the
 * map, streams, phones, metrics.
 */
export class HttpGateway {
  readonly #context: HttpContext
  readonly #app: FastifyInstance
  readonly #server: Server
  readonly #streams: Streams
  readonly #connections: Connections

  private constructor(
    context: HttpContext,
    app: FastifyInstance,
    server: Server,
    { streams, connections }: { readonly streams: Streams; readonly connections: Connections },
  ) {
    this.#context = context
    this.#app = app
    this.#server = server
    this.#streams = streams
    this.#connections = connections
  }

  /** Makes the gateway, ready to take connections. */
  static async open(context: HttpContext): Promise<HttpGateway> {
    const { limits, counters, log } = context
    const server = createServer({
      requestTimeout: limits.requestMsMax,
      headersTimeout: limits.headMsMax,
      keepAliveTimeout: limits.idleMsMax,
      connectionsCheckingInterval: Math.min(limits.headMsMax, limits.requestMsMax, CHECK_MS_MAX),
      shouldUpgradeCallback: isWebSocket,
      // The guard says what is missing.
      requireHostHeader: false,
    })
    // Who has ended its side may still read: without this its connection is ended before it is answered.
    Object.assign(server, { httpAllowHalfOpen: true })
    const streams = new Streams()
    const metrics = new Metrics(context, () => streams.count)
    const connections = new Connections({
      ...{ system: context.system, pendingMax: limits.pendingMax },
      answered: (connection, { method = '', url = '' }, { statusCode }) => {
        counters.httpRequests++
        if (log.traffic)
          log.event('info', 'http', { connection, method, path: targetForLog(url), status: statusCode })
      },
    })
    const app = Fastify({
      bodyLimit: limits.bodyBytesMax,
      // A target that can't be decoded comes to no route.
      frameworkErrors: ({ statusCode = 400, message }, _request, reply) => {
        void sendProblem(reply, statusCode, 'invalid', STATUS_CODES[statusCode] ?? '', message)
      },
      routerOptions: { maxParamLength: MAX_PARAM_LENGTH, ignoreTrailingSlash: true },
      clientErrorHandler: (error, socket) => {
        connections.whenAnswered(socket, (maySay) => {
          if (maySay) refuseConnection(error, socket, context)
          else socket.destroySoon()
        })
      },
      serverFactory: (handler) =>
        server.on('request', (request, response) => {
          if (connections.begin(request, response)) handler(request, response)
          else {
            counters.httpRefused++
            request.socket.destroy()
          }
        }),
    })
    const guard = new OriginGuard(context)
    handleErrors(app, log)
    checkBySchemas(app)
    addJsonBodies(app)
    guard.addTo(app)
    metrics.addTo(app)
    await addApiDocs(app, context.version)
    addReportRoutes(app, context)
    addClientRoutes(app, context)
    addOwnTracksRoutes(app, context)
    addOsmAndRoutes(app, context, await addMapRoutes(app, context.map))
    addStreamRoute(app, context, streams)
    addHerdRoute(app, context)
    addHealthRoutes(app, context)
    addMetricsRoute(app, context, metrics)
    const door = new SocketDoor(context, guard, streams)
    door.addTo(app)
    server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      connections.hold(socket)
      door.take(request, socket, head)
    })
    await app.ready()
    // It never listens by itself, and without this event it would watch over no time-outs.
    server.emit('listening')
    return new HttpGateway(context, app, server, { streams, connections })
  }

  /** Takes over a connection that begins with an HTTP request. */
  take(socket: Socket, connection: number, bytes: Buffer): void {
    this.#connections.add(socket, connection)
    socket.unshift(bytes)
    this.#server.emit('connection', socket)
    socket.resume()
  }

  /** Ends the streams, answers what was asked, and closes every connection. */
  async stop(): Promise<void> {
    this.#streams.end()
    await this.#connections.stop(Math.min(this.#context.limits.lingerMsMax, STOP_MS_MAX))
    await this.#app.close()
    this.#server.close()
  }
}

/** An ID in a path may be as long as an ID, each byte as `%FF`. */
const MAX_PARAM_LENGTH = 3 * 1024
/** Late requests are looked for at least so often. */
const CHECK_MS_MAX = 30_000

/** What else wants to be upgraded, to HTTP/2 for instance, is answered as it is. */
function isWebSocket({ headers }: Pick<IncomingMessage, 'headers'>): boolean {
  return headers.upgrade?.toLowerCase() === 'websocket'
}

/** Answers what is no HTTP, too large or too late, and closes its connection. */
function refuseConnection(
  error: Error & { code?: string },
  socket: Socket,
  { counters, system, limits }: HttpContext,
): void {
  if (socket.destroyed || !socket.writable || error.code === 'ECONNRESET') {
    if (error.code === 'ECONNRESET') socket.destroy()
    return
  }
  counters.httpRefused++
  const [status, detail] = STATUS_OF[error.code ?? ''] ?? [400, `that is no HTTP: ${error.message}`]
  const title = STATUS_CODES[status] ?? ''
  const body = problemText(status, 'invalid', title, detail)
  const head = `HTTP/1.1 ${status} ${title}\r\ncontent-type: ${PROBLEM_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`
  socket.end(head + body)
  // What still comes is read and dropped: closing over unread bytes would take back the answer.
  const cancel = system.after(Math.min(limits.lingerMsMax, STOP_MS_MAX), () => socket.destroy())
  socket.once('close', cancel)
}

const STATUS_OF: Readonly<Record<string, readonly [status: number, detail: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'the head of a request may have 16 KiB'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'the extensions of a chunk may have 16 KiB'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the request did not come in time (http.headMsMax, http.requestMsMax)'],
}

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
    // How long a file is of which something beyond its end was asked for: RFC 9110 §15.5.17.
    const range = new Map(Object.entries(Object(Object(error).headers))).get('Content-Range')
    if (typeof range === 'string') void reply.header('content-range', range)
    if (status < 500)
      return sendProblem(reply, status, 'invalid', STATUS_CODES[status] ?? '', detailOf(error))
    log.event('error', 'http', { error: error.message })
    return sendProblem(reply, 500, 'internal', 'Internal Server Error', 'this is a mistake of the server')
  })
}

/** What the framework objects to, with what would be right. */
function detailOf({ code, message }: FastifyError): string {
  if (code === 'FST_ERR_CTP_INVALID_MEDIA_TYPE') {
    return 'the body is JSON: content-type application/json or application/geo+json'
  }
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return 'the body is too large (http.bodyBytesMax)'
  return message
}
