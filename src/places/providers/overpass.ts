/**
 * OpenStreetMap by Overpass. Overpass gives everything in a circle, in no useful order, so it is asked in rings from
 * the inside out until there is enough, and its answers are sorted here.
 */

import type { OsmTags } from '../osm-types.ts'
import type { KeepingTerms, NextCall, PlacesBody, PlacesQuery, Provider } from '../provider.ts'
import { PAGE_ITEMS } from '../provider.ts'
import { HttpAsker } from './http-asker.ts'
import { fieldsOf, isFields, listOf, numberOf, parseJson, textOf } from './json-fields.ts'
import {
  herdUserAgent,
  OSM_KEEPING,
  OSM_KEYS,
  OSM_TAGS,
  type OsmThing,
  osmBody,
  osmPlace,
  type RankedPlace,
} from './osm-places.ts'
import { wordsOf } from './place-words.ts'

/** A public server. */
export const overpassBaseUrl = 'https://overpass-api.de'
/** Requests that one ask takes at most. */
export const RINGS_MAX = 4
/** Things in an answer; a ring that has more is too wide. */
export const ELEMENTS_MAX = 1_000

const PATH = '/api/interpreter'
/** How long Overpass may work on a request, seconds. */
const TIMEOUT_SECONDS = 25
const RING_GROWTH = 3
const RING_METRES_MIN = 100
/** Overpass takes no circle without an area. */
const RADIUS_METRES_MIN = 1
/** A few times a page, so that there is something to choose the best known from. */
const PROMINENT_MIN = 3 * PAGE_ITEMS
const REMARK_LENGTH_MAX = 200
const KINDS = { node: 'n', way: 'w', relation: 'r' } as const

/** What the provider is made of. */
export interface OverpassPlacesOptions {
  /** Where Overpass is, without its path: `overpassBaseUrl` by default. */
  readonly baseUrl?: string | undefined
  /** A body, uncompressed, bytes. */
  readonly bodyBytesMax: number
  /** The language of names, a tag such as `en`; else as on site. */
  readonly language?: string | undefined
  /** Who asks. Public servers want to know it, best with an address to write to. */
  readonly userAgent?: string | undefined
  /** Milliseconds since the POSIX epoch. */
  readonly wallMs: () => number
}

/** One ring's answer. */
interface Ring {
  readonly found: readonly RankedPlace[]
  /** There was more in it than Overpass was allowed to tell, so not surely the nearest. */
  readonly isCut: boolean
}

/**
 * Places from OpenStreetMap. With rank `prominence` the best known are chosen out of the nearest 60 or more, not of
 * all in the circle. A type is looked for among the things that the rings bring, a keyword by Overpass itself.
 */
export class OverpassPlaces implements Provider {
  readonly name = 'overpass'
  readonly local = false
  readonly snaps = false
  readonly keeping: KeepingTerms = OSM_KEEPING
  readonly #endpoint: URL
  readonly #headers: Readonly<Record<string, string>>
  readonly #language: string | undefined
  readonly #asker: HttpAsker

