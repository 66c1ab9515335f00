/**
 * What stands in, in tests of places, for the world outside: Google's Nearby Search (legacy) server, and time.
 */
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { type JsonValue, toClassicJson } from '../../src/places/json-text.ts'
import type { PlacesWorld } from '../../src/places/world.ts'

const PATH = '/maps/api/place/nearbysearch/json'
const NAMES = [
  ['Powell Library', 'library', '10740 Dickson Plaza, Los Angeles'],
  ['Royce Hall', 'performing_arts_theater', '10745 Dickson Court, Los Angeles'],
  ['Kerckhoff "Coffee" House', 'cafe', '308 Westwood Plaza, Los Angeles'],
  ['Café [Synapse] {2}', 'cafe', '650 Charles E Young Drive South, Los Angeles'],
  ['Fowler Museum', 'museum', '308 Charles E Young Drive North, Los Angeles'],
] as const
/** Google's own words for a request without a key. */
const NO_KEY = 'You must use an API key to authenticate each request to Google Maps Platform APIs.'

/** What the stand-in does with a request that is valid; one that isn't gets what Google answers to it. */
export type Behaviour =
  | 'ok'
  | 'zero-results'
  | 'over-query-limit'
  | 'request-denied'
  | 'invalid-request'
  | 'unknown-error'
  | 'hang'
  | 'hang-in-body'
  | 'malformed'
  | 'truncated'
  | 'huge'
  | 'reset'
  | { readonly slowMs: number }
  | { readonly httpStatus: number; readonly retryAfter?: string; readonly location?: string }
  | { readonly body: string }

/** A request that came in. */
export interface SeenRequest {
  readonly path: string
  readonly query: URLSearchParams
}

/** A server on the loopback interface that answers like Google's legacy API, or fails on demand. */
export class GoogleStandIn {
  /** All requests so far, the oldest first. */
  readonly requests: SeenRequest[] = []
  readonly #server: Server
  readonly #key: string | undefined
  #behaviours: readonly Behaviour[] = ['ok']
  #waiting: { readonly count: number; readonly wake: () => void }[] = []

  /** Starts one, on a free port by default. With a `key`, other keys are denied. */
  static async start(
    options: { readonly port?: number; readonly key?: string } = {},
  ): Promise<GoogleStandIn> {
    const server = createServer()
    server.listen(options.port ?? 0, '127.0.0.1')
    await once(server, 'listening')
    return new GoogleStandIn(server, options.key)
  }

  private constructor(server: Server, key: string | undefined) {
    this.#server = server
    this.#key = key
    server.on('request', (request: IncomingMessage, response: ServerResponse) => {
      this.#answer(request, response).catch((error: unknown) => response.destroy(error as Error))
    })
  }

