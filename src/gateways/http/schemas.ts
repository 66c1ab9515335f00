/**
 * The schemas of what goes over HTTP and WebSocket: what is checked, and what `/openapi.json` says. Units are in the names: metres,
 * metres a second, degrees.
 */
import Type from 'typebox'
import { CLIENT_BYTES_MAX } from '../calls/report.ts'
import type {
  BudgetJson,
  FeatureCollectionJson,
  FeatureJson,
  FixesJson,
  FixJson,
  FixPageJson,
  HealthJson,
  HerdJson,
  HerdServerJson,
  LinkHealthJson,
  NotReportedJson,
  ProblemJson,
  ReportedJson,
  ReportJson,
} from './shapes.ts'
import { showOnly } from './validation.ts'

/** An object whose members must be named exactly as in `Shape`. */
export function object<Shape>(
  description: string,
  members: { readonly [Name in keyof Required<Shape>]: Type.TSchema },
): Type.TObject {
  const properties: Type.TProperties = { ...members }
  return Type.Object(properties, { additionalProperties: false, description })
}

/** Degrees. */
export const latitude: Type.TNumber = Type.Number({ minimum: -90, maximum: 90, description: 'Degrees.' })
/** Degrees. */
export const longitude: Type.TNumber = Type.Number({ minimum: -180, maximum: 180, description: 'Degrees.' })
const tags = Type.Record(Type.String(), Type.String(), {
  description: 'Whatever else a client says of itself.',
})
const optionalNumber = (description: string, bounds: Type.TNumberOptions = {}): Type.TSchema =>
  Type.Optional(Type.Number({ ...bounds, description }))
const attributes = {
  altitude_m: optionalNumber('Metres above the ellipsoid.'),
  accuracy_m: optionalNumber('Metres, within which the client is with 68 % probability.', { minimum: 0 }),
  speed_mps: optionalNumber('Metres a second over ground.', { minimum: 0 }),
  heading_deg: optionalNumber('Degrees clockwise from north.', { minimum: 0, maximum: 360 }),
  battery_pct: optionalNumber('Charge in percent.', { minimum: 0, maximum: 100 }),
  tags: Type.Optional(tags),
}

/** What is wrong. */
export const problemSchema: Type.TObject = object<ProblemJson>('What is wrong: RFC 9457.', {
  type: Type.String({ description: '`urn:herd:` and a code for programs.' }),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String({ description: 'What was wrong, and what would be right.' }),
})

/** The ID of a client. */
export const clientId: Type.TSchema = Type.String({
  minLength: 1,
  maxLength: CLIENT_BYTES_MAX,
  description: 'The ID of a client: no white space.',
  examples: ['kiwi.cs.ucla.edu'],
})

/** A report. */
export const reportSchema: Type.TObject = object<ReportJson>('Where a client is: lat and lon, or position.', {
  client: clientId,
  lat: Type.Optional(latitude),
  lon: Type.Optional(longitude),
  position: Type.Optional(
    Type.String({
      maxLength: 256,
      description: 'Instead of lat and lon: ISO 6709 as IAMAT has it, kept to the last digit.',
      examples: ['+34.068930-118.445127'],
    }),
  ),
  time: Type.Optional(
    Type.Unsafe({
      type: ['string', 'number'],
      maxLength: 256,
      minimum: 0,
      description:
        'When the client was there: RFC 3339, or seconds since 1970, as a text to the nanosecond. Without it: now.',
      examples: ['2026-11-21T12:00:00.000000001Z', '1479413884.392014450'],
    }),
  ),
  ...attributes,
})

/** What became of a report. */
export const reportedSchema: Type.TObject = object<ReportedJson>('What became of a report.', {
  client: Type.String(),
  outcome: Type.Enum(['new', 'not-newer', 'too-old'], {
    description:
      '`new`: the herd knows it now. `not-newer`: it, or something newer, was known. `too-old`: older than what is remembered.',
  }),
  at: Type.String({ description: 'The AT line that answers an IAMAT.' }),
})

