/** OpenStreetMap by Photon: what lies nearest to a position. */
import type { KeepingTerms, PlacesBody, PlacesQuery, Provider } from '../provider.ts'
import { type Explanation, HttpAsker } from './http-asker.ts'
import { fieldsOf, isFields, listOf, numberOf, parseJson, textOf } from './json-fields.ts'
import {
  herdUserAgent,
  OSM_KEEPING,
  OSM_KEYS,
  OSM_TAGS,
  osmBody,
  osmPlace,
  type RankedPlace,
} from './osm-places.ts'

/** A public server. */
export const photonBaseUrl = 'https://photon.komoot.io'

const PATH = '/reverse'
/** What a server gives at most, unless its operator allows more. */
const FEATURES_MAX = 50
/** Photon takes no circle without an area. */
const RADIUS_METRES_MIN = 1
/** What a server knows names in, unless it was set up with more: another is an error there, so it isn't sent. */
const LANGUAGES: ReadonlySet<string> = new Set(['de', 'en', 'fr'])
const KINDS: ReadonlyMap<unknown, 'n' | 'w' | 'r'> = new Map([
  ['N', 'n'],
  ['W', 'w'],
  ['R', 'r'],
])

/** What the provider is made of. */
export interface PhotonPlacesOptions {
  /** Where Photon is, without its path: `photonBaseUrl` by default. */
  readonly baseUrl?: string | undefined
  /** A body, uncompressed, bytes. */
  readonly bodyBytesMax: number
  /** The language of names, a tag such as `en`. But for German, English and French, names are as on site. */
  readonly language?: string | undefined
  /** Who asks. Public servers want to know it, best with an address to write to. */
  readonly userAgent?: string | undefined
  /** Milliseconds since the POSIX epoch. */
  readonly wallMs: () => number
}

/**
 * Places from OpenStreetMap. Photon gives the nearest 50 and one tag of each: a type, a keyword and the rank
 * `prominence` choose among those, so the farther part of a large circle may not be seen.
 */
export class PhotonPlaces implements Provider {
  readonly name = 'photon'
  readonly local = false
  readonly snaps = false
  readonly keeping: KeepingTerms = OSM_KEEPING
  readonly #endpoint: URL
  readonly #headers: Readonly<Record<string, string>>
  readonly #asker: HttpAsker

  /** @throws {TypeError} when the base URL isn't one. */
  constructor({ baseUrl = photonBaseUrl, bodyBytesMax, language, userAgent, wallMs }: PhotonPlacesOptions) {
    const url = new URL(PATH, baseUrl)
    url.searchParams.set('limit', String(FEATURES_MAX))
    const [base = ''] = (language ?? '').toLowerCase().split('-', 1)
    if (LANGUAGES.has(base)) url.searchParams.set('lang', base)
    for (const key of OSM_KEYS) url.searchParams.append('osm_tag', key)
    for (const [key, value] of OSM_TAGS) url.searchParams.append('osm_tag', `${key}:${value}`)
    this.#endpoint = url
    this.#headers = { 'user-agent': userAgent ?? herdUserAgent() }
    this.#asker = new HttpAsker({ source: 'Photon', bodyBytesMax, wallMs, explain })
  }

  async search(query: PlacesQuery, signal: AbortSignal): Promise<PlacesBody> {
    const url = new URL(this.#endpoint)
    url.searchParams.set('lat', String(query.latitude))
    url.searchParams.set('lon', String(query.longitude))
    url.searchParams.set('radius', String(Math.max(RADIUS_METRES_MIN, query.radiusMetres) / 1_000))
    const answer = parseJson(await this.#asker.ask({ method: 'GET', url, headers: this.#headers }, signal))
    const { features } = isFields(answer) ? answer : {}
    if (!Array.isArray(features)) throw this.#asker.malformed()
    return osmBody(
      listOf(features).flatMap((feature) => placeOf(feature, query) ?? []),
      query,
    )
  }

  async close(): Promise<void> {
    await this.#asker.close()
  }
}

function explain(text: string): Explanation {
  const { message } = fieldsOf(parseJson(text))
  return { message: textOf(message) }
}

function placeOf(feature: unknown, query: PlacesQuery): RankedPlace | undefined {
  const { geometry, properties } = fieldsOf(feature)
  const { coordinates } = fieldsOf(geometry)
  const [longitude, latitude] = listOf(coordinates).map(numberOf)
  const { osm_type, osm_id, osm_key, osm_value, name, ...address } = fieldsOf(properties)
  const [kind, id] = [KINDS.get(osm_type), numberOf(osm_id)]
  const [key, value] = [textOf(osm_key), textOf(osm_value)]
  if (kind === undefined || id === undefined || latitude === undefined || longitude === undefined)
    return undefined
  if (key === undefined || value === undefined) return undefined
  const tags = { [key]: value, ...textsOf({ name, ...addressOf(address) }) }
  const { district, city, county } = address
  const vicinity = [textOf(district), textOf(city) ?? textOf(county)].filter((part) => part !== undefined)
  return osmPlace(
    { kind, id, latitude, longitude, tags },
    query,
    undefined,
    vicinity.length === 0 ? undefined : vicinity.join(', '),
  )
}

/** Photon's names of what are tags on the map. */
function addressOf({
  street,
  housenumber,
  city,
}: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  if (street === undefined) return {}
  return { 'addr:street': street, 'addr:housenumber': housenumber, 'addr:city': city }
}

function textsOf(fields: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const texts = Object.entries(fields).flatMap(([name, value]) =>
    typeof value === 'string' && value !== '' ? [[name, value] as const] : [],
  )
  return Object.fromEntries(texts)
}
