/**
 * What OsmAnd and Traccar Client send, https://www.traccar.org/osmand/: a query or form, or JSON. Their units are converted here and
 * nowhere else.
 */
import type { Attributes } from '../../protocol/index.ts'
import { CallRefused } from '../calls/call-refused.ts'
import { positionText, type Report } from '../calls/report.ts'
import { millisecondsText, posixText, secondsText } from '../http/times.ts'
import { fitAttributes, membersOf, numberOf, tagsOf, within } from '../phone-attributes.ts'

/** Fixes in one request at most. */
export const LOCATIONS_MAX = 1000

/** Metres a second in a knot. */
const MPS_PER_KNOT = 1852 / 3600
/** Times below are seconds, others milliseconds. */
const SECONDS_END = 2 ** 31

/** What isn't kept as a tag: it is told elsewhere, or is a secret. */
const NO_TAGS: ReadonlySet<string> = new Set([
  ...['id', 'deviceid', 'device_id', 'token', 'timestamp', 'lat', 'lon', 'location'],
  ...['speed', 'bearing', 'heading', 'altitude', 'accuracy', 'batt'],
  // What Traccar Client repeats of itself, for servers that know no JSON.
  '_',
])
/** Members of a JSON location that aren't values; what is in them is told one by one. */
const NO_JSON_TAGS: ReadonlySet<string> = new Set([...NO_TAGS, 'coords', 'activity', 'battery', 'extras'])

/** Whether there is the ID of a device in a query or form: then it is for this gateway. */
export function hasDevice(fields: URLSearchParams): boolean {
  return fields.has('id') || fields.has('deviceid')
}

/**
 * Reads the query or form of one fix.
 *
 * @throws {CallRefused} when it is broken: no device, no place, a time that is none.
 */
export function readOsmAndFields(fields: URLSearchParams): Report {
  const client = fields.get('id') ?? fields.get('deviceid')
  if (client === null || client === '') throw invalid('no device says so: id or deviceid')
  const [latitude, longitude] = fields.get('location')?.split(',') ?? [fields.get('lat'), fields.get('lon')]
  const timestamp = fields.get('timestamp')
  return {
    client,
    position: positionOf(latitude, longitude, 'lat and lon, or location=lat,lon'),
    time: timestamp === null || timestamp === '' ? null : timeOf(timestamp),
    attributes: fitAttributes({
      ...numbersOf({
        altitude: fields.get('altitude'),
        accuracy: fields.get('accuracy'),
        course: fields.get('bearing') ?? fields.get('heading'),
        speed: within(fields.get('speed'), 0, 1e9),
        metresASecond: MPS_PER_KNOT,
        battery: within(fields.get('batt'), 0, 100),
        whole: 100,
      }),
      tags: tagsOf(groupsOf(fields), NO_TAGS),
    }),
  }
}

/** The fields by name, in the order in which they came; what comes more than once is a list. */
function groupsOf(fields: URLSearchParams): Map<string, string | string[]> {
  const groups = new Map<string, string | string[]>()
  for (const [name, value] of fields) {
    const before = groups.get(name)
    if (before === undefined) groups.set(name, value)
    else if (typeof before === 'string') groups.set(name, [before, value])
    else before.push(value)
  }
  return groups
}

/**
 * Reads the JSON of Traccar Client from version 9 on: one fix, or a list of them.
 *
 * @throws {CallRefused} when it is broken: no JSON, no device, no place, a time that is none; or more than `LOCATIONS_MAX`.
 */
export function readOsmAndJson(text: string | Buffer): Report[] {
  const message = membersOf(parseJson(text.toString()))
  if (message === null) throw invalid('it is no JSON object such as {"location":{…},"device_id":"kiwi"}')
  const device = message.get('device_id')
  const client = typeof device === 'number' ? String(device) : device
  if (typeof client !== 'string' || client === '') throw invalid('no device says so: device_id')
  const location = message.get('location')
  const locations: readonly unknown[] = Array.isArray(location) ? location : [location]
  if (locations.length > LOCATIONS_MAX) {
    throw invalid(`${locations.length} locations came at once; ${LOCATIONS_MAX} are taken`)
  }
  return locations.map((location) => reportOf(client, location))
}

