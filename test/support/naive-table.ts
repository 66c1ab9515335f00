/**
 * What a table of fixes should do, written as it reads: AT lines as strings, a Map, a search through all of it.
 * Bytes are Latin-1 characters here.
 */
import geographiclib from 'geographiclib-geodesic'
import { naiveSkew, naiveTime } from './naive-parser.ts'

/** An AT line, taken apart. As servers hand it on it may have attributes. */
export interface NaiveFix {
  readonly line: string
  readonly server: string
  readonly skewText: string
  readonly client: string
  readonly positionText: string
  readonly timeText: string
  /** Empty without any. */
  readonly attributesText: string
  /** Nanoseconds. */
  readonly time: bigint
  /** Nanoseconds. */
  readonly skew: bigint
  readonly latitude: number
  readonly longitude: number
}

/** Takes apart an AT line that is known to be one. */
export function readAt(line: string): NaiveFix {
  const fields = line.split(' ')
  const [word, server = '', skewText = '', client = '', positionText = '', timeText = ''] = fields
  const attributesText = fields[6] ?? ''
  const time = naiveTime(timeText)
  const skew = naiveSkew(skewText)
  const [, latitude, longitude] = /^([+-][\d.]+)([+-][\d.]+)$/.exec(positionText) ?? []
  if (word !== 'AT' || time === null || skew === null) throw new Error(`not an AT line: ${line}`)
  return {
    ...{ line, server, skewText, client, positionText, timeText, attributesText, time, skew },
    latitude: Number(latitude),
    longitude: Number(longitude),
  }
}

/** min(client time, receive time + 60 s), in nanoseconds. */
export function naiveEffectiveTime({ time, skew }: Pick<NaiveFix, 'time' | 'skew'>): bigint {
  const receivedBy = time + skew + 60_000_000_000n
  return time < receivedBy ? time : receivedBy
}

/** The order of fixes of one client: negative, 0 or positive as `a` is older than, the same as or newer than `b`. */
export function naiveCompare(a: NaiveFix, b: NaiveFix): number {
  return (
    compare(naiveEffectiveTime(a), naiveEffectiveTime(b)) ||
    compare(a.time, b.time) ||
    compare(a.server, b.server) ||
    compare(a.skew, b.skew) ||
    compare(a.positionText, b.positionText) ||
    compare(a.timeText, b.timeText) ||
    compare(a.skewText, b.skewText) ||
    compare(a.attributesText, b.attributesText)
  )
}

/** Distance on the WGS 84 ellipsoid, in metres. */
export function naiveMetres(latitude: number, longitude: number, fix: NaiveFix): number {
  return (
    geographiclib.Geodesic.WGS84.Inverse(latitude, longitude, fix.latitude, fix.longitude).s12 ?? Number.NaN
  )
}

/** A question to a naive table. */
export interface NaiveQuery {
  /** Who is in the area. */
  readonly isWithin: (fix: NaiveFix) => boolean
  /** What answers are ordered by first; then by ID. */
  readonly metres: (fix: NaiveFix) => number
  readonly items: number
  /** Nanoseconds; effective times before this don't count. */
  readonly since: bigint | null
  /** A client to leave out. */
  readonly except: string | undefined
}

/** Who is where, in a Map. */
export class NaiveTable {
  readonly #fixes = new Map<string, NaiveFix>()
  #forgetBefore = -(10n ** 30n)

  /** Takes an AT line; says whether it was news. */
  apply(line: string): boolean {
    const fix = readAt(line)
    const known = this.#fixes.get(fix.client)
    if (this.#isForgotten(fix) || (known !== undefined && naiveCompare(fix, known) <= 0)) return false
    this.#fixes.set(fix.client, fix)
    return true
  }

  get(client: string): NaiveFix | undefined {
    const fix = this.held(client)
    return fix === undefined || this.#isForgotten(fix) ? undefined : fix
  }

  /** The same, but also what is forgotten and not yet removed. */
  held(client: string): NaiveFix | undefined {
    return this.#fixes.get(client)
  }

  remove(client: string): void {
    this.#fixes.delete(client)
  }

  /** Forgets what is older than this, in nanoseconds. */
  forgetBefore(time: bigint): void {
    if (time > this.#forgetBefore) this.#forgetBefore = time
  }

  /** Says whether a fix is too old to be known. */
  isForgotten(line: string): boolean {
    return this.#isForgotten(readAt(line))
  }

  /** All clients held, those heard of first before the others. */
  get clients(): string[] {
    return [...this.#fixes.keys()]
  }

  /** All fixes held, also the forgotten. */
  get allHeld(): NaiveFix[] {
    return [...this.#fixes.values()]
  }

  /** All AT lines, sorted. */
  get lines(): string[] {
    return this.#known()
      .map((fix) => fix.line)
      .toSorted()
  }

  /** The nearest clients, by distance, then by ID. */
  nearby(latitude: number, longitude: number, radius: number, items: number, except?: string): string[] {
    const metres = (fix: NaiveFix): number => naiveMetres(latitude, longitude, fix)
    return this.search({ isWithin: (fix) => metres(fix) <= radius, metres, items, since: null, except })
  }

  search({ isWithin, metres, items, since, except }: NaiveQuery): string[] {
    return this.#known()
      .filter((fix) => fix.client !== except && (since === null || naiveEffectiveTime(fix) >= since))
      .filter(isWithin)
      .map((fix) => ({ client: fix.client, metres: metres(fix) }))
      .toSorted((a, b) => a.metres - b.metres || compare(a.client, b.client))
      .slice(0, items)
      .map(({ client }) => client)
  }

  #known(): NaiveFix[] {
    return this.allHeld.filter((fix) => !this.#isForgotten(fix))
  }

  #isForgotten(fix: NaiveFix): boolean {
    return naiveEffectiveTime(fix) < this.#forgetBefore
  }
}

function compare<T extends string | bigint>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0
}
