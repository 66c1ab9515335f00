import type { ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Caller } from '../calls/calls.ts'
import type { WatchFrom } from '../watch/watch-hub.ts'
import type { WatchFilter } from '../watch/watcher.ts'
import { areaOf, boxFromText } from './areas.ts'
import { admittedBy, tokenOf } from './caller.ts'
import type { HttpContext } from './http-context.ts'
import { type StreamQuery, streamQuery } from './query-schemas.ts'
import { streamAnswers } from './schemas.ts'
import { SlowReader } from './slow-reader.ts'
import { SSE_HEAD, SSE_HEARTBEAT, SseSink } from './sse.ts'

/** What a list of clients writes for a comma and a percent sign of an ID. */
const ESCAPED = /%2[cC]|%25/g
/** What the head of a stream says. */
const STREAM_HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
  connection: 'close',
} as const

/** The streams that are open. */
export class Streams {
  readonly #open = new Set<() => void>()

  /** @param end ends it in order. @returns to be called once it has ended. */
  add(end: () => void): () => void {
    this.#open.add(end)
    return () => this.#open.delete(end)
  }

  /** How many there are. */
  get count(): number {
    return this.#open.size
  }

  /** Ends them all; their readers come back to another server. */
  end(): void {
    for (const end of [...this.#open]) end()
  }
}

/** Adds `/v1/stream`: fixes as server-sent events. */
export function addStreamRoute(app: FastifyInstance, context: HttpContext, streams: Streams): void {
  app.get<{ Querystring: StreamQuery }>(
    '/v1/stream',
    {
      schema: {
        summary: 'Fixes as they come, as server-sent events',
        description:
          '`fix`: a client is there. `exit`: it has left the area. Blocks with an `id` alone say up to where all was told: whoever sends the last one back as Last-Event-ID, to any server of the herd, is told the rest. Comments show that the stream lives.',
        tags: ['streams'],
        querystring: streamQuery,
        response: streamAnswers,
      },
    },
    (request, reply) => {
      const { query } = request
      const token = tokenOf(request.headers.authorization) ?? query.token ?? null
      const caller = admittedBy(context.gatekeeper, token, request.socket.remoteAddress)
      const filter = filterOf(query, caller)
      if (request.method === 'HEAD') return reply.headers(STREAM_HEADERS).send()
      const stream = new Stream(context, request, reply.raw)
      stream.begin(filter, fromOf(request), reply.getHeaders(), streams)
      return reply.hijack()
    },
  )
}

/** What a query asks to be told of. @throws {CallRefused} when its area is none. */
function filterOf(query: StreamQuery, { grant }: Caller): WatchFilter {
  const { client, lat, lon, radius_m, box } = query
  const circle = {
    ...(lat !== undefined && { lat }),
    ...(lon !== undefined && { lon }),
    ...(radius_m !== undefined && { radius_m }),
  }
  return {
    clients: client === undefined ? null : clientsOf(client),
    area: areaOf(circle, box === undefined ? null : boxFromText(box)),
    grant,
  }
}

/** Clients out of lists with commas. */
export function clientsOf(lists: readonly string[]): ReadonlySet<string> {
  const unescaped = lists.flatMap((list) => list.split(','))
  return new Set(
    unescaped
      .filter((client) => client !== '')
      .map((client) => client.replace(ESCAPED, (code) => (code === '%25' ? '%' : ','))),
  )
}

/** A browser that comes back sends the header, and the same query as at first. */
function fromOf({ headers, query }: FastifyRequest<{ Querystring: StreamQuery }>): WatchFrom {
  const header = headers['last-event-id']
  const cursor = typeof header === 'string' && header !== '' ? header : query.last_event_id
  if (cursor !== undefined && cursor !== '') return { cursor }
  return query.from ?? 'all'
}

/** One stream: a response that goes on. */
class Stream {
  readonly #context: HttpContext
  readonly #request: FastifyRequest
  readonly #response: ServerResponse
  readonly #slow: SlowReader
  #isWaiting = false

  constructor(context: HttpContext, request: FastifyRequest, response: ServerResponse) {
    this.#context = context
    this.#request = request
    this.#response = response
    const { socket } = request
    this.#slow = new SlowReader(context, {
      bytesTaken: () => socket.bytesWritten - socket.writableLength,
      drop: () => {
        context.log.event('warning', 'slow reader dropped', { address: socket.remoteAddress ?? '' })
        socket.destroy()
      },
    })
  }

  /** @throws {CallRefused} when it can't be watched; nothing was answered then. */
  begin(
    filter: WatchFilter,
    from: WatchFrom,
    headers: Readonly<Record<string, number | string | string[] | undefined>>,
    streams: Streams,
  ): void {
    const response = this.#response
    const sink = new SseSink((bytes) => this.#write(bytes))
    const watching = this.#context.hub.watch(filter, from, sink)
    const stopBeating = this.#beat()
    const forget = streams.add(() => response.end())
    const forgetGrant = filter.grant.whenRevoked(() => response.end())
    const { socket } = this.#request
    const onDrain = (): void => {
      this.#isWaiting = false
      this.#slow.drained()
      watching.resume()
    }
    const onEnd = (): void => void response.end()
    socket.on('drain', onDrain)
    socket.once('end', onEnd)
    // A response that failed is closed, too.
    response.on('error', () => {})
    response.once('close', () => {
      socket.off('drain', onDrain)
      socket.off('end', onEnd)
      watching.close()
      forgetGrant()
      stopBeating()
      forget()
      this.#slow.drained()
    })
    socket.setNoDelay(true)
    // It goes on until it ends: no lengths are to be written between events.
    response.useChunkedEncodingByDefault = false
    response.writeHead(200, {
      ...Object.fromEntries(Object.entries(headers).filter(([, value]) => value !== undefined)),
      ...STREAM_HEADERS,
    })
    response.write(SSE_HEAD)
    // Who has ended its side of a stream has gone: browsers end one so.
    if (socket.readableEnded) response.end()
  }

  /** Past the response, which would hold each event back until the end of the turn: after its head it adds nothing to them. */
  #write(bytes: Buffer): boolean {
    const { socket } = this.#request
    if (this.#response.writableEnded || !socket.writable) return true
    const hasRoom = socket.write(bytes)
    if (!hasRoom) {
      this.#isWaiting = true
      this.#slow.waits()
    }
    return hasRoom
  }

  /** Shows that the stream lives. */
  #beat(): () => void {
    const { system, limits } = this.#context
    const again = (): (() => void) =>
      system.after(limits.heartbeatMs, () => {
        if (!this.#isWaiting) this.#write(SSE_HEARTBEAT)
        cancel = again()
      })
    let cancel = again()
    return () => cancel()
  }
}