function reportOf(client: string, location: unknown): Report {
  const members = membersOf(location)
  const coordinates = membersOf(members?.get('coords'))
  if (members === null || coordinates === null) {
    throw invalid('a location has coords: {"latitude":34.07,"longitude":-118.45}')
  }
  const battery = membersOf(members.get('battery')) ?? new Map<string, unknown>()
  const { type } = Object.fromEntries(membersOf(members.get('activity')) ?? [])
  const timestamp = members.get('timestamp')
  const tags = {
    ...tagsOf(membersOf(members.get('extras')) ?? [], NO_TAGS),
    ...tagsOf(members, NO_JSON_TAGS),
    ...tagsOf([['activity', type] as const, ['charge', battery.get('is_charging')] as const], NO_TAGS),
  }
  return {
    client,
    position: positionOf(coordinates.get('latitude'), coordinates.get('longitude'), 'latitude and longitude'),
    time: timestamp === undefined || timestamp === null ? null : timeOf(timestamp),
    attributes: fitAttributes({
      ...numbersOf({
        altitude: coordinates.get('altitude'),
        accuracy: coordinates.get('accuracy'),
        course: coordinates.get('heading'),
        speed: within(coordinates.get('speed'), 0, 1e9),
        metresASecond: 1,
        battery: within(battery.get('level'), 0, 1),
        whole: 1,
      }),
      tags: Object.fromEntries(Object.entries(tags).filter(([, text]) => text !== '')),
    }),
  }
}

/** What is out of its bounds isn't known: apps say −1, for instance. */
function numbersOf(given: {
  readonly altitude: unknown
  readonly accuracy: unknown
  readonly course: unknown
  readonly speed: number | undefined
  /** In one unit of `speed`. */
  readonly metresASecond: number
  readonly battery: number | undefined
  /** What `battery` is when it is full. */
  readonly whole: number
}): Attributes {
  const altitude = within(given.altitude, -12_000, 1e9)
  const accuracy = within(given.accuracy, 0, 1e9)
  const course = within(given.course, 0, 360)
  const { speed, metresASecond, battery, whole } = given
  return {
    ...(altitude !== undefined && { altitude }),
    // 0 m: nobody knows.
    ...(accuracy !== undefined && accuracy > 0 && { accuracy }),
    ...(speed !== undefined && { speed: Math.min(speed * metresASecond, 3e8) }),
    ...(course !== undefined && { course }),
    ...(battery !== undefined && { battery: battery / whole }),
  }
}

function positionOf(latitude: unknown, longitude: unknown, names: string): string {
  const [north, east] = [within(latitude, -90, 90), within(longitude, -180, 180)]
  if (north === undefined || east === undefined) {
    throw invalid(`there is no place: ${names}, in degrees (−90 to 90, −180 to 180)`)
  }
  return positionText(north, east)
}

const NUMBER = /^-?\d+(?:\.\d+)?$/
const ISO_8601 = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d(?::\d\d)?)([.,]\d+)?(Z|z|[+ -]\d\d:?\d\d)?$/
const PLAIN = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)$/

/** The time of a fix as POSIX seconds in text; times without a zone are in UTC. */
function timeOf(timestamp: unknown): string {
  const number = typeof timestamp === 'string' && !NUMBER.test(timestamp) ? null : numberOf(timestamp)
  if (number !== null) return number < SECONDS_END ? secondsText(number) : millisecondsText(number)
  const text = typeof timestamp === 'string' ? timestamp : ''
  const [, day, clock, fraction = '', zone = 'Z'] = ISO_8601.exec(text) ?? PLAIN.exec(text) ?? []
  if (day === undefined || clock === undefined) {
    throw invalid(
      'timestamp is no time: seconds or milliseconds since 1970, 2026-11-21T12:00:00Z or 2026-11-21 12:00:00',
    )
  }
  const seconds = clock.length === 'hh:mm'.length ? `${clock}:00` : clock
  // A plus that nobody encoded has become a space.
  const offset = zone.replace(' ', '+').replace(/(\d\d):?(\d\d)$/, '$1:$2')
  return posixText(`${day}T${seconds}${fraction.replace(',', '.')}${offset}`)
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function invalid(message: string): CallRefused {
  return new CallRefused('invalid', message)
}