/** A report that was not taken. */
const notReportedSchema = object<NotReportedJson>('Of many, one that was not taken.', {
  client: Type.Union([Type.String(), Type.Null()]),
  problem: problemSchema,
})

/** The newest fix of a client. */
export const fixSchema: Type.TObject = object<FixJson>('The newest fix of a client.', {
  client: clientId,
  server: Type.String({ description: 'The server that accepted it.' }),
  lat: latitude,
  lon: longitude,
  position: Type.String({ description: 'As the client wrote it, ISO 6709.' }),
  time: Type.String({ description: 'The client’s own time, RFC 3339 to the nanosecond.' }),
  time_ns: Type.String({ description: 'The same in nanoseconds since 1970.' }),
  received_at: Type.String({ description: 'When the server received it.' }),
  skew_s: Type.Number({ description: 'Received minus client’s time, in seconds.' }),
  age_s: Type.Number({ description: 'Seconds since the client’s time, when this was written.' }),
  ...attributes,
})

/** A page of fixes. */
export const fixPageSchema: Type.TObject = object<FixPageJson>('Fixes of some clients.', {
  fixes: Type.Array(fixSchema),
  next: Type.Optional(
    Type.String({ description: 'What to ask for next, as `after`; absent: that was all.' }),
  ),
})

const more = Type.Optional(Type.Literal(true, { description: 'There are more than were asked for.' }))

/** Fixes that were looked for. */
export const fixesSchema: Type.TObject = object<FixesJson>('Fixes that were looked for.', {
  fixes: Type.Array(fixSchema),
  more,
})

/** A fix as GeoJSON. */
export const featureSchema: Type.TObject = object<FeatureJson>('A fix as GeoJSON (RFC 7946).', {
  type: Type.Literal('Feature'),
  id: clientId,
  geometry: Type.Object({
    type: Type.Literal('Point'),
    coordinates: Type.Array(Type.Number(), {
      minItems: 2,
      maxItems: 3,
      description: 'Longitude, latitude, and altitude where it is known.',
    }),
  }),
  properties: Type.Omit(fixSchema, ['client', 'lat', 'lon', 'altitude_m']),
})

/** Fixes as GeoJSON. */
export const featureCollectionSchema: Type.TObject = object<FeatureCollectionJson>('Fixes as GeoJSON.', {
  type: Type.Literal('FeatureCollection'),
  features: Type.Array(featureSchema),
  next: Type.Optional(Type.String()),
  more,
})

/** What a route answers: JSON, GeoJSON where that is wanted, or a problem. */
export function answers(json: Type.TSchema, geojson: Type.TSchema | null): object {
  return {
    200: {
      description: 'What was asked for.',
      content: {
        'application/json': { schema: json },
        ...(geojson !== null && { 'application/geo+json': { schema: geojson } }),
      },
    },
    default: {
      description: 'What is wrong.',
      content: { 'application/problem+json': { schema: problemSchema } },
    },
  }
}

/** A Polygon or MultiPolygon; `polygonsOf` checks it. */
export const polygonSchema: Type.TObject = showOnly(
  Type.Object(
    {
      type: Type.Enum(['Polygon', 'MultiPolygon']),
      coordinates: Type.Array(Type.Unknown(), {
        description: 'Rings of [longitude, latitude], each closed.',
      }),
    },
    {
      description: 'A Polygon or MultiPolygon of GeoJSON, or a Feature of one.',
      examples: [
        {
          type: 'Polygon',
          coordinates: [
            [
              [-118.5, 34],
              [-118.4, 34],
              [-118.4, 34.1],
              [-118.5, 34],
            ],
          ],
        },
      ],
    },
  ),
)

/** Places, as Google's legacy API has them. */
export const placesSchema: Type.TObject = Type.Object(
  { status: Type.String({ examples: ['OK'] }), results: Type.Array(Type.Object({})) },
  { description: 'A Nearby Search (legacy) of Google.', additionalProperties: true },
)