  /** @throws {TypeError} when the base URL isn't one. */
  constructor({
    baseUrl = overpassBaseUrl,
    bodyBytesMax,
    language,
    userAgent,
    wallMs,
  }: OverpassPlacesOptions) {
    this.#endpoint = new URL(PATH, baseUrl)
    this.#headers = {
      'content-type': 'application/x-www-form-urlencoded',
      'user-agent': userAgent ?? herdUserAgent(),
    }
    this.#language = language
    this.#asker = new HttpAsker({ source: 'Overpass', bodyBytesMax, wallMs })
  }

  async search(query: PlacesQuery, signal: AbortSignal, nextCall?: NextCall): Promise<PlacesBody> {
    const whole = Math.max(RADIUS_METRES_MIN, query.radiusMetres)
    const enough = query.rank === 'distance' ? PAGE_ITEMS : PROMINENT_MIN
    let found: readonly RankedPlace[] = []
    /** All within it is known. */
    let known = 0
    /** This is too much. */
    let tooWide = Number.POSITIVE_INFINITY
    let radius = Math.min(whole, Math.max(RING_METRES_MIN, whole / RING_GROWTH ** (RINGS_MAX - 1)))
    for (let rings = 1; ; rings++) {
      if (rings > 1) nextCall?.()
      const ring = await this.#ask(query, radius, signal)
      // A ring that is cut still has places, though not surely the nearest: they are better than too few.
      if (!ring.isCut || ring.found.length > found.length) found = ring.found
      if (ring.isCut) tooWide = radius
      else known = radius
      const isDone = !ring.isCut && (found.length >= enough || known >= whole)
      if (isDone || rings === RINGS_MAX) return osmBody(found, query)
      radius =
        tooWide < Number.POSITIVE_INFINITY ? between(known, tooWide) : Math.min(whole, known * RING_GROWTH)
    }
  }

  async close(): Promise<void> {
    await this.#asker.close()
  }

  async #ask(query: PlacesQuery, radius: number, signal: AbortSignal): Promise<Ring> {
    const body = new URLSearchParams({ data: overpassQuery(query, radius) }).toString()
    const ask = { method: 'POST', url: this.#endpoint, headers: this.#headers, body } as const
    const answer = parseJson(await this.#asker.ask(ask, signal))
    const { elements, remark } = isFields(answer) ? answer : {}
    // Overpass tells with HTTP 200 that it ran out of time or memory, and gives what it had until then.
    const trouble = textOf(remark)?.trim().slice(0, REMARK_LENGTH_MAX)
    if (trouble !== undefined) {
      throw this.#asker.failed(`did not finish: ${trouble}`, 'UNKNOWN_ERROR', { mayRetry: true })
    }
    if (!Array.isArray(elements)) throw this.#asker.malformed()
    const things = listOf(elements).flatMap(thingOf)
    const found = things.flatMap((thing) => osmPlace(thing, query, this.#language) ?? [])
    return { found, isCut: elements.length > ELEMENTS_MAX }
  }
}

/** The geometric mean, with something to begin from. */
function between(known: number, tooWide: number): number {
  return Math.sqrt(Math.max(known, tooWide / RING_GROWTH ** 4) * tooWide)
}

/** What is sent to Overpass, in its query language. */
function overpassQuery({ locationText, keyword }: PlacesQuery, radius: number): string {
  const metres = Math.ceil(radius)
  const named = wordsOf(keyword).map((word) => `[name~"${quoted(word)}",i]`)
  const near = `nwr(around:${metres},${locationText})[name]${named.join('')}`
  const statements = [
    `${near}[~"^(${OSM_KEYS.join('|')})$"~"."];`,
    ...OSM_TAGS.map(([key, value]) => `${near}[${key}=${value}];`),
  ]
  return `[out:json][timeout:${TIMEOUT_SECONDS}];(${statements.join('')});out center ${ELEMENTS_MAX + 1};`
}

/** A word as a regular expression in a string: nothing in it means anything but itself. */
function quoted(word: string): string {
  return word.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&').replace(/[\\"]/g, '\\$&')
}

function thingOf(element: unknown): readonly OsmThing[] {
  const { type, id: givenId, lat, lon, center, tags: givenTags } = fieldsOf(element)
  const { lat: centerLat, lon: centerLon } = fieldsOf(center)
  const [id, latitude, longitude] = [
    numberOf(givenId),
    numberOf(lat ?? centerLat),
    numberOf(lon ?? centerLon),
  ]
  if (type !== 'node' && type !== 'way' && type !== 'relation') return []
  if (id === undefined || latitude === undefined || longitude === undefined) return []
  return [{ kind: KINDS[type], id, latitude, longitude, tags: tagsOf(givenTags) }]
}

function tagsOf(value: unknown): OsmTags {
  const tags = Object.entries(fieldsOf(value)).flatMap(([key, text]) =>
    typeof text === 'string' ? [[key, text] as const] : [],
  )
  return Object.fromEntries(tags)
}
