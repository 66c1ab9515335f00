import { FIELDS } from './report-template.ts'
import { encodeResp } from './resp.ts'

/** How one kind of server is told that a client is somewhere. */
export interface Dialect {
  /** For a `ReportTemplate`. */
  readonly template: string
  /** Lines that answer one report. */
  readonly repliesPerReport: number
  /** Every line of every reply begins with it; a refusal does not. */
  readonly firstByte: number
}

export type DialectName = 'herd' | 'redis' | 'redis-facts'

const GEOADD = encodeResp(['GEOADD', 'fleet', FIELDS.longitude, FIELDS.latitude, FIELDS.client])
/** What herd keeps of a report beside the position as two numbers. */
const FACTS = ['text', FIELDS.position, 'time', FIELDS.time, 'skew', '+1.TTTTTTT00', 'server', 'Solo']

/** By their names on the command line of a load. */
export const DIALECTS: Readonly<Record<DialectName, Dialect>> = {
  /** A report of our own. */
  herd: {
    template: `IAMAT ${FIELDS.client} ${FIELDS.position} ${FIELDS.time}\n`,
    repliesPerReport: 1,
    firstByte: 'A'.charCodeAt(0),
  },
  /** A member of a sorted set. */
  redis: { template: GEOADD, repliesPerReport: 1, firstByte: ':'.charCodeAt(0) },
  /** A member of a sorted set, and a hash of everything else that herd knows of a client. */
  'redis-facts': {
    template: GEOADD + encodeResp(['HSET', `c:${FIELDS.client}`, ...FACTS]),
    repliesPerReport: 2,
    firstByte: ':'.charCodeAt(0),
  },
}

/** Throws for any other name. */
export function dialectOf(name: string | undefined): Dialect {
  const found = Object.entries(DIALECTS).find(([known]) => known === name)
  if (found === undefined) throw new Error(`no dialect is called ${name}`)
  return found[1]
}