/** What a stream answers. */
export const streamAnswers: object = {
  200: { description: 'Events.', content: { 'text/event-stream': { schema: Type.String() } } },
  default: {
    description: 'What is wrong.',
    content: { 'application/problem+json': { schema: problemSchema } },
  },
}

/** What brings reports; the route checks each for itself. */
export const reportBody: Type.TSchema = showOnly(
  Type.Union(
    [
      reportSchema,
      Type.Array(reportSchema, { maxItems: 1000 }),
      Type.Object(
        { type: Type.Enum(['Feature', 'FeatureCollection']) },
        {
          additionalProperties: true,
          description: 'GeoJSON of Points: `id` is the client, the properties are the rest of a report.',
        },
      ),
    ],
    {
      examples: [
        {
          client: 'kiwi.cs.ucla.edu',
          lat: 34.06893,
          lon: -118.445127,
          time: '2026-11-21T12:00:00Z',
          speed_mps: 1.4,
        },
      ],
    },
  ),
)

/** What becomes of reports. */
export const reportAnswers: object = answers(
  Type.Union([reportedSchema, Type.Array(Type.Union([reportedSchema, notReportedSchema]))]),
  null,
)

const linkHealthSchema = object<LinkHealthJson>('A link, as a server sees it.', {
  neighbor: Type.String(),
  open: Type.Boolean(),
  round_trip_ms: Type.Union([Type.Number(), Type.Null()]),
  queued: Type.Integer({ description: 'Fixes owed to the neighbor.' }),
  in_per_s: Type.Number({ description: 'AT lines a second from the neighbor.' }),
  out_per_s: Type.Number({ description: 'AT lines a second to the neighbor.' }),
})

const budgetSchema = object<BudgetJson>('What the herd may ask of a provider of places.', {
  provider: Type.String(),
  per: Type.Enum(['day', 'month']),
  period: Type.String(),
  budget: Type.Integer(),
  used_here: Type.Integer(),
  used_by_herd: Type.Integer(),
  left_here: Type.Integer(),
})

const healthSchema = object<HealthJson>('How a server is, as it says of itself every two seconds.', {
  version: Type.String(),
  run: Type.String({ description: 'New at each start.' }),
  age_s: Type.Number({ description: 'Seconds since this was heard.' }),
  up_s: Type.Number(),
  readiness: Type.Enum(['ready', 'catching up', 'alone']),
  clients: Type.Integer(),
  connections: Type.Integer(),
  watchers: Type.Integer(),
  fixes_per_s: Type.Number({ description: 'Fixes a second that were new to it.' }),
  accepted_per_s: Type.Number({ description: 'Reports a second of its own clients.' }),
  busy_pct: Type.Number({ description: 'The part of the time in which it was at work.' }),
  audits_failed: Type.Integer({ description: 'Times that tables differed which should not have.' }),
  clock_off_ms: Type.Union([Type.Number(), Type.Null()]),
  http: Type.Boolean(),
  mqtt: Type.Boolean(),
  links: Type.Array(linkHealthSchema),
  budgets: Type.Array(budgetSchema),
  vector: Type.String({ description: 'Of what it claims to hold.' }),
  table: Type.Optional(Type.String({ description: 'Of its table; absent while that changes.' })),
})

/** The herd as one server sees it. */
export const herdSchema: Type.TObject = object<HerdJson>('The herd as one server sees it.', {
  herd: Type.String(),
  server: Type.String({ description: 'The server that says so.' }),
  servers: Type.Array(
    object<HerdServerJson>('A server.', {
      name: Type.String(),
      host: Type.String(),
      port: Type.Integer(),
      reachable: Type.Boolean(),
      state: Type.Enum(['up', 'left']),
      links: Type.Array(Type.String(), { description: 'Those that it has an open link with.' }),
      health: Type.Optional(healthSchema),
    }),
  ),
  agree: Type.Union([Type.Boolean(), Type.Null()], {
    description: 'Whether the tables of all servers in reach are equal; null: not known.',
  }),
})
