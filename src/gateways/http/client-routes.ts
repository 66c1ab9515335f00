import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Area } from '../../locations/index.ts'
import { KEYWORD_LENGTH_MAX } from '../../protocol/index.ts'
import { CallRefused } from '../calls/call-refused.ts'
import type { Caller, Calls } from '../calls/calls.ts'
import type { ClientFix } from '../calls/client-fix.ts'
import { CORNERS_MAX, polygonsOf } from '../calls/polygons.ts'
import { boxFromText, circleOf, EARTH_RADIUS_M } from './areas.ts'
import { callerOf } from './caller.ts'
import { fixJson } from './fix-json.ts'
import { featureCollectionOf, featureOf, GEOJSON_TYPE, isObject, wantsGeojson } from './geojson.ts'
import type { HttpContext } from './http-context.ts'
import {
  type BoxQuery,
  boxQuery,
  type FormatQuery,
  formatQuery,
  type NearQuery,
  nearQuery,
  type PageQuery,
  type PlacesQuery,
  pageQuery,
  placesQuery,
  type WithinQuery,
  withinQuery,
} from './query-schemas.ts'
import {
  answers,
  featureCollectionSchema,
  featureSchema,
  fixesSchema,
  fixPageSchema,
  fixSchema,
  placesSchema,
  polygonSchema,
} from './schemas.ts'
import type { FixesJson } from './shapes.ts'

/** How many answers there are to who doesn't say. */
const LIMIT_USUAL = 100
const RADIUS_KM_USUAL = 10
const ITEMS_USUAL = 20
const CONTROL = /\p{Cc}/u

/** Adds what tells of clients. */
export function addClientRoutes(app: FastifyInstance, context: HttpContext): void {
  addList(app, context)
  addOne(app, context)
  addNear(app, context)
  addWithin(app, context)
  addPlaces(app, context)
}

function addList(app: FastifyInstance, { calls, gatekeeper }: HttpContext): void {
  app.get<{ Querystring: PageQuery }>(
    '/v1/clients',
    {
      schema: {
        summary: 'All clients, a page at a time',
        tags: ['clients'],
        querystring: pageQuery,
        response: answers(fixPageSchema, featureCollectionSchema),
      },
    },
    async (request, reply) => {
      const { limit = LIMIT_USUAL, after = '0', max_age_s = null, format } = request.query
      const caller = callerOf(request, gatekeeper)
      const { fixes, next } = await calls.page(Number(after), limit, max_age_s, caller)
      const rest = next === null ? {} : { next: String(next) }
      return sendFixes(request, reply, { calls, format, fixes, rest })
    },
  )
}

function addOne(app: FastifyInstance, { calls, gatekeeper }: HttpContext): void {
  app.get<{ Params: { client: string }; Querystring: FormatQuery }>(
    '/v1/clients/:client',
    {
      schema: {
        summary: 'Where a client is',
        description:
          'With an ETag: who sends it back as If-None-Match is told 304 until there is a newer fix.',
        tags: ['clients'],
        querystring: formatQuery,
        response: answers(fixSchema, featureSchema),
      },
    },
    async (request, reply) => {
      const { client } = request.params
      const caller = callerOf(request, gatekeeper)
      const isGeojson = wantsGeojson(request, request.query.format, reply)
      // Weak: the age goes on while the fix stays the same.
      const tag = `W/"${calls.version(client, caller)}${isGeojson ? '-geo' : ''}"`
      void reply.header('etag', tag).header('cache-control', 'private, no-cache')
      if (matches(request.headers['if-none-match'], tag)) return reply.code(304).send()
      const fix = calls.fix(client, caller)
      if (!isGeojson) return fixJson(fix, calls.now)
      return reply.type(GEOJSON_TYPE).send(featureOf(fix, calls.now))
    },
  )
}

function addNear(app: FastifyInstance, context: HttpContext): void {
  const { calls, gatekeeper } = context
  app.get<{ Querystring: NearQuery }>(
    '/v1/near',
    {
      schema: {
        summary: 'Who is near a place or a client, the nearest first',
        tags: ['clients'],
        querystring: nearQuery,
        response: answers(fixesSchema, featureCollectionSchema),
      },
    },
    async (request, reply) => {
      const caller = callerOf(request, gatekeeper)
      const found = await near(calls, request.query, caller, () => !request.socket.destroyed)
      return sendFixes(request, reply, { calls, format: request.query.format, ...found })
    },
  )
}

/** What a search has found, and what is to be said besides. */
interface Found {
  readonly fixes: readonly ClientFix[]
  readonly rest: Pick<FixesJson, 'more'>
}

/**
 * Looks around a place, or around a client without itself.
 *
 * @param isWanted whether anybody still waits for it. @throws {CallRefused} as `Calls.search`, and for a query without a center.
 */
export async function near(
  calls: Calls,
  query: NearQuery,
  caller: Caller,
  isWanted: () => boolean,
): Promise<Found> {
  const { lat, lon, client, radius_m = EARTH_RADIUS_M, limit = LIMIT_USUAL, max_age_s } = query
  const hasPlace = lat !== undefined && lon !== undefined
  if (hasPlace === (client !== undefined) || (lat === undefined) !== (lon === undefined)) {
    throw new CallRefused('invalid', 'near what? lat and lon, or client, and not both')
  }
  const center =
    client === undefined ? { latitude: lat ?? 0, longitude: lon ?? 0 } : calls.fix(client, caller)
  const area = circleOf({ lat: center.latitude, lon: center.longitude, radius_m })
  return search(calls, { area, limit, max_age_s, except: client }, caller, isWanted)
}

