/** Stands in, in tests, for Google's Places API (New): `places:searchNearby`. */
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
  sevenDecimals,
} from './places-stand-in.ts'

const PATH = '/v1/places:searchNearby'
/** Every field of a place that a mask may name here. */
const FIELDS = new Set([
  ...['id', 'displayName', 'location', 'viewport', 'businessStatus', 'types', 'iconMaskBaseUri'],
  ...['iconBackgroundColor', 'photos', 'plusCode', 'shortFormattedAddress', 'attributions'],
  ...['rating', 'userRatingCount', 'priceLevel', 'currentOpeningHours'],
])
const REQUEST_FIELDS = new Set([
  ...[
    'locationRestriction',
    'maxResultCount',
    'rankPreference',
    'includedTypes',
    'languageCode',
    'regionCode',
  ],
])
/** Types that the new API can be asked for; a wrong one is an error there. */
const TYPES = new Set(['library', 'cafe', 'museum', 'lodging', 'restaurant', 'park'])
const PRICE_LEVELS = ['FREE', 'INEXPENSIVE', 'MODERATE', 'EXPENSIVE', 'VERY_EXPENSIVE']

interface Ask {
  readonly latitude: number
  readonly longitude: number
  readonly radius: number
  readonly count: number
  readonly byDistance: boolean
  readonly types: readonly string[]
}

/** A server on the loopback interface that answers like the new API, or fails on demand. */
export class GoogleNewStandIn extends PlacesStandIn {
  /** Starts one. Keys but `key` are denied. */
  static async start({ key }: { readonly key: string }): Promise<GoogleNewStandIn> {
    return new GoogleNewStandIn(await listening(0), apiOf(key))
  }
}

function apiOf(key: string): StandInApi {
  return {
    complaintAbout: (request) => complaintAbout(request, key),
    answerTo: (request) => JSON.stringify(answer(request), null, 2),
    emptyAnswer: () => '{}\n',
    failures: FAILURES,
    keyOf: ({ headers }) => headers['x-goog-api-key'] ?? '',
  }
}

function complaintAbout(request: SeenRequest, key: string): StandInReply | undefined {
  const { method, path, headers, body } = request
  if (path !== PATH || method !== 'POST') return { httpStatus: 404, body: '<p>Not found.</p>' }
  const sent = headers['x-goog-api-key']
  if (sent === undefined) return error(403, 'PERMISSION_DENIED', 'Method doesn’t allow unregistered callers.')
  if (sent !== key) {
    const details = [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }]
    return error(400, 'INVALID_ARGUMENT', `API key not valid: ${sent}`, details)
  }
  const mask = headers['x-goog-fieldmask']?.split(',') ?? []
  if (mask.length === 0) return invalid('FieldMask is a required parameter.')
  const unknown = mask.find((field) => !field.startsWith('places.') || !FIELDS.has(field.slice(7)))
  if (unknown !== undefined) return invalid(`Cannot find matching fields for path '${unknown}'.`)
  const ask = readAsk(body)
  return typeof ask === 'string' ? invalid(ask) : undefined
}

/** What is asked, or what is wrong with it. */
function readAsk(text: string): Ask | string {
  const body = JSON.parse(text)
  const strange = Object.keys(body).find((name) => !REQUEST_FIELDS.has(name))
  if (strange !== undefined) return `Invalid JSON payload received. Unknown name "${strange}".`
  const { center, radius } = body.locationRestriction?.circle ?? {}
  if (!(radius > 0 && radius <= 50_000)) return 'radius must be greater than 0 and at most 50000.'
  if (!(Math.abs(center?.latitude) <= 90 && Math.abs(center?.longitude) <= 180)) return 'Invalid LatLng.'
  const { maxResultCount: count = 20, rankPreference: rank = 'POPULARITY', includedTypes: types = [] } = body
  if (!(count >= 1 && count <= 20)) return 'max_result_count must be between 1 and 20.'
  if (rank !== 'POPULARITY' && rank !== 'DISTANCE') return 'Invalid value at rank_preference.'
  const wrong = types.find((type: string) => !TYPES.has(type))
  if (wrong !== undefined) return `Unsupported types: ${wrong}.`
  return { ...center, radius, count, byDistance: rank === 'DISTANCE', types }
}

function answer({ headers, body }: SeenRequest): object {
  const ask = readAsk(body)
  if (typeof ask === 'string') return {}
  const mask = new Set(headers['x-goog-fieldmask']?.split(',').map((field) => field.slice('places.'.length)))
  const found = placesAround(ask.latitude, ask.longitude)
    .filter(
      ({ metres, type }) => metres <= ask.radius && (ask.types.length === 0 || ask.types.includes(type)),
    )
    .sort((a, b) => (ask.byDistance ? a.metres - b.metres : popularityOf(b) - popularityOf(a)))
    .slice(0, ask.count)
  const places = found.map((place) =>
    Object.fromEntries(Object.entries(newPlace(place)).filter(([field]) => mask.has(field))),
  )
  return places.length === 0 ? {} : { places }
}

function popularityOf({ number }: MadeUpPlace): number {
  return (number * 17) % 41
}

function newPlace(place: MadeUpPlace): object {
  const { number, name, type, latitude, longitude } = place
  const id = `ChIJnew${String(number).padStart(2, '0')}i8woARb7hLs0Hb1xA`
  const corner = (by: number) => ({
    latitude: sevenDecimals(latitude + by),
    longitude: sevenDecimals(longitude + by),
  })
  return {
    id,
    types: [type, 'point_of_interest', 'establishment'],
    plusCode: { globalCode: '85633HC5+7X', compoundCode: '3HC5+7X Los Angeles, CA, USA' },
    location: { latitude, longitude },
    viewport: { low: corner(-0.0013), high: corner(0.0013) },
    rating: 4 + (number % 10) / 10,
    businessStatus: number % 9 === 8 ? 'CLOSED_PERMANENTLY' : 'OPERATIONAL',
    priceLevel: `PRICE_LEVEL_${PRICE_LEVELS[number % 5]}`,
    attributions:
      number === 0
        ? [{ provider: 'A & B <Listings>', providerUri: 'https://listings.example/?a&b' }]
        : undefined,
    userRatingCount: 100 + number,
    iconMaskBaseUri: 'https://maps.gstatic.com/mapfiles/place_api/icons/v2/generic_pinlet',
    iconBackgroundColor: '#7B9EB0',
    displayName: { text: name, languageCode: 'en' },
    currentOpeningHours: { openNow: number % 3 !== 0 },
    photos: [
      {
        name: `places/${id}/photos/AUacShh${number}`,
        widthPx: 4032,
        heightPx: 3024,
        authorAttributions: [{ displayName: 'A visitor', uri: `//maps.google.com/maps/contrib/10${number}` }],
      },
    ],
    shortFormattedAddress: `${number + 1} Westwood Plaza, Los Angeles`,
  }
}

const FAILURES: StandInFailures = {
  'over-query-limit': () => error(429, 'RESOURCE_EXHAUSTED', 'Quota exceeded for quota metric.'),
  'request-denied': ({ headers }) =>
    error(403, 'PERMISSION_DENIED', `Requests with key ${headers['x-goog-api-key']} are blocked.`),
  'invalid-request': () => invalid('Invalid value.'),
  'unknown-error': () => error(503, 'UNAVAILABLE', 'The service is currently unavailable.'),
}

function invalid(message: string): StandInReply {
  return error(400, 'INVALID_ARGUMENT', message)
}

function error(code: number, status: string, message: string, details?: readonly object[]): StandInReply {
  return jsonReply(code, { error: { code, message, status, details } })
}
