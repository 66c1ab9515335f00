import { type IncomingMessage, STATUS_CODES } from 'node:http'
import type { Duplex } from 'node:stream'
import type { FastifyInstance } from 'fastify'
import { WebSocketServer } from 'ws'
import { CallRefused } from '../calls/call-refused.ts'
import { admittedBy, tokenOf } from './caller.ts'
import type { HttpContext } from './http-context.ts'
import type { OriginGuard } from './origin-guard.ts'
import { PROBLEM_TYPE, problemText, statusOf } from './problem.ts'
import { targetForLog } from './request-log.ts'
import { problemSchema } from './schemas.ts'
import { SocketSession } from './socket-session.ts'
import type { Streams } from './stream-route.ts'
import { shown } from './validation.ts'

const PATH = '/v1/socket'

/** Opens WebSockets on connections that ask for one. */
export class SocketDoor {
  readonly #context: HttpContext
  readonly #guard: OriginGuard
  readonly #streams: Streams
  readonly #sockets: WebSocketServer

  constructor(context: HttpContext, guard: OriginGuard, streams: Streams) {
    this.#context = context
    this.#guard = guard
    this.#streams = streams
    this.#sockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: context.limits.messageBytesMax,
    })
  }

  /** Adds what is answered to who asks for no WebSocket. */
  addTo(app: FastifyInstance): void {
    app.get(
      PATH,
      {
        schema: {
          summary: 'A WebSocket: report, ask and watch, both ways',
          description:
            'JSON messages. In: `{op:"token",token}`, `{op:"report",id?,report}`, `{op:"watch",id,clients?,circle?,box?,from?}`, `{op:"unwatch",id}`, `{op:"get",id,client}`, `{op:"near",id,…}`, `{op:"ping"}`. Out: `reported`, `fix`, `exit`, `cursor`, `fixes`, `problem`, `pong`, each with the `id` that it belongs to. Where tokens are needed, one is shown first: in the header, as `?token=`, or by the message.',
          tags: ['streams'],
          response: {
            101: { description: 'A WebSocket from here on.' },
            default: {
              description: 'What is wrong.',
              content: { 'application/problem+json': { schema: problemSchema } },
            },
          },
        },
      },
      (_request, reply) =>
        reply
          .code(426)
          .header('upgrade', 'websocket')
          .type(PROBLEM_TYPE)
          .send(problemText(426, 'upgrade', 'Upgrade Required', `${PATH} is for WebSockets alone`)),
    )
  }

  /** Takes over a connection that asks to be a WebSocket. */
  take(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const { log } = this.#context
    // Until the WebSocket listens to them, its errors are nobody's.
    socket.on('error', () => socket.destroy())
    const url = URL.parse(request.url ?? '', 'http://server')
    const address = request.socket.remoteAddress ?? ''
    const token = tokenOf(request.headers.authorization) ?? url?.searchParams.get('token') ?? null
    const refusal = this.#refusal(request, url, token)
    const status = refusal?.status ?? 101
    if (log.traffic) {
      log.event('info', 'http', { address, method: 'GET', path: targetForLog(request.url ?? ''), status })
    }
    if (refusal !== null) {
      refuse(socket, refusal)
      return
    }
    this.#sockets.handleUpgrade(request, socket, head, (opened) => {
      const session = new SocketSession(this.#context, opened, socket, { address, token })
      const forget = this.#streams.add(session.close)
      opened.once('close', forget)
      request.socket.setNoDelay(true)
      session.begin()
    })
  }

  /** @param url where it asks for one; `null`: that is no address. */
  #refusal(request: IncomingMessage, url: URL | null, token: string | null): Refusal | null {
    const refused = this.#guard.refusal(request)
    if (refused !== null) return refused
    if (url?.pathname !== PATH) {
      return {
        status: 404,
        code: 'no-such-route',
        detail: `WebSockets are at ${PATH}, not at ${url?.pathname ?? shown(request.url)}`,
      }
    }
    if (token === null) return null
    try {
      admittedBy(this.#context.gatekeeper, token, request.socket.remoteAddress)
      return null
    } catch (error) {
      if (error instanceof CallRefused) {
        return { status: statusOf(error.code), code: error.code, detail: error.message }
      }
      throw error
    }
  }
}

/** Why no WebSocket is opened. */
interface Refusal {
  readonly status: number
  readonly code: string
  readonly detail: string
}

function refuse(socket: Duplex, { status, code, detail }: Refusal): void {
  const title = STATUS_CODES[status] ?? ''
  const body = problemText(status, code, title, detail)
  const head = `HTTP/1.1 ${status} ${title}\r\ncontent-type: ${PROBLEM_TYPE}\r\ncontent-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n`
  socket.end(head + body, () => socket.destroy())
}