async function search(
  calls: Calls,
  query: { area: Area; limit: number; max_age_s: number | undefined; except: string | undefined },
  caller: Caller,
  isWanted: () => boolean,
): Promise<Found> {
  const { area, limit, max_age_s: ageSecondsMax = null, except } = query
  // One more than was asked for shows that there are more; another may be the one in the middle.
  const items = limit + (except === undefined ? 1 : 2)
  const found = await calls.search({ area, items, ageSecondsMax }, caller, isWanted)
  const others = except === undefined ? found : found.filter(({ client }) => client !== except)
  return { fixes: others.slice(0, limit), rest: others.length > limit ? { more: true } : {} }
}

function addWithin(app: FastifyInstance, { calls, gatekeeper }: HttpContext): void {
  const schema = { tags: ['clients'], response: answers(fixesSchema, featureCollectionSchema) }
  const answer = async (
    request: FastifyRequest,
    reply: FastifyReply,
    area: Area,
    { limit = LIMIT_USUAL, max_age_s, format }: WithinQuery,
  ): Promise<unknown> => {
    const caller = callerOf(request, gatekeeper)
    const isWanted = (): boolean => !request.socket.destroyed
    const found = await search(calls, { area, limit, max_age_s, except: undefined }, caller, isWanted)
    return sendFixes(request, reply, { calls, format, ...found })
  }
  app.get<{ Querystring: BoxQuery }>(
    '/v1/within',
    { schema: { summary: 'Who is within a box, by ID', querystring: boxQuery, ...schema } },
    (request, reply) => answer(request, reply, boxFromText(request.query.box), request.query),
  )
  app.post<{ Querystring: WithinQuery; Body: unknown }>(
    '/v1/within',
    {
      schema: {
        summary: 'Who is within a Polygon or MultiPolygon of GeoJSON, by ID',
        querystring: withinQuery,
        body: polygonSchema,
        ...schema,
      },
    },
    (request, reply) => {
      const { body } = request
      const area = polygonsOf(isObject(body) && body.type === 'Feature' ? body.geometry : body)
      if (area === null) throw noPolygon()
      return answer(request, reply, area, request.query)
    },
  )
}

function noPolygon(): CallRefused {
  return new CallRefused(
    'invalid',
    `the body is a Polygon or MultiPolygon of GeoJSON: positions [lon, lat], each ring closed, at most ${CORNERS_MAX} corners`,
  )
}

function addPlaces(app: FastifyInstance, { calls, gatekeeper }: HttpContext): void {
  app.get<{ Params: { client: string }; Querystring: PlacesQuery }>(
    '/v1/clients/:client/places',
    {
      schema: {
        summary: 'Places near a client',
        description: 'The text of a Nearby Search (legacy) of Google, byte for byte as WHATSAT gives it.',
        tags: ['clients'],
        querystring: placesQuery,
        response: answers(placesSchema, null),
      },
    },
    async (request, reply) => {
      const { radius_km = RADIUS_KM_USUAL, items = ITEMS_USUAL, type, keyword, rank } = request.query
      const operands = {
        ...(type !== undefined && { type }),
        ...(keyword !== undefined && { keyword: keywordOf(keyword) }),
        ...(rank !== undefined && { rank }),
      }
      const caller = callerOf(request, gatekeeper)
      const { text } = await calls.places(request.params.client, radius_km * 1000, items, operands, caller)
      return reply.type('application/json; charset=utf-8').serializer(String).send(text)
    },
  )
}

function keywordOf(keyword: string): string {
  const isWords = keyword.trim() !== '' && !CONTROL.test(keyword)
  if (isWords && Array.from(keyword).length <= KEYWORD_LENGTH_MAX) return keyword
  const most = `at most ${KEYWORD_LENGTH_MAX} characters, none of them a control character`
  throw new CallRefused('invalid', `the keyword is no words: it has ${most}`)
}

/** Answers with fixes in the form that is wanted. */
function sendFixes(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: {
    readonly calls: Calls
    readonly format: FormatQuery['format']
    readonly fixes: readonly ClientFix[]
    readonly rest: { readonly next?: string; readonly more?: true }
  },
): unknown {
  const { calls, format, fixes, rest } = answer
  const { now } = calls
  void reply.header('cache-control', 'no-store')
  if (!wantsGeojson(request, format, reply)) return { fixes: fixes.map((fix) => fixJson(fix, now)), ...rest }
  return reply.type(GEOJSON_TYPE).send({ ...featureCollectionOf(fixes, now), ...rest })
}

/** Whether `If-None-Match` names a tag; all are compared as weak ones. */
function matches(header: string | undefined, tag: string): boolean {
  if (header === undefined) return false
  const opaque = tag.replace('W/', '')
  return header.split(',').some((one) => one.trim() === '*' || one.trim().replace('W/', '') === opaque)
}
