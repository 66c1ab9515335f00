/** How one kind of server is asked for the nearest, and how it answers. Pure. */
import { encodeResp } from './resp.ts'

const LF = 0x0a
const SHOWN_BYTES = 200

/** A reply is not one to such a question. */
export class UnexpectedAnswer extends Error {
  override readonly name = 'UnexpectedAnswer'
}

export interface QueryDialect {
  /** Asks for the nearest others of a client within a radius. */
  request(id: string, radiusKm: number, items: number): string
  /** Where the reply that begins at `at` ends, -1 if not all of it is there. Throws `UnexpectedAnswer`. */
  endOf(bytes: Buffer, at: number): number
  /** The IDs in a whole reply to the question of `id`, nearest first. */
  idsIn(reply: string, id: string): string[]
}

/** WHOSAT: AT lines, then an empty line. */
export const herdQueries: QueryDialect = {
  request: (id, radiusKm, items) => `WHOSAT ${id} ${radiusKm} ${items}\n`,
  endOf: (bytes, at) => {
    if (at >= bytes.length) return -1
    if (bytes[at] === LF) return at + 1
    if (bytes[at] !== 'A'.charCodeAt(0)) throw unexpected(bytes, at)
    const end = bytes.indexOf('\n\n', at, 'latin1')
    return end === -1 ? -1 : end + 2
  },
  idsIn: (reply) =>
    reply
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(' ')[3] ?? ''),
}

/** GEOSEARCH from a member: it finds that member too, at distance 0, so one more is asked for. */
export const redisQueries: QueryDialect = {
  request: (id, radiusKm, items) => {
    const around = ['FROMMEMBER', id, 'BYRADIUS', String(radiusKm), 'km']
    return encodeResp(['GEOSEARCH', 'fleet', ...around, 'ASC', 'COUNT', String(items + 1)])
  },
  endOf: (bytes, at) => {
    if (at >= bytes.length) return -1
    if (bytes[at] !== '*'.charCodeAt(0)) throw unexpected(bytes, at)
    let end = bytes.indexOf(LF, at)
    if (end === -1) return -1
    const items = Number(bytes.toString('latin1', at + 1, end - 1))
    // Two lines for each: its length and itself. IDs hold no line ends.
    for (let lines = 2 * items; lines > 0; lines -= 1) {
      end = bytes.indexOf(LF, end + 1)
      if (end === -1) return -1
    }
    return end + 1
  },
  idsIn: (reply, id) => {
    const lines = reply.split('\r\n').slice(1, -1)
    const ids = lines.filter((_, index) => index % 2 === 1)
    if (!ids.includes(id)) throw new UnexpectedAnswer(`${id} does not find itself`)
    return ids.filter((other) => other !== id)
  },
}

/** `herd` or `redis`; throws for any other name. */
export function queryDialectOf(name: string | undefined): QueryDialect {
  if (name === 'herd') return herdQueries
  if (name === 'redis') return redisQueries
  throw new Error(`no dialect of questions is called ${name}`)
}

function unexpected(bytes: Buffer, at: number): UnexpectedAnswer {
  const text = bytes.toString('latin1', at, Math.min(bytes.length, at + SHOWN_BYTES))
  return new UnexpectedAnswer(`the server answered ${JSON.stringify(text.split('\n')[0])}`)
}
