/** Stands in, in tests, for the recent search of X. */
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

const PATH = '/2/tweets/search/recent'
const QUERY = /^((?:"[^"]+" )*)point_radius:\[(-?\d+(?:\.\d+)?) (-?\d+(?:\.\d+)?) (\d+(?:\.\d+)?)km\]$/

/** How one is made. */
export interface XStandInOptions {
  /** Other tokens are denied. */
  readonly token: string
  /** `tweet.fields` by default; the other is unknown to it. */
  readonly fieldsParameter?: 'tweet.fields' | 'post.fields'
}

/** A server on the loopback interface that answers like X, or fails on demand. */
export class XStandIn extends PlacesStandIn {
  /** Starts one. */
  static async start({ token, fieldsParameter = 'tweet.fields' }: XStandInOptions): Promise<XStandIn> {
    return new XStandIn(await listening(0), apiOf(token, fieldsParameter))
  }
}

function apiOf(token: string, fieldsParameter: string): StandInApi {
  return {
    complaintAbout: (request) => complaintAbout(request, token, fieldsParameter),
    answerTo: (request) => answer(request),
    emptyAnswer: () => '{"meta":{"result_count":0}}',
    failures: FAILURES,
    keyOf: tokenOf,
  }
}

function tokenOf({ headers }: SeenRequest): string {
  const { authorization = '' } = headers
  return authorization.replace(/^Bearer /, '')
}

function complaintAbout(request: SeenRequest, token: string, fields: string): StandInReply | undefined {
  const { method, path, query } = request
  if (path !== PATH || method !== 'GET') return { httpStatus: 404, body: '' }
  if (tokenOf(request) !== token) return problem(401, 'Unauthorized', 'Unauthorized')
  const known = new Set(['query', 'max_results', 'expansions', 'place.fields', fields])
  const unknown = [...query.keys()].find((name) => !known.has(name))
  if (unknown !== undefined)
    return invalid(unknown, `The query parameter [${unknown}] is not one of [${[...known].join()}]`)
  const count = Number(query.get('max_results') ?? 10)
  if (!(count >= 10 && count <= 100)) return invalid('max_results', 'max_results is not between 10 and 100')
  const [, , longitude, latitude, kilometres] = QUERY.exec(query.get('query') ?? '') ?? []
  const isPlace = Math.abs(Number(longitude)) <= 180 && Math.abs(Number(latitude)) <= 90
  if (!isPlace) return invalid('query', 'There were errors processing your request: no viable alternative')
  const isRadius = Number(kilometres) > 0 && Number(kilometres) < 40
  return isRadius ? undefined : invalid('query', 'The radius of point_radius must be less than 25 miles')
}

function answer({ query }: SeenRequest): string {
  const [, words = '', longitude, latitude, kilometres] = QUERY.exec(query.get('query') ?? '') ?? []
  const wanted = Array.from(words.matchAll(/"([^"]+)"/g), ([, word = '']) => word.toLowerCase())
  const found = placesAround(Number(latitude), Number(longitude))
    .filter(({ metres, name }) => {
      return metres <= Number(kilometres) * 1_000 && wanted.every((word) => name.toLowerCase().includes(word))
    })
    .sort((a, b) => idOf(b) - idOf(a))
    .slice(0, Number(query.get('max_results')))
  if (found.length === 0) return '{"meta":{"result_count":0}}'
  const [newest, oldest] = [found[0], found.at(-1)].map((place) => `18000000000000${place && idOf(place)}`)
  const meta = {
    newest_id: newest,
    oldest_id: oldest,
    result_count: found.length,
    next_token: 'b26v89c19zqg8o3f',
  }
  const users = [{ id: '2244994945', name: 'A visitor', username: 'visitor' }]
  // X writes everything on one line; the slashes are escaped, as only some writers of JSON do.
  return JSON.stringify({ data: found.map(postOf), includes: { users }, meta }).replaceAll('/', '\\/')
}

/** The larger, the newer: in another order than the distance. */
function idOf({ number }: MadeUpPlace): number {
  return 1_000 + ((number * 17) % 41) * 50 + number
}

function postOf(place: MadeUpPlace): object {
  return {
    id: `18000000000000${idOf(place)}`,
    text: `At ${place.name}!\n\nhttps://t.co/${place.number}`,
    author_id: '2244994945',
    created_at: '2026-11-20T12:00:00.000Z',
    geo: {
      place_id: '01a9a39529b27f36',
      coordinates: { type: 'Point', coordinates: [place.longitude, place.latitude] },
    },
  }
}

const FAILURES: StandInFailures = {
  'over-query-limit': () => problem(429, 'Too Many Requests', 'Too Many Requests'),
  'request-denied': (request) =>
    problem(403, 'Forbidden', `The token ${tokenOf(request)} is of no project with access.`),
  'invalid-request': () => invalid('query', 'Invalid value'),
  'unknown-error': () => problem(503, 'Service Unavailable', 'Service Unavailable'),
}

function invalid(parameter: string, message: string): StandInReply {
  const detail = 'One or more parameters to your request was invalid.'
  const errors = [{ parameters: { [parameter]: [] }, message }]
  return jsonReply(400, {
    errors,
    title: 'Invalid Request',
    detail,
    type: 'https://api.x.com/2/problems/invalid-request',
  })
}

function problem(status: number, title: string, detail: string): StandInReply {
  return jsonReply(status, { title, type: 'about:blank', status, detail })
}
