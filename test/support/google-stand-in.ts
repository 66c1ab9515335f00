/**
 * What stands in, in tests of places, for the world outside: Google's Nearby Search (legacy) server, and time.
 */
import { ellipsoidMetres } from '../../src/locations/distance.ts'
import { type JsonValue, toClassicJson } from '../../src/places/json-text.ts'
import type { PlacesWorld } from '../../src/places/world.ts'
import {
  listening,
  PlacesStandIn,
  type SeenRequest,
  type StandInApi,
  type StandInFailures,
  type StandInReply,
  sevenDecimals,
} from './places-stand-in.ts'

export type { Behaviour, SeenRequest } from './places-stand-in.ts'

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

/** A server on the loopback interface that answers like Google's legacy API, or fails on demand. */
export class GoogleStandIn extends PlacesStandIn {
  /** Starts one, on a free port by default. With a `key`, other keys are denied. */
  static async start(
    options: { readonly port?: number; readonly key?: string } = {},
  ): Promise<GoogleStandIn> {
    return new GoogleStandIn(await listening(options.port ?? 0), apiOf(options.key))
  }
}

function apiOf(key: string | undefined): StandInApi {
  return {
    complaintAbout: (request) => complaintAbout(request, key),
    answerTo: ({ query }) => googleText(query.get('location') ?? '0,0', query),
    emptyAnswer: () => bodyText({ html_attributions: [], results: [], status: 'ZERO_RESULTS' }),
    failures: FAILURES,
    keyOf: ({ query }) => query.get('key') ?? '',
  }
}

/** What the real API finds wrong with a request. */
function complaintAbout(
  { method, path, query }: SeenRequest,
  key: string | undefined,
): StandInReply | undefined {
  if (path !== PATH || method !== 'GET') return { httpStatus: 404, body: '' }
  if (!query.get('key')) return { body: bodyText(failureBody('REQUEST_DENIED', NO_KEY)) }
  if (key !== undefined && query.get('key') !== key) {
    const message = `The provided API key is invalid: ${query.get('key')} `
    return { body: bodyText(failureBody('REQUEST_DENIED', message)) }
  }
  const radius = Number(query.get('radius') ?? Number.NaN)
  const byDistance = query.get('rankby') === 'distance'
  const isNarrowed = query.has('type') || query.has('keyword')
  const radiusFits = byDistance ? !query.has('radius') && isNarrowed : radius >= 0 && radius <= 50_000
  const located = /^-?\d+(\.\d+)?,-?\d+(\.\d+)?$/.test(query.get('location') ?? '')
  return located && radiusFits ? undefined : { body: bodyText(failureBody('INVALID_REQUEST')) }
}

const FAILURES: StandInFailures = {
  'over-query-limit': () => ({
    body: bodyText(failureBody('OVER_QUERY_LIMIT', 'You have exceeded your daily quota.')),
  }),
  'request-denied': ({ query }) => {
    const message = `This key can't be used: ${query.get('key')}`
    return { body: bodyText(failureBody('REQUEST_DENIED', message)) }
  },
  'invalid-request': () => ({ body: bodyText(failureBody('INVALID_REQUEST')) }),
  'unknown-error': () => ({ body: bodyText(failureBody('UNKNOWN_ERROR')) }),
}

function failureBody(status: string, message?: string): JsonValue {
  return { error_message: message, html_attributions: [], results: [], status }
}

/** Google's text for a body, with the runs of newlines that clients of the herd must never see. */
function bodyText(body: JsonValue): string {
  return `${toClassicJson(body).replace(/,\n {3}"results"/, ',\n\n\n   "results"')}\n\n`
}

/** A full page of results around a `latitude,longitude`, as the API writes it; less when a query asks for less. */
export function googleText(location: string, query: URLSearchParams = new URLSearchParams()): string {
  const [latitude = 0, longitude = 0] = location.split(',').map(Number)
  const radius = Number(query.get('radius') ?? Number.POSITIVE_INFINITY)
  const results = Array.from({ length: 20 }, (_, place) => place)
    .filter((place) => isAskedFor(place, query) && metresOf(place, latitude, longitude) <= radius)
    .map((place) => googleResult(place, latitude, longitude))
  if (results.length === 0) return bodyText({ html_attributions: [], results: [], status: 'ZERO_RESULTS' })
  const token = 'ATJ83zhSSAtkh5LTozXMhBghqubeOxnZWUV2m7Hv2tQaIzKQJgvZk9yCaEjBW0r0Zx1oJ9RF1G7oeM34sQQMOv8s'
  return bodyText({ html_attributions: [], next_page_token: token, results, status: 'OK' }).replaceAll(
    '"OPERATIONAL",',
    '"OPERATIONAL",\n\n',
  )
}

function isAskedFor(place: number, query: URLSearchParams): boolean {
  const [name, type] = NAMES[place % NAMES.length] ?? NAMES[0]
  const types: readonly string[] = [type, 'point_of_interest', 'establishment']
  const words = (query.get('keyword') ?? '').toLowerCase().split(' ')
  return types.includes(query.get('type') ?? type) && words.every((word) => name.toLowerCase().includes(word))
}

function metresOf(place: number, latitude: number, longitude: number): number {
  const { lat, lng } = positionOf(place, latitude, longitude)
  return ellipsoidMetres(latitude, longitude, lat, lng)
}

function positionOf(place: number, latitude: number, longitude: number): { lat: number; lng: number } {
  const lng = sevenDecimals(longitude - 0.0005 * (place + 1))
  const lat = Math.min(90, sevenDecimals(latitude + 0.0007 * (place + 1)))
  return { lat, lng: lng < -180 ? sevenDecimals(lng + 360) : lng }
}

function googleResult(place: number, latitude: number, longitude: number): JsonValue {
  const [name, type, vicinity] = NAMES[place % NAMES.length] ?? NAMES[0]
  const { lat, lng } = positionOf(place, latitude, longitude)
  const id = `ChIJ${String(place).padStart(2, '0')}PNJ4i8woARb7hLs0Hb1xA`
  return {
    business_status: 'OPERATIONAL',
    geometry: {
      location: { lat, lng },
      viewport: {
        northeast: { lat: sevenDecimals(lat + 0.0013), lng: sevenDecimals(lng + 0.0013) },
        southwest: { lat: sevenDecimals(lat - 0.0013), lng: sevenDecimals(lng - 0.0013) },
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
