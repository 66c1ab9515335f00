/** What the sources of OpenStreetMap have in common: a thing with tags becomes a place, is ranked and credited. */
import { readFileSync } from 'node:fs'
import { ellipsoidMetres } from '../../locations/distance.ts'
import { type ClassicPlace, classicBody } from '../classic-place.ts'
import { nameOfOsm, type OsmTags, typesOfOsm } from '../osm-types.ts'
import { prominenceOf } from '../prominence.ts'
import { type KeepingTerms, PAGE_ITEMS, type PlacesBody, type PlacesQuery } from '../provider.ts'
import { fieldsOf, parseJson, textOf } from './json-fields.ts'
import { hasWords } from './place-words.ts'

/** The credit that the Open Database License asks for. */
export const OSM_CREDIT =
  '© <a href="https://www.openstreetmap.org/copyright">OpenStreetMap contributors</a>, ODbL'

/** The map changes slowly, and its license lets anybody keep it. */
export const OSM_KEEPING: KeepingTerms = { freshMs: 3600_000, staleMs: 24 * 3600_000 }

/** The keys whose things are asked for: one of them, with any value. */
export const OSM_KEYS = ['amenity', 'shop', 'tourism', 'leisure', 'historic', 'office'] as const
/** And those that are asked for with one value only. */
export const OSM_TAGS = [
  ['aeroway', 'aerodrome'],
  ['railway', 'station'],
] as const

/** A thing of OpenStreetMap. */
export interface OsmThing {
  readonly kind: 'n' | 'w' | 'r'
  readonly id: number
  /** Of ways and relations, the centre. Decimal degrees. */
  readonly latitude: number
  readonly longitude: number
  readonly tags: OsmTags
}

/** A place with what it is ranked by. */
export interface RankedPlace {
  readonly place: ClassicPlace
  readonly metres: number
  readonly prominence: number
}

/**
 * A thing as a place; undefined when it has no name, is no place, or isn't asked for.
 *
 * @param vicinity where the tags have no address
 */
export function osmPlace(
  { kind, id, latitude, longitude, tags }: OsmThing,
  query: PlacesQuery,
  language?: string,
  vicinity?: string,
): RankedPlace | undefined {
  const metres = ellipsoidMetres(query.latitude, query.longitude, latitude, longitude)
  const name = nameOfOsm(tags, language)
  const types = typesOfOsm(tags)
  if (metres > query.radiusMetres || name === undefined || types.length === 0) return undefined
  if (query.type !== undefined && !types.includes(query.type)) return undefined
  const { name: nameOnSite = '', wikidata, wikipedia } = tags
  const words = [name, nameOnSite, ...types.map((type) => type.replaceAll('_', ' '))]
  if (!hasWords(query.keyword, words)) return undefined
  const placeId = `osm:${kind}${id}`
  const place: ClassicPlace = {
    geometry: { location: { lat: latitude, lng: longitude } },
    name,
    place_id: placeId,
    reference: placeId,
    scope: 'OSM',
    types,
    vicinity: addressOf(tags) ?? vicinity,
  }
  const hasArticle = wikidata !== undefined || wikipedia !== undefined
  return { place, metres, prominence: prominenceOf({ types, hasArticle }) }
}

/**
 * The first 20 as a body, each place once: by distance, or by a guess how well known they are (`prominence.ts`:
 * what they are, and whether Wikipedia or Wikidata knows them), then by distance.
 */
export function osmBody(found: readonly RankedPlace[], { rank }: PlacesQuery): PlacesBody {
  const once = new Map(found.map((each) => [each.place.place_id, each]))
  const sorted = [...once.values()].sort(
    (a, b) =>
      (rank === 'distance' ? 0 : b.prominence - a.prominence) ||
      a.metres - b.metres ||
      (a.place.place_id < b.place.place_id ? -1 : 1),
  )
  const places = sorted.slice(0, PAGE_ITEMS).map(({ place }) => place)
  return { ...classicBody(places, places.length === 0 ? [] : [OSM_CREDIT]), usd: 0 }
}

/** What public servers ask for: who it is that asks, with the version of this package. */
export function herdUserAgent(): string {
  // Three folders up is the package's root, from `src` and from `dist`.
  const about = parseJson(readFileSync(new URL('../../../package.json', import.meta.url), 'utf8'))
  const { version } = fieldsOf(about)
  return `Herd/${textOf(version) ?? 'unknown'} (live locations; places for WHATSAT)`
}

function addressOf(tags: OsmTags): string | undefined {
  const street = tags['addr:street'] ?? tags['addr:place']
  const number = tags['addr:housenumber']
  const line = street === undefined || number === undefined ? street : `${street} ${number}`
  const parts = [line, tags['addr:city']].filter((part) => part !== undefined && part !== '')
  return parts.length === 0 ? undefined : parts.join(', ')
}
