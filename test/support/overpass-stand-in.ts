/** Stands in, in tests, for an Overpass server. It understands the queries that Herd sends, and no others. */
import { ellipsoidMetres } from '../../src/locations/distance.ts'
import {
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

const PATH = '/api/interpreter'
/** Who asks, and how to reach them. */
const AGENT = /^\S.* \(.+\)$/
const QUERY = /^\[out:json\]\[timeout:(\d+)\];\((.+)\);out center (\d+);$/
const STATEMENT =
  /nwr\(around:(\d+),(-?[\d.]+),(-?[\d.]+)\)\[name\]((?:\[name~"(?:[^"\\]|\\.)*",i\])*)(?:\[~"(\^\([a-z|]+\)\$)"~"\."\]|\[([a-z]+)=([a-z]+)\]);/y
const WORD = /\[name~"((?:[^"\\]|\\.)*)",i\]/g
/** Until when it has computed: the same each time. */
const HEADER = {
  version: 0.6,
  generator: 'Overpass API 0.7.62.7',
  osm3s: {
    timestamp_osm_base: '2026-11-20T12:00:00Z',
    copyright:
      'The data included in this document is from www.openstreetmap.org. It is made available under ODbL.',
  },
}

interface Statement {
  readonly radius: number
  readonly latitude: number
  readonly longitude: number
  readonly words: readonly RegExp[]
  readonly has: (tags: Readonly<Record<string, string>>) => boolean
}

/** A thing as Overpass gives it. */
export interface OverpassElement {
  readonly type: 'node' | 'way' | 'relation'
  readonly id: number
  readonly lat?: number
  readonly lon?: number
  readonly center?: { readonly lat: number; readonly lon: number }
  readonly tags: Readonly<Record<string, string>>
}

/** A server on the loopback interface that answers like Overpass, or fails on demand. */
export class OverpassStandIn extends PlacesStandIn {
  /** Starts one. `world` says what is around a position: some made-up places by default. */
  static async start(
    world: (latitude: number, longitude: number) => readonly OverpassElement[] = elementsAround,
  ): Promise<OverpassStandIn> {
    return new OverpassStandIn(await listening(0), apiOf(world))
  }
}

function apiOf(world: (latitude: number, longitude: number) => readonly OverpassElement[]): StandInApi {
  return {
    complaintAbout,
    answerTo: (request) => JSON.stringify({ ...HEADER, elements: elementsFor(request, world) }, null, 2),
    emptyAnswer: () => JSON.stringify({ ...HEADER, elements: [] }),
    failures: FAILURES,
    keyOf: () => '',
  }
}

function complaintAbout(request: SeenRequest): StandInReply | undefined {
  const { method, path, headers } = request
  if (path !== PATH || method !== 'POST') return { httpStatus: 404, body: '<p>Not found.</p>' }
  if (!AGENT.test(headers['user-agent'] ?? '')) return FAILURES['request-denied'](request)
  return readStatements(request) === undefined ? FAILURES['invalid-request'](request) : undefined
}

/** The statements and how many elements are wanted; undefined when it doesn't parse. */
function readStatements({ body }: SeenRequest): { all: readonly Statement[]; limit: number } | undefined {
  const query = QUERY.exec(new URLSearchParams(body).get('data') ?? '')
  if (query === null) return undefined
  const [, seconds = '', text = '', limit = ''] = query
  const all: Statement[] = []
  STATEMENT.lastIndex = 0
  while (STATEMENT.lastIndex < text.length) {
    const found = STATEMENT.exec(text)
    if (found === null) return undefined
    const [, radius, latitude, longitude, words = '', keys, key = '', value] = found
    const pattern = keys === undefined ? undefined : new RegExp(keys)
    all.push({
      radius: Number(radius),
      latitude: Number(latitude),
      longitude: Number(longitude),
      words: Array.from(
        words.matchAll(WORD),
        ([, word = '']) => new RegExp(word.replace(/\\(["\\])/g, '$1'), 'i'),
      ),
      has: (tags) =>
        pattern === undefined ? tags[key] === value : Object.keys(tags).some((name) => pattern.test(name)),
    })
  }
  return Number(seconds) <= 180 && all.every(({ radius }) => radius > 0)
    ? { all, limit: Number(limit) }
    : undefined
}

function elementsFor(
  request: SeenRequest,
  world: (latitude: number, longitude: number) => readonly OverpassElement[],
): readonly OverpassElement[] {
  const { all, limit } = readStatements(request) ?? { all: [], limit: 0 }
  const { latitude = 0, longitude = 0 } = all[0] ?? {}
  return world(latitude, longitude)
    .filter(({ lat, lon, center, tags }) => {
      const metres = ellipsoidMetres(latitude, longitude, lat ?? center?.lat ?? 0, lon ?? center?.lon ?? 0)
      return all.some(
        ({ radius, words, has }) =>
          metres <= radius && has(tags) && words.every((word) => word.test(nameOf(tags))),
      )
    })
    .sort((a, b) => a.type.localeCompare(b.type) || a.id - b.id)
    .slice(0, limit)
}

function nameOf({ name = '' }: Readonly<Record<string, string>>): string {
  return name
}

/** Nodes, ways and relations, with IDs that say nothing about where they are, and some that are no place. */
export function elementsAround(latitude: number, longitude: number): readonly OverpassElement[] {
  return placesAround(latitude, longitude).map(elementOf)
}

function elementOf({ number, name, tag: [key, value], latitude, longitude }: MadeUpPlace): OverpassElement {
  const type = (['node', 'way', 'relation'] as const)[number % 3] ?? 'node'
  const at = { lat: number === 0 ? latitude : sevenDecimals(latitude), lon: longitude }
  const address = {
    'addr:street': 'Westwood Plaza',
    'addr:housenumber': String(number),
    'addr:city': 'Los Angeles',
  }
  const tags = {
    [key]: value,
    name,
    'name:de': `${name} (deutsch)`,
    ...(number % 4 === 0 ? address : {}),
    ...(number % 10 === 7 ? { wikidata: `Q${number}` } : {}),
  }
  const id = 1_000 + ((number * 17) % 41) * 100 + number
  return type === 'node' ? { type, id, ...at, tags } : { type, id, center: at, tags }
}

const FAILURES: StandInFailures = {
  'over-query-limit': () => page(429, 'rate_limited'),
  'request-denied': () => page(403, 'blocked'),
  'invalid-request': () => page(400, 'Error: line 1: parse error: Unknown type'),
  'unknown-error': () => page(504, 'The server is probably too busy to handle your request.'),
}

function page(httpStatus: number, text: string): StandInReply {
  const body = `<?xml version="1.0"?><html><body><p>${text}</p></body></html>`
  return { httpStatus, headers: { 'content-type': 'text/html; charset=utf-8' }, body }
}
