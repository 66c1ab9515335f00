/** What phones of each kind say of where they are: units and names as each protocol has them. */
import type { ReportJson } from '../gateways/http/shapes.ts'
import type { Whereabouts } from './mover.ts'

/** Who says it, and when. */
export interface Saying {
  readonly client: string
  /** Names that people read. */
  readonly tags: { readonly name: string; readonly kind: string }
  /** Since 1970. */
  readonly timeMs: number
}

const KMH_PER_MPS = 3.6
const KNOTS_PER_MPS = 3600 / 1852

/** A line of the line protocol, without its end: it has room for no more than time and place. */
export function iamatLine({ client, timeMs }: Saying, { lat, lon }: Whereabouts): string {
  return `IAMAT ${client} ${signed(lat)}${signed(lon)} ${(timeMs / 1000).toFixed(3)}`
}

/** A report of the HTTP API, of WebSocket and MQTT. */
export function reportJson({ client, tags, timeMs }: Saying, where: Whereabouts): ReportJson {
  return {
    ...{ client, tags: { ...tags }, time: new Date(timeMs).toISOString() },
    lat: rounded(where.lat, 6),
    lon: rounded(where.lon, 6),
    altitude_m: rounded(where.altitudeMetres, 1),
    accuracy_m: rounded(where.accuracyMetres, 1),
    speed_mps: rounded(where.speedMps, 2),
    heading_deg: heading(where, 1),
    battery_pct: Math.round(where.batteryPercent),
  }
}

/** A location of OwnTracks: whole seconds, km/h, whole degrees. */
export function ownTracksJson(
  { client, timeMs, tags }: Saying,
  where: Whereabouts,
): Readonly<Record<string, string | number>> {
  return {
    _type: 'location',
    lat: rounded(where.lat, 6),
    lon: rounded(where.lon, 6),
    tst: Math.floor(timeMs / 1000),
    tid: tags.name.slice(0, 2).toUpperCase(),
    acc: Math.round(where.accuracyMetres),
    alt: Math.round(where.altitudeMetres),
    vel: Math.round(where.speedMps * KMH_PER_MPS),
    cog: heading(where, 0),
    batt: Math.round(where.batteryPercent),
    bs: 1,
    conn: 'm',
    t: 'p',
    topic: `owntracks/${client}`,
  }
}

/** The query of Traccar Client and of others that speak OsmAnd: knots. */
export function osmAndQuery({ client, timeMs }: Saying, where: Whereabouts): string {
  const query = new URLSearchParams({
    id: client,
    lat: where.lat.toFixed(6),
    lon: where.lon.toFixed(6),
    timestamp: String(Math.floor(timeMs / 1000)),
    speed: (where.speedMps * KNOTS_PER_MPS).toFixed(2),
    bearing: String(heading(where, 1)),
    altitude: where.altitudeMetres.toFixed(1),
    accuracy: where.accuracyMetres.toFixed(1),
    batt: where.batteryPercent.toFixed(0),
  })
  return query.toString()
}

/** The topic that a client publishes its fixes under. */
export function herdTopic(client: string): string {
  const level = client.replace(/[%/+#]/g, (character) => encodeURIComponent(character))
  return `herd/${level}/fix`
}

/** Rounding may close the circle. */
function heading({ headingDegrees }: Whereabouts, digits: number): number {
  const value = rounded(headingDegrees, digits)
  return value >= 360 ? 0 : value
}

function signed(degrees: number): string {
  const text = Math.abs(degrees).toFixed(6)
  return `${degrees < 0 ? '-' : '+'}${text}`
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits))
}
