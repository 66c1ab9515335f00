/** The JSON objects of OwnTracks, https://owntracks.org/booklet/tech/json/: its units are converted here and nowhere else. */
import type { Attributes } from '../../protocol/index.ts'
import { CallRefused } from '../calls/call-refused.ts'
import type { ClientFix } from '../calls/client-fix.ts'
import { positionText, type Report } from '../calls/report.ts'
import { secondsText } from '../http/times.ts'
import { fitAttributes, membersOf, numberOf, tagsOf, within } from '../phone-attributes.ts'

/** What a phone says: a report, or something that is none, by the name of its type. */
export type OwnTracksMessage =
  | { readonly type: 'location'; readonly report: Report }
  | { readonly type: string; readonly report?: undefined }

/** A `location` as phones read it. */
export interface OwnTracksLocation {
  readonly _type: 'location'
  readonly lat: number
  readonly lon: number
  /** Whole seconds since 1970. */
  readonly tst: number
  /** Two characters that stand on the map. */
  readonly tid: string
  /** `owntracks/<user>/<device>`: what tells one friend from another. */
  readonly topic: string
  readonly [field: string]: unknown
}

/** What isn't kept as a tag: it is an attribute, or says how the message came. */
const NO_TAGS: ReadonlySet<string> = new Set([
  ...['_type', 'lat', 'lon', 'tst', 'topic'],
  ...['acc', 'alt', 'vel', 'cog', 'batt'],
  // A picture as text, which a fix has no room for.
  ...['image', 'imagename'],
])

/** Kilometres an hour in a metre a second. */
const KMH_PER_MPS = 3.6

/** The members of a message, `_type` among them. */
export type OwnTracksMembers = ReadonlyMap<string, unknown>

/**
 * Reads what a phone sent, over HTTP or MQTT.
 *
 * @param client whose it is: `clientOfTopic`, or what came with the request. @throws {CallRefused} when it is broken: no JSON, an
 *   object without `_type`, or a location without place or time.
 */
export function readOwnTracks(text: string | Buffer, client: string): OwnTracksMessage {
  return messageOf(readMembers(text), client)
}

/** The first half of `readOwnTracks`. @throws {CallRefused} when no app of OwnTracks has sent this. */
export function readMembers(text: string | Buffer): OwnTracksMembers {
  const members = membersOf(parseJson(text.toString()))
  if (members !== null && typeof members.get('_type') === 'string') return members
  throw invalid('it is no OwnTracks message: a JSON object such as {"_type":"location",…}')
}

/** The second half of `readOwnTracks`. @throws {CallRefused} for a location without place or time. */
export function messageOf(members: OwnTracksMembers, client: string): OwnTracksMessage {
  const type = String(members.get('_type'))
  return type === 'location' ? { type, report: reportOf(members, client) } : { type }
}

function reportOf(members: OwnTracksMembers, client: string): Report {
  const latitude = within(members.get('lat'), -90, 90)
  const longitude = within(members.get('lon'), -180, 180)
  if (latitude === undefined || longitude === undefined) {
    throw invalid('the location has no place: lat (−90 to 90) and lon (−180 to 180), in degrees')
  }
  const seconds = numberOf(members.get('tst'))
  if (seconds === null || seconds < 0) {
    throw invalid('the location has no time: tst, in seconds since 1970, such as 1479413884')
  }
  const time = secondsText(seconds)
  const position = positionText(latitude, longitude)
  return { client, position, time, attributes: fitAttributes(attributesOf(members)) }
}

/** Everything is optional; what is out of its bounds isn't known: the phone says −1, for instance. */
function attributesOf(members: OwnTracksMembers): Attributes {
  const altitude = within(members.get('alt'), -12_000, 1e9)
  const accuracy = within(members.get('acc'), 0, 1e9)
  const speed = within(members.get('vel'), 0, 1e9)
  const course = within(members.get('cog'), 0, 360)
  const battery = within(members.get('batt'), 0, 100)
  const attributes: { -readonly [Name in keyof Attributes]: Attributes[Name] } = {}
  if (altitude !== undefined) attributes.altitude = altitude
  // 0 m: nobody knows.
  if (accuracy !== undefined && accuracy > 0) attributes.accuracy = accuracy
  if (speed !== undefined) attributes.speed = Math.min(speed / KMH_PER_MPS, 3e8)
  if (course !== undefined) attributes.course = course
  if (battery !== undefined) attributes.battery = battery / 100
  attributes.tags = tagsOf(members, NO_TAGS)
  return attributes
}

/** What a tag was before it was text: a whole number, a number, a text, or a list of texts. */
const FIELDS: ReadonlyMap<string, 'whole' | 'number' | 'text' | 'list'> = new Map([
  ...(['vac', 'bs', 'm', 'rad', 'created_at'] as const).map((name) => [name, 'whole'] as const),
  ...(['t', 'conn', 'poi', 'tag', 'SSID', 'BSSID'] as const).map((name) => [name, 'text'] as const),
  ...(['inregions', 'inrids'] as const).map((name) => [name, 'list'] as const),
  ['p', 'number'],
])

/** Writes a fix as a phone reads it. Numbers are whole ones where the booklet says integer: Android's app takes nothing else. */
export function writeOwnTracksLocation(fix: ClientFix): OwnTracksLocation {
  const { client, latitude, longitude, time, attributes } = fix
  const { altitude, accuracy, speed, course, battery, tags = {} } = attributes
  const { tid } = tags
  return {
    _type: 'location',
    lat: latitude,
    lon: longitude,
    tst: time.seconds,
    tid: trackerId(client, tid),
    topic: topicOf(client),
    ...(accuracy !== undefined && { acc: Math.ceil(accuracy) }),
    ...(altitude !== undefined && { alt: Math.round(altitude) }),
    ...(speed !== undefined && { vel: Math.round(speed * KMH_PER_MPS) }),
    ...(course !== undefined && { cog: Math.round(course) }),
    ...(battery !== undefined && { batt: Math.round(battery * 100) }),
    ...fieldsOf(tags),
  }
}

/** The fields that are kept as tags, in the types that they came in. */
function fieldsOf(tags: Readonly<Record<string, string>>): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  for (const name of Object.keys(tags)) {
    const value = fieldOf(name, tags[name] ?? '')
    if (value !== null) fields[name] = value
  }
  return fields
}

function fieldOf(name: string, text: string): string | number | readonly string[] | null {
  const kind = FIELDS.get(name)
  if (kind === undefined) return null
  if (kind === 'text') return text
  if (kind === 'list') {
    // Text that is no JSON costs more than all the rest of a fix.
    const list = text.startsWith('[') ? parseJson(text) : null
    return Array.isArray(list) && list.every((item) => typeof item === 'string') ? list : null
  }
  const number = numberOf(text)
  return number === null || kind === 'number' ? number : Math.round(number)
}

/** The two characters of a client on the map: its own, or the last two of its ID. */
export function trackerId(client: string, own: string | undefined): string {
  return own !== undefined && own !== '' ? own : lastTwo(client)
}

function lastTwo(client: string): string {
  // All characters of the last two are among the last four units.
  return Array.from(client.slice(-4)).slice(-2).join('')
}

const TOPIC_ROOT = 'owntracks/'

/** The topic that a client's locations stand under. */
export function topicOf(client: string): string {
  return TOPIC_ROOT + client
}

/** The client of a topic such as `owntracks/jane/phone`; `null`: it is no such topic. */
export function clientOfTopic(topic: string): string | null {
  return /^\/?owntracks\/([^/]+\/[^/]+)(?:\/|$)/.exec(topic)?.[1] ?? null
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
