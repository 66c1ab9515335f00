/** Fixes and reports as GeoJSON (RFC 7946): the client is the feature's `id`, everything else its properties. */
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Nanotime } from '../../protocol/index.ts'
import { CallRefused } from '../calls/call-refused.ts'
import type { ClientFix } from '../calls/client-fix.ts'
import { fixJson } from './fix-json.ts'
import type { FeatureCollectionJson, FeatureJson } from './shapes.ts'

const POSITION = /^([+-]\d[\d.]*)([+-]\d[\d.]*)$/
/** The type of GeoJSON as a body. */
export const GEOJSON_TYPE = 'application/geo+json'

/** A fix as a feature. */
export function featureOf(fix: ClientFix, now: Readonly<Nanotime>): FeatureJson {
  const { client, lat, lon, altitude_m, ...properties } = fixJson(fix, now)
  return {
    type: 'Feature',
    id: client,
    geometry: { type: 'Point', coordinates: altitude_m === undefined ? [lon, lat] : [lon, lat, altitude_m] },
    properties,
  }
}

/** Fixes as a collection. @param more whether there are others. */
export function featureCollectionOf(
  fixes: readonly ClientFix[],
  now: Readonly<Nanotime>,
): FeatureCollectionJson {
  return { type: 'FeatureCollection', features: fixes.map((fix) => featureOf(fix, now)) }
}

/** Whether who asks wants GeoJSON: by `?format=geojson`, or by what it accepts. Notes that the answer depends on that. */
export function wantsGeojson(
  { headers }: Pick<FastifyRequest, 'headers'>,
  format: 'json' | 'geojson' | undefined,
  reply: Pick<FastifyReply, 'header'>,
): boolean {
  void reply.header('vary', 'accept, origin')
  if (format !== undefined) return format === 'geojson'
  return headers.accept?.toLowerCase().includes(GEOJSON_TYPE) === true
}

/**
 * The reports in GeoJSON as JSON of reports, not yet checked; `null`: it is none.
 *
 * @throws {CallRefused} for a feature that is no point.
 */
export function reportsOfGeojson(body: unknown): unknown[] | null {
  if (!isObject(body)) return null
  if (body.type === 'Feature') return [body]
  if (body.type !== 'FeatureCollection') return null
  const features = body.features
  if (!Array.isArray(features)) throw new CallRefused('invalid', 'a FeatureCollection has a list of features')
  return features
}

/**
 * One feature as a report, not yet checked.
 *
 * @throws {CallRefused} when it is no Point.
 */
export function reportOfFeature(feature: unknown): unknown {
  if (!isObject(feature) || feature.type !== 'Feature') return feature
  const { geometry, properties, id } = feature
  const coordinates = isObject(geometry) && geometry.type === 'Point' ? geometry.coordinates : null
  if (!Array.isArray(coordinates) || coordinates.length < 2 || coordinates.length > 3) {
    throw new CallRefused(
      'invalid',
      'a feature that reports is a Point: coordinates [lon, lat] or [lon, lat, altitude]',
    )
  }
  const [lon, lat, altitude]: readonly unknown[] = coordinates
  const told = isObject(properties) ? properties : {}
  return {
    ...Object.fromEntries(Object.entries(told).filter(([name]) => !ANSWERED.has(name))),
    client: id ?? told.client,
    ...(isWritten(told.position, lat, lon) ? { position: told.position } : { lat, lon }),
    ...(altitude !== undefined && { altitude_m: altitude }),
  }
}

/** Whether a text is that of a place: then it is kept, to the last digit. */
function isWritten(position: unknown, lat: unknown, lon: unknown): boolean {
  const [, latitude, longitude] = POSITION.exec(typeof position === 'string' ? position : '') ?? []
  return latitude !== undefined && Number(latitude) === lat && Number(longitude) === lon
}

/** What a fix of ours tells besides: what was read can be reported again. */
const ANSWERED: ReadonlySet<string> = new Set([
  ...['position', 'time_ns', 'received_at', 'server', 'skew_s', 'age_s'],
])

/** An object of JSON, of which nothing is known but that these members may mean something. */
export interface JsonObject {
  readonly type?: unknown
  readonly id?: unknown
  readonly client?: unknown
  readonly geometry?: unknown
  readonly coordinates?: unknown
  readonly properties?: unknown
  readonly position?: unknown
  readonly features?: unknown
}

/** Whether a value is an object of JSON, and no list. */
export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
