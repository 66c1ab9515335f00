/**
 * What all stand-ins for sources of places have in common: a real HTTP server on the loopback interface that checks
 * what it is asked as its API does, remembers it, and answers, or fails on demand.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import geographiclib from 'geographiclib-geodesic'

/** What the stand-in does with a request that is valid; one that isn't gets what its API answers to it. */
export type Behaviour =
  | 'ok'
  | 'zero-results'
  | StandInFailure
  | 'hang'
  | 'hang-in-body'
  | 'malformed'
  | 'truncated'
  | 'huge'
  | 'reset'
  | { readonly slowMs: number }
  | {
      readonly httpStatus: number
      readonly retryAfter?: string
      readonly location?: string
      readonly headers?: Readonly<Record<string, string>>
    }
  | { readonly body: string }

/** The failures that an API has words of its own for. */
export type StandInFailure = 'over-query-limit' | 'request-denied' | 'invalid-request' | 'unknown-error'

/** A request that came in. */
export interface SeenRequest {
  readonly method: string
  readonly path: string
  readonly query: URLSearchParams
  /** By name in small letters. */
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** An answer: HTTP 200 with JSON unless it says otherwise. */
export interface StandInReply {
  readonly httpStatus?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body: string
}

/** An API's own words. */
export type StandInFailures = Readonly<Record<StandInFailure, (request: SeenRequest) => StandInReply>>

/** What makes one API another than the next. */
export interface StandInApi {
  /** What it answers to a request that breaks its rules; undefined when it keeps to them. */
  complaintAbout(request: SeenRequest): StandInReply | undefined
  /** What it answers when all is well. */
  answerTo(request: SeenRequest): string
  /** What it answers when there is nothing to find. */
  emptyAnswer(request: SeenRequest): string
  /** How it words each failure. It may repeat the key: real APIs do. */
  readonly failures: StandInFailures
  /** The key that came with a request, which error pages repeat. */
  keyOf(request: SeenRequest): string
}

/** A server that answers like an API, or fails on demand. */
export class PlacesStandIn {
  /** All requests so far, the oldest first. */
  readonly requests: SeenRequest[] = []
  readonly #server: Server
  readonly #api: StandInApi
  #behaviours: readonly Behaviour[] = ['ok']
  #waiting: { readonly count: number; readonly wake: () => void }[] = []
  #opened = 0
  #held: (() => void)[] = []

  /** Starts one, on a free port by default. */
  static async serve(api: StandInApi, port = 0): Promise<PlacesStandIn> {
    return new PlacesStandIn(await listening(port), api)
  }

  protected constructor(server: Server, api: StandInApi) {
    this.#server = server
    this.#api = api
    server.on('connection', () => this.#opened++)
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#answer(request, response).catch(() => response.destroy())
    })
  }

  /** Its base URL. */
  get url(): string {
    const address = this.#server.address()
    return `http://127.0.0.1:${isAddress(address) ? address.port : 0}`
  }

  /** How many connections were ever opened to it. */
  get connections(): number {
    return this.#opened
  }

  /** Says what the next requests meet, one after the other; the last one stands for all that follow. */
  behave(...behaviours: readonly Behaviour[]): void {
    this.#behaviours = behaviours
  }