  /** Its base URL. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`
  }

  /** Says what the next requests meet, one after the other; the last one stands for all that follow. */
  behave(...behaviours: readonly Behaviour[]): void {
    this.#behaviours = behaviours
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

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { pathname, searchParams: query } = new URL(request.url ?? '/', this.url)
    this.requests.push({ path: pathname, query })
    for (const { count, wake } of this.#waiting) if (this.requests.length >= count) wake()
    this.#waiting = this.#waiting.filter(({ count }) => this.requests.length < count)

    if (pathname !== PATH) return void response.writeHead(404).end()
    const complaint = complaintAbout(query, this.#key)
    if (complaint !== undefined) return send(response, bodyText(complaint))
    const [behaviour = 'ok', ...rest] = this.#behaviours
    if (rest.length > 0) this.#behaviours = rest
    await carryOut(behaviour, query, response)
  }
}

/** What the real API finds wrong with a query, as its body, or undefined. */
function complaintAbout(query: URLSearchParams, key: string | undefined): JsonValue | undefined {
  if (!query.get('key')) return failureBody('REQUEST_DENIED', NO_KEY)
  if (key !== undefined && query.get('key') !== key) {
    return failureBody('REQUEST_DENIED', `The provided API key is invalid: ${query.get('key')} `)
  }
  const radius = Number(query.get('radius') ?? Number.NaN)
  const byDistance = query.get('rankby') === 'distance'
  const radiusFits = byDistance ? !query.has('radius') : radius >= 0 && radius <= 50_000
  const located = /^-?\d+(\.\d+)?,-?\d+(\.\d+)?$/.test(query.get('location') ?? '')
  return located && radiusFits ? undefined : failureBody('INVALID_REQUEST')
}

async function carryOut(
  behaviour: Behaviour,
  query: URLSearchParams,
  response: ServerResponse,
): Promise<void> {
  const okText = googleText(query.get('location') ?? '0,0')
  if (typeof behaviour === 'object') {
    if ('body' in behaviour) return send(response, behaviour.body)
    if ('slowMs' in behaviour) {
      await sleep(behaviour.slowMs)
      return send(response, okText)
    }
    const { httpStatus, retryAfter, location } = behaviour
    if (retryAfter !== undefined) response.setHeader('retry-after', retryAfter)
    if (location !== undefined) response.setHeader('location', location)
    return void response.writeHead(httpStatus).end(`<p>It failed, key ${query.get('key')}</p>`)
  }
  switch (behaviour) {
    case 'ok':
      return send(response, okText)
    case 'zero-results':
      return send(response, bodyText({ html_attributions: [], results: [], status: 'ZERO_RESULTS' }))
    case 'over-query-limit':
      return send(response, bodyText(failureBody('OVER_QUERY_LIMIT', 'You have exceeded your daily quota.')))
    case 'request-denied':
      return send(
        response,
        bodyText(failureBody('REQUEST_DENIED', `This key can't be used: ${query.get('key')}`)),
      )
    case 'invalid-request':
      return send(response, bodyText(failureBody('INVALID_REQUEST')))
    case 'unknown-error':
      return send(response, bodyText(failureBody('UNKNOWN_ERROR')))
    case 'hang':
      return
    case 'hang-in-body':
      return void response.writeHead(200).write(okText.slice(0, 500))
    case 'malformed':
      return send(response, `${okText.slice(0, -20)} key=${query.get('key')}`)
    case 'truncated':
      response.writeHead(200, { 'content-length': Buffer.byteLength(okText) })
      return void response.write(okText.slice(0, 500), () => response.destroy())
    case 'huge':
      return flood(response)
    case 'reset':
      return void response.socket?.resetAndDestroy()
    default:
      behaviour satisfies never
  }
}

function send(response: ServerResponse, text: string): void {
  response.writeHead(200, { 'content-type': 'application/json; charset=UTF-8' }).end(text)
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

function failureBody(status: string, message?: string): JsonValue {
  return { error_message: message, html_attributions: [], results: [], status }
}

/** Google's text for a body, with the runs of newlines that clients of the herd must never see. */
function bodyText(body: JsonValue): string {
  return `${toClassicJson(body).replace(/,\n {3}"results"/, ',\n\n\n   "results"')}\n\n`
}

/** A full page of results around a `latitude,longitude`, as the API writes it. */
export function googleText(location: string): string {
  const [latitude = 0, longitude = 0] = location.split(',').map(Number)
  const results = Array.from({ length: 20 }, (_, place) => googleResult(place, latitude, longitude))
  const token = 'ATJ83zhSSAtkh5LTozXMhBghqubeOxnZWUV2m7Hv2tQaIzKQJgvZk9yCaEjBW0r0Zx1oJ9RF1G7oeM34sQQMOv8s'
  return bodyText({ html_attributions: [], next_page_token: token, results, status: 'OK' }).replaceAll(
    '"OPERATIONAL",',
    '"OPERATIONAL",\n\n',
  )
}

function googleResult(place: number, latitude: number, longitude: number): JsonValue {
  const [name, type, vicinity] = NAMES[place % NAMES.length] ?? NAMES[0]
  const lat = toSevenDecimals(latitude + 0.0007 * (place + 1))
  const lng = toSevenDecimals(longitude - 0.0005 * (place + 1))
  const id = `ChIJ${String(place).padStart(2, '0')}PNJ4i8woARb7hLs0Hb1xA`
  return {
    business_status: 'OPERATIONAL',
    geometry: {
      location: { lat, lng },
      viewport: {
        northeast: { lat: toSevenDecimals(lat + 0.0013), lng: toSevenDecimals(lng + 0.0013) },
        southwest: { lat: toSevenDecimals(lat - 0.0013), lng: toSevenDecimals(lng - 0.0013) },
      },
    },
    icon: 'https://maps.gstatic.com/mapfiles/place_api/icons/v1/png_71/generic_business-71.png',
    icon_background_color: '#7B9EB0',
    icon_mask_base_uri: 'https://maps.gstatic.com/mapfiles/place_api/icons/v2/generic_pinlet',
    name: `${name} ${place + 1}`,
    opening_hours: { open_now: place % 3 !== 0 },
    photos: [
      {
        height: 3024,
        html_attributions: [`<a href="https://maps.google.com/maps/contrib/10${place}">A visitor</a>`],
        photo_reference: `AUacShh${place}`,
        width: 4032,
      },
    ],
    place_id: id,
    plus_code: { compound_code: '3HC5+7X Los Angeles, CA, USA', global_code: '85633HC5+7X' },
    rating: 4 + (place % 10) / 10,
    reference: id,
    scope: 'GOOGLE',
    types: [type, 'point_of_interest', 'establishment'],
    user_ratings_total: 100 + place,
    vicinity,
  }
}

function toSevenDecimals(degrees: number): number {
  return Math.round(degrees * 1e7) / 1e7
}

/** Time that stands still until a test moves it, and chance that always falls on the same side. */
export class FakeWorld implements PlacesWorld {
  /** What `random` gives. */
  chance = 0.5
  /** Every wait that was asked for, milliseconds. */
  readonly waits: number[] = []
  readonly #skipMsMax: number
  #nowMs = 1_000
  #wallMs = Date.UTC(2026, 10, 20, 12)
  #timers: { readonly atMs: number; readonly act: () => void }[] = []

  /** Waits up to `skipMsMax` pass by themselves, at once: back-offs should, time limits should not. */
  constructor(skipMsMax = 0) {
    this.#skipMsMax = skipMsMax
  }

  nowMs(): number {
    return this.#nowMs
  }

  wallMs(): number {
    return this.#wallMs
  }

  random(): number {
    return this.chance
  }

  after(delayMs: number, act: () => void): () => void {
    const timer = { atMs: this.#nowMs + delayMs, act }
    this.waits.push(delayMs)
    this.#timers.push(timer)
    if (delayMs <= this.#skipMsMax) setImmediate(() => this.advance(Math.max(0, timer.atMs - this.#nowMs)))
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** How many timers are set. */
  get timers(): number {
    return this.#timers.length
  }

  /** Lets milliseconds pass, and what is due happen. */
  advance(ms: number): void {
    this.#nowMs += ms
    this.#wallMs += ms
    const due = this.#timers.filter(({ atMs }) => atMs <= this.#nowMs).sort((a, b) => a.atMs - b.atMs)
    this.#timers = this.#timers.filter((timer) => !due.includes(timer))
    for (const { act } of due) act()
  }
}
