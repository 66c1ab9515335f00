/** How one kind of server is asked for places near a client, and how it answers. Pure. */
import { clientId } from './city.ts'
import { isoPosition, type Position } from './places-clients.ts'
import { UnexpectedAnswer } from './query-dialects.ts'
import { encodeResp } from './resp.ts'

const LF = 0x0a
const SHOWN_BYTES = 200
/** Places in one GEOADD. */
const PLACES_PER_COMMAND = 100
/** Redis takes none beyond: the border of the square Mercator map. */
const REDIS_LATITUDE_MAX = 85.05
/** Lines of an item: the array of two, the name and the array of coordinates, lengths and all. */
const LINES_PER_ITEM = 8
/** 2023-11-14, before any clock that a server may have. */
const TIME = '1700000000.000000000'

export interface PlacesQuestion {
  readonly radiusKm: number
  readonly items: number
  /** Undefined where the server knows but one. */
  readonly rank: 'prominence' | 'distance' | undefined
}

export interface PlacesDialect {
  /** What the server must be told before it can be asked: each is answered by one line that begins with `firstByte`. */
  commands(places: readonly Position[], clients: readonly Position[]): string[]
  readonly firstByte: number
  request(client: number, at: Position, question: PlacesQuestion): string
  /** Where the reply that begins at `at` ends, -1 if not all of it is there. Throws `UnexpectedAnswer`. */
  endOf(bytes: Buffer, at: number): number
  /** Where the places of a whole reply are, in its order. */
  positionsIn(reply: string): Position[]
}

/** IAMAT and WHATSAT: an AT line, JSON without empty lines, an empty line. */
export const herdPlaces: PlacesDialect = {
  commands: (_places, clients) =>
    clients.map((position, client) => `IAMAT ${clientId(client)} ${isoPosition(position)} ${TIME}\n`),
  firstByte: 'A'.charCodeAt(0),
  request: (client, _at, { radiusKm, items, rank }) =>
    `WHATSAT ${clientId(client)} ${radiusKm} ${items}${rank === undefined ? '' : ` rank=${rank}`}\n`,
  endOf: (bytes, at) => {
    if (at >= bytes.length) return -1
    if (bytes[at] !== 'A'.charCodeAt(0)) throw unexpected(bytes, at)
    const end = bytes.indexOf('\n\n', at, 'latin1')
    return end === -1 ? -1 : end + 2
  },
  positionsIn: (reply) => {
    const body = JSON.parse(reply.slice(reply.indexOf('\n'))) as {
      status: string
      results: { geometry: { location: { lat: number; lng: number } } }[]
    }
    if (body.status !== 'OK' && body.status !== 'ZERO_RESULTS')
      throw new UnexpectedAnswer(reply.slice(0, 500))
    return body.results.map(({ geometry: { location } }) => ({
      latitude: location.lat,
      longitude: location.lng,
    }))
  },
}

/** Redis knows the places; where the client is stands in the question. Names and positions come back. */
export const redisPlaces: PlacesDialect = {
  commands: (places) => {
    const commands: string[] = []
    for (let first = 0; first < places.length; first += PLACES_PER_COMMAND) {
      const members = places.slice(first, first + PLACES_PER_COMMAND)
      const fields = members.flatMap(({ latitude, longitude }, index) => {
        if (Math.abs(latitude) > REDIS_LATITUDE_MAX) return []
        return [...[longitude, latitude].map(String), `place-${String(first + index).padStart(6, '0')}`]
      })
      commands.push(encodeResp(['GEOADD', 'places', ...fields]))
    }
    return commands
  },
  firstByte: ':'.charCodeAt(0),
  request: (_client, { latitude, longitude }, { radiusKm, items }) => {
    const around = ['FROMLONLAT', String(longitude), String(latitude), 'BYRADIUS', String(radiusKm), 'km']
    return encodeResp(['GEOSEARCH', 'places', ...around, 'ASC', 'COUNT', String(items), 'WITHCOORD'])
  },
  endOf: (bytes, at) => {
    if (at >= bytes.length) return -1
    if (bytes[at] !== '*'.charCodeAt(0)) throw unexpected(bytes, at)
    let end = bytes.indexOf(LF, at)
    if (end === -1) return -1
    const items = Number(bytes.toString('latin1', at + 1, end - 1))
    for (let lines = LINES_PER_ITEM * items; lines > 0; lines -= 1) {
      end = bytes.indexOf(LF, end + 1)
      if (end === -1) return -1
    }
    return end + 1
  },
  positionsIn: (reply) => {
    const lines = reply.split('\r\n').slice(1, -1)
    const items = Array.from({ length: lines.length / LINES_PER_ITEM }, (_, item) => item * LINES_PER_ITEM)
    return items.map((item) => ({ longitude: Number(lines[item + 5]), latitude: Number(lines[item + 7]) }))
  },
}

/** `herd` or `redis`; throws for any other name. */
export function placesDialectOf(name: string | undefined): PlacesDialect {
  if (name === 'herd') return herdPlaces
  if (name === 'redis') return redisPlaces
  throw new Error(`no dialect of places is called ${name}`)
}

function unexpected(bytes: Buffer, at: number): UnexpectedAnswer {
  const text = bytes.toString('latin1', at, Math.min(bytes.length, at + SHOWN_BYTES))
  return new UnexpectedAnswer(`the server answered ${JSON.stringify(text.split('\n')[0])}`)
}