  /** Answers those that hang, as if all were well. */
  release(): void {
    for (const answer of this.#held.splice(0)) answer()
  }

  /** Resolves when `count` requests have come in, all told. */
  async seen(count: number): Promise<void> {
    if (this.requests.length >= count) return
    await new Promise<void>((wake) => this.#waiting.push({ count, wake }))
  }

  /** Closes it, and every connection. */
  async close(): Promise<void> {
    const closed = once(this.#server, 'close')
    this.#server.close()
    this.#server.closeAllConnections()
    await closed
  }

  async #answer(message: IncomingMessage, response: ServerResponse): Promise<void> {
    const request = await readRequest(message)
    this.requests.push(request)
    for (const { count, wake } of this.#waiting) if (this.requests.length >= count) wake()
    this.#waiting = this.#waiting.filter(({ count }) => this.requests.length < count)

    const complaint = this.#api.complaintAbout(request)
    if (complaint !== undefined) return send(response, complaint)
    const [behaviour = 'ok', ...rest] = this.#behaviours
    if (rest.length > 0) this.#behaviours = rest
    await this.#carryOut(behaviour, request, response)
  }

  async #carryOut(behaviour: Behaviour, request: SeenRequest, response: ServerResponse): Promise<void> {
    const body = this.#api.answerTo(request)
    const key = this.#api.keyOf(request)
    if (typeof behaviour === 'object') {
      if ('body' in behaviour) return send(response, { body: behaviour.body })
      if ('slowMs' in behaviour) {
        await sleep(behaviour.slowMs)
        return send(response, { body })
      }
      const { httpStatus, retryAfter, location, headers } = behaviour
      if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter)
      if (location !== undefined) response.setHeader('location', location)
      return send(response, { httpStatus, headers: headers ?? {}, body: `<p>It failed, key ${key}</p>` })
    }
    switch (behaviour) {
      case 'ok':
        return send(response, { body })
      case 'zero-results':
        return send(response, { body: this.#api.emptyAnswer(request) })
      case 'hang':
        return void this.#held.push(() => send(response, { body }))
      case 'hang-in-body':
        return void response.writeHead(200).write(body.slice(0, 500))
      case 'malformed':
        return send(response, { body: `${body.slice(0, -20)} key=${key}` })
      case 'truncated':
        response.writeHead(200, { 'content-length': Buffer.byteLength(body) })
        return void response.write(body.slice(0, body.length / 2), () => response.destroy())
      case 'huge':
        return flood(response)
      case 'reset':
        return void response.socket?.resetAndDestroy()
      case 'over-query-limit':
      case 'request-denied':
      case 'invalid-request':
      case 'unknown-error':
        return send(response, this.#api.failures[behaviour](request))
      default:
        behaviour satisfies never
    }
  }
}

/** A free port, or a given one, on the loopback interface. */
export async function listening(port: number): Promise<Server> {
  const server = createServer()
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  return server
}

/** A value as JSON, with an HTTP status. */
export function jsonReply(httpStatus: number, value: unknown): StandInReply {
  return { httpStatus, body: JSON.stringify(value, null, 2) }
}

/** A place that stands-in make up: there are as many of them around any position, the same each time. */
export interface MadeUpPlace {
  /** From 0, the nearest first. */
  readonly number: number
  readonly name: string
  /** A Google type. */
  readonly type: string
  /** The tag of OpenStreetMap that says so. */
  readonly tag: readonly [key: string, value: string]
  readonly latitude: number
  readonly longitude: number
  readonly metres: number
}

const KINDS = [
  ['Powell Library', 'library', 'amenity', 'library'],
  ['Café [Synapse] {2}', 'cafe', 'amenity', 'cafe'],
  ['Fowler Museum', 'museum', 'tourism', 'museum'],
  ['Kerckhoff "Coffee" House', 'cafe', 'amenity', 'cafe'],
  ['B & B <Westwood>', 'lodging', 'tourism', 'guest_house'],
  ['東京ラーメン', 'restaurant', 'amenity', 'restaurant'],
  ['Sculpture Garden', 'park', 'leisure', 'park'],
] as const
const MADE_UP = 45

/** Places around a position, nearest first: dense near it (the first at it), the farthest 120 km away. */
export function placesAround(latitude: number, longitude: number): readonly MadeUpPlace[] {
  return Array.from({ length: MADE_UP }, (_, number) => {
    const [name, type, key, value] = KINDS[number % KINDS.length] ?? KINDS[0]
    const distance = number === 0 ? 0 : 15 * 1.228 ** (number - 1)
    const there = geographiclib.Geodesic.WGS84.Direct(latitude, longitude, (number * 137.5) % 360, distance)
    const position = { latitude: sevenDecimals(there.lat2 ?? 0), longitude: sevenDecimals(there.lon2 ?? 0) }
    const at = number === 0 ? { latitude, longitude } : position
    return { number, name: `${name} ${number + 1}`, type, tag: [key, value], ...at, metres: distance }
  })
}

/** Seven decimals, as the APIs give them. */
export function sevenDecimals(degrees: number): number {
  return Math.round(degrees * 1e7) / 1e7
}

async function readRequest(message: IncomingMessage): Promise<SeenRequest> {
  const { pathname: path, searchParams: query } = new URL(message.url ?? '/', 'http://stand-in')
  const headers = Object.fromEntries(
    Object.entries(message.headersDistinct).map(([name, values]) => [name, values?.join(', ') ?? '']),
  )
  const chunks: Buffer[] = []
  for await (const chunk of message) if (Buffer.isBuffer(chunk)) chunks.push(chunk)
  return { method: message.method ?? '', path, query, headers, body: Buffer.concat(chunks).toString('utf8') }
}

function send(response: ServerResponse, { httpStatus = 200, headers = {}, body }: StandInReply): void {
  response.writeHead(httpStatus, { 'content-type': 'application/json; charset=UTF-8', ...headers }).end(body)
}

/** A body without an end, as fast as it is read. */
function flood(response: ServerResponse): void {
  const blocks = Readable.from(endlessBody())
  response.on('close', () => blocks.destroy())
  blocks.pipe(response.writeHead(200))
}

function* endlessBody(): Generator<string> {
  yield '{ "results" : [], "filler" : "'
  for (;;) yield 'x'.repeat(64 * 1024)
}

function isAddress(address: AddressInfo | string | null): address is AddressInfo {
  return typeof address === 'object' && address !== null
}
