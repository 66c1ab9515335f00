/** Stands in, in tests, for a Photon server: `/reverse`. */
import {
  jsonReply,
  listening,
  type MadeUpPlace,
  PlacesStandIn,
  placesAround,
  type SeenRequest,
  type StandInApi,
  type StandInFailures,
  type StandInReply,
} from './places-stand-in.ts'

const PARAMETERS = new Set(['lat', 'lon', 'radius', 'limit', 'lang', 'osm_tag', 'distance_sort'])
const LANGUAGES = new Set(['default', 'de', 'en', 'fr'])
const LIMIT_MAX = 50
const RADIUS_KM_MAX = 5_000

/** A server on the loopback interface that answers like Photon, or fails on demand. */
export class PhotonStandIn extends PlacesStandIn {
  /** Starts one. */
  static async start(): Promise<PhotonStandIn> {
    return new PhotonStandIn(await listening(0), api)
  }
}

const FAILURES: StandInFailures = {
  'over-query-limit': () => jsonReply(429, { message: 'Too many requests' }),
  'request-denied': () => jsonReply(403, { message: 'You have been blocked' }),
  'invalid-request': () => bad('Bad request'),
  'unknown-error': () => jsonReply(500, { message: 'Search failed' }),
}

const api: StandInApi = {
  complaintAbout,
  answerTo: (request) => collectionOf(featuresFor(request)),
  emptyAnswer: () => collectionOf([]),
  failures: FAILURES,
  keyOf: () => '',
}

function complaintAbout({ method, path, query }: SeenRequest): StandInReply | undefined {
  if (path !== '/reverse' || method !== 'GET') return jsonReply(404, { message: 'Endpoint not found' })
  const unknown = [...query.keys()].find((name) => !PARAMETERS.has(name))
  if (unknown !== undefined) return bad(`unknown query parameter '${unknown}'.`)
  const number = (name: string) => Number(query.get(name) ?? Number.NaN)
  if (!(Math.abs(number('lat')) <= 90)) return bad("missing or invalid search term 'lat'")
  if (!(Math.abs(number('lon')) <= 180)) return bad("missing or invalid search term 'lon'")
  if (!(number('radius') > 0 && number('radius') <= RADIUS_KM_MAX)) {
    return bad("invalid search term 'radius', expected a strictly positive number.")
  }
  const language = query.get('lang') ?? 'default'
  return LANGUAGES.has(language) ? undefined : bad(`language ${language} is not supported`)
}

function featuresFor({ query }: SeenRequest): readonly object[] {
  const tags = query.getAll('osm_tag')
  const limit = Math.min(LIMIT_MAX, Math.max(1, Number(query.get('limit') ?? 1)))
  return placesAround(Number(query.get('lat')), Number(query.get('lon')))
    .filter(({ metres, tag: [key, value] }) => {
      const isAsked = tags.length === 0 || tags.includes(key) || tags.includes(`${key}:${value}`)
      return isAsked && metres <= Number(query.get('radius')) * 1_000
    })
    .slice(0, limit)
    .map((place) => featureOf(place, query.get('lang')))
}

function featureOf(place: MadeUpPlace, language: string | null): object {
  const { number, name, tag, latitude, longitude } = place
  const [osm_key, osm_value] = tag
  const address = { street: 'Westwood Plaza', housenumber: String(number) }
  return {
    type: 'Feature',
    geometry: { type: 'Point', coordinates: [longitude, latitude] },
    properties: {
      osm_type: ['N', 'W', 'R'][number % 3],
      osm_id: 1_000 + number,
      osm_key,
      osm_value,
      type: 'house',
      name: language === 'de' ? `${name} (deutsch)` : name,
      ...(number % 4 === 0 ? address : {}),
      district: 'Westwood',
      city: 'Los Angeles',
      county: 'Los Angeles County',
      countrycode: 'US',
    },
  }
}

function collectionOf(features: readonly object[]): string {
  return JSON.stringify({ type: 'FeatureCollection', features })
}

function bad(message: string): StandInReply {
  return jsonReply(400, { message })
}
