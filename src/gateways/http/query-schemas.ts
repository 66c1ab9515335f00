/** The schemas of queries. */
import Type from 'typebox'
import { ITEMS_MAX, RADIUS_KM_MAX } from '../../protocol/index.ts'
import { EARTH_RADIUS_M } from './areas.ts'
import { clientId, latitude, longitude, object } from './schemas.ts'

/** Answers to one request at most; `limits.whosatItemsMax` may allow less. */
const LIMIT_MAX = 100_000
const LIMIT_USUAL = 100
/** An age or a time in seconds is less than this: the year 5138. */
const SECONDS_END = 100_000_000_000

const limit = Type.Optional(
  Type.Integer({ minimum: 1, maximum: LIMIT_MAX, default: LIMIT_USUAL, description: 'So many at most.' }),
)
const maxAge = Type.Optional(
  Type.Number({
    minimum: 0,
    maximum: SECONDS_END,
    description: 'Only fixes of at most this age, in seconds.',
  }),
)
const format = Type.Optional(
  Type.Enum(['json', 'geojson'], { description: 'Also by `Accept: application/geo+json`.' }),
)
const radius = Type.Number({
  minimum: 0,
  maximum: EARTH_RADIUS_M,
  description: 'Metres, on the ellipsoid.',
  examples: [1000],
})
const box = Type.String({
  description: 'west,south,east,north in degrees; where west is east of east, it crosses ±180°.',
  examples: ['-118.5,34,-118.4,34.1'],
})

/** In which form an answer is wanted. */
export interface FormatQuery {
  readonly format?: 'json' | 'geojson'
}

/** Of one client. */
export const formatQuery: Type.TObject = object<FormatQuery>('', { format })

/** Of a page of clients. */
export interface PageQuery extends FormatQuery {
  readonly limit?: number
  readonly after?: string
  readonly max_age_s?: number
}

/** Of a page of clients. */
export const pageQuery: Type.TObject = object<PageQuery>('', {
  ...{ limit, format, max_age_s: maxAge },
  after: Type.Optional(
    Type.String({
      pattern: '^[0-9]{1,10}$',
      description: '`next` of the page before. It holds on the server that gave it.',
    }),
  ),
})

/** Of what is near. */
export interface NearQuery extends FormatQuery {
  readonly lat?: number
  readonly lon?: number
  readonly client?: string
  readonly radius_m?: number
  readonly limit?: number
  readonly max_age_s?: number
}

/** What a search around something is told, in a query or in a message. */
export const nearMembers: { readonly [Name in keyof Required<Omit<NearQuery, 'format'>>]: Type.TSchema } = {
  lat: Type.Optional(latitude),
  lon: Type.Optional(longitude),
  client: Type.Optional({
    ...clientId,
    description: 'Instead of lat and lon: around this client, without it.',
  }),
  radius_m: Type.Optional(radius),
  limit,
  max_age_s: maxAge,
}

/** Of what is near. */
export const nearQuery: Type.TObject = object<NearQuery>('', { ...nearMembers, format })

/** Of what is within a polygon. */
export interface WithinQuery extends FormatQuery {
  readonly limit?: number
  readonly max_age_s?: number
}

/** Of what is within a polygon. */
export const withinQuery: Type.TObject = object<WithinQuery>('', { limit, format, max_age_s: maxAge })

/** Of what is within a box. */
export interface BoxQuery extends WithinQuery {
  readonly box: string
}

/** Of what is within a box. */
export const boxQuery: Type.TObject = object<BoxQuery>('', { box, limit, format, max_age_s: maxAge })

/** Of places. */
export interface PlacesQuery {
  readonly radius_km?: number
  readonly items?: number
  readonly type?: string
  readonly keyword?: string
  readonly rank?: 'prominence' | 'distance'
}

/** Of places. */
export const placesQuery: Type.TObject = object<PlacesQuery>('', {
  radius_km: Type.Optional(
    Type.Number({
      minimum: 0,
      maximum: RADIUS_KM_MAX,
      default: 10,
      description: 'Kilometres around the client.',
    }),
  ),
  items: Type.Optional(
    Type.Integer({
      minimum: 0,
      maximum: ITEMS_MAX,
      default: ITEMS_MAX,
      description: 'So many places at most.',
    }),
  ),
  type: Type.Optional(
    Type.String({
      pattern: '^[a-z][a-z0-9_]{0,63}$',
      description: 'A type of Google’s.',
      examples: ['cafe'],
    }),
  ),
  keyword: Type.Optional(Type.String({ description: 'Words to look for.' })),
  rank: Type.Optional(Type.Enum(['prominence', 'distance'])),
})

/** Of a stream. */
export interface StreamQuery {
  readonly client?: readonly string[]
  readonly lat?: number
  readonly lon?: number
  readonly radius_m?: number
  readonly box?: string
  readonly from?: 'all' | 'now'
  readonly last_event_id?: string
  readonly token?: string
}

/** Of a stream. */
export const streamQuery: Type.TObject = object<StreamQuery>('', {
  client: Type.Optional(
    Type.Array(Type.String(), {
      description:
        'Only these clients; several with commas, or repeated. A comma of an ID is %2C there, a percent sign %25.',
    }),
  ),
  lat: Type.Optional(latitude),
  lon: Type.Optional(longitude),
  radius_m: Type.Optional(radius),
  box: Type.Optional(box),
  from: Type.Optional(
    Type.Enum(['all', 'now'], {
      description: '`all`: what is known first (the usual). `now`: only what comes.',
    }),
  ),
  last_event_id: Type.Optional(
    Type.String({
      description: 'As the header Last-Event-ID: goes on from there. Any server of the herd knows it.',
    }),
  ),
  token: Type.Optional(Type.String({ description: 'For browsers, which can send no header with a stream.' })),
})
