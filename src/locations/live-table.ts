import type { Nanotime, OutputBuffer } from '../protocol/index.ts'
import { copyBytes, LF, readSkew } from '../protocol/index.ts'
import { EARTH_RADIUS_METRES, ellipsoidMetres, sphereMetres, sphereMetresMax } from './distance.ts'
import type { Fix } from './fix.ts'
import { Grid } from './grid.ts'
import { HashIndex, NONE } from './hash-index.ts'
import { type HashKey, keyedHash } from './keyed-hash.ts'
import { AHEAD_SECONDS_MAX, compareNumbers, compareTexts, type Ordered } from './order.ts'
import {
  floatRow,
  ID_END,
  ID_START,
  LATITUDE,
  LONGITUDE,
  POSITION_END,
  Records,
  SERVER,
  TEXT_ADDRESS,
  TEXT_LENGTH,
  TIME_NANOSECONDS,
  TIME_SECONDS,
  wordRow,
} from './records.ts'
import type { ServerNames } from './server-names.ts'
import { TextArena } from './text-arena.ts'

/** `apply`: what the table holds of that client is as new, or newer. */
export const NOT_NEWER = -1
/** `apply`: there is no room for the fix; nothing was changed. */
export const TABLE_FULL = -2

/** Bounds of a table. */
export interface TableLimits {
  /** Clients at most. */
  readonly clientsMax: number
  /** Bytes of IDs and other text at most. */
  readonly tableBytesMax: number
}

/**
 * Who is where: the newest fix of every client, and the spatial index over them. Pure.
 *
 * A client has a record number, given when it is first heard of and never changed. Its numbers lie in a row
 * of `Records`, its text, `<skew> <client> <position> <time>`, in one piece in the `TextArena`, so that its
 * AT line is two copies. `HashIndex` finds the record of an ID, `Grid` the records near a place. There is no
 * object per client.
 */
export class LiveTable {
  readonly #limits: TableLimits
  readonly #names: ServerNames
  readonly #key: HashKey
  readonly #records = new Records()
  readonly #ids = new HashIndex()
  readonly #texts: TextArena
  readonly #grid: Grid
  #newest = NONE

  /** @param key random words. */
  constructor(limits: TableLimits, names: ServerNames, key: HashKey) {
    this.#limits = limits
    this.#names = names
    this.#key = key
    this.#texts = new TextArena(limits.tableBytesMax)
    this.#grid = new Grid(this.#records, key[2])
  }

  /** How many clients there are; their records are numbered from 0. */
  get clients(): number {
    return this.#records.count
  }

  /** Bytes held, by what they are for. */
  get bytes(): {
    readonly records: number
    readonly text: number
    readonly index: number
    readonly grid: number
  } {
    return {
      records: this.#records.bytes,
      text: this.#texts.bytes,
      index: this.#ids.bytes,
      grid: this.#grid.bytes,
    }
  }

  /** The record with the newest effective time, or −1 if there is none. */
  get newest(): number {
    return this.#newest
  }

  /**
   * Takes a fix if it is newer than what is known of its client, by the order of `compareFixes`.
   *
   * @returns the client's record number; `NOT_NEWER` or `TABLE_FULL` when nothing was changed.
   */
  apply(fix: Fix): number {
    const hash = keyedHash(fix.buffer, fix.clientStart, fix.clientEnd, this.#key)
    const known = this.#find(hash, fix.buffer, fix.clientStart, fix.clientEnd)
    const record = known === NONE ? this.#insert(hash, fix) : this.#replace(known, fix)
    if (record >= 0) this.#noteNewest(record)
    return record
  }

  /** The record of the client `buffer[start, end)`, or −1 if the herd has not heard of it. */
  get(buffer: Buffer, start: number, end: number): number {
    return this.#find(keyedHash(buffer, start, end, this.#key), buffer, start, end)
  }

  /** Appends the AT line of a record, with its line end. */
  appendAt(record: number, output: OutputBuffer): void {
    const { words } = this.#records.page(record)
    const row = wordRow(record)
    const prefix = this.#names.atPrefix(originOf(words[row + SERVER] as number))
    output.append(prefix, 0, prefix.length)
    const address = words[row + TEXT_ADDRESS] as number
    const start = this.#texts.offset(address)
    output.append(this.#texts.page(address), start, start + (words[row + TEXT_LENGTH] as number))
    output.appendByte(LF)
  }

  /** Reads a record as values, for people and logs; not for the hot path. */
  read(record: number): StoredFix {
    const { floats, words } = this.#records.page(record)
    const text = this.#text(record)
    const row = wordRow(record)
    return {
      ...this.#ordered(record),
      client: text.subarray(words[row + ID_START], words[row + ID_END]),
      latitude: floats[floatRow(record) + LATITUDE] as number,
      longitude: floats[floatRow(record) + LONGITUDE] as number,
    }
  }

  /**
   * The nearest other clients of a place, nearest first, exact on the ellipsoid.
   *
   * @param radiusMetres how far at most, bounds included. @param items how many at most.
   * @param except a record to leave out, or −1.
   */
  nearby(
    latitude: number,
    longitude: number,
    radiusMetres: number,
    items: number,
    except: number = NONE,
  ): number[] {
    if (items === 0) return []
    const nearest: { record: number; metres: number }[] = []
    // The sphere only sorts out what can't be among the answers, with its error granted.
    let spherical = sphereMetresMax(radiusMetres)
    const visit = (record: number): void => {
      if (record === except) return
      const { floats } = this.#records.page(record)
      const otherLatitude = floats[floatRow(record) + LATITUDE] as number
      const otherLongitude = floats[floatRow(record) + LONGITUDE] as number
      if (sphereMetres(latitude, longitude, otherLatitude, otherLongitude) > spherical) return
      const metres = ellipsoidMetres(latitude, longitude, otherLatitude, otherLongitude)
      if (metres > radiusMetres) return
      let place = nearest.length
      while (place > 0 && this.#isNearer(metres, record, nearest[place - 1])) place--
      nearest.splice(place, 0, { record, metres })
      if (nearest.length > items) nearest.pop()
      const last = nearest[items - 1]
      if (last !== undefined) spherical = Math.min(spherical, sphereMetresMax(last.metres))
    }
    const radius = spherical / EARTH_RADIUS_METRES
    this.#grid.walk(latitude, longitude, radius, visit, (reach) => {
      return nearest.length === items && spherical <= reach * EARTH_RADIUS_METRES
    })
    return nearest.map((entry) => entry.record)
  }

  /** Equal distances are ordered by ID, so that every server gives the same answer. */
  #isNearer(metres: number, record: number, other: { record: number; metres: number } | undefined): boolean {
    if (other === undefined || metres !== other.metres) return other !== undefined && metres < other.metres
    return Buffer.compare(this.read(record).client, this.read(other.record).client) < 0
  }

  #find(hash: number, buffer: Buffer, start: number, end: number): number {
    const ids = this.#ids
    for (let record = ids.first(hash); record !== NONE; record = ids.next()) {
      if (this.#hasId(record, buffer, start, end)) return record
    }
    return NONE
  }

  #hasId(record: number, buffer: Buffer, start: number, end: number): boolean {
    const { words } = this.#records.page(record)
    const row = wordRow(record)
    const idStart = words[row + ID_START] as number
    const length = end - start
    if ((words[row + ID_END] as number) - idStart !== length) return false
    const address = words[row + TEXT_ADDRESS] as number
    const text = this.#texts.page(address)
    const textStart = this.#texts.offset(address) + idStart
    for (let place = 0; place < length; place++) {
      if (text[textStart + place] !== buffer[start + place]) return false
    }
    return true
  }

  #insert(hash: number, fix: Fix): number {
    if (this.#records.count >= this.#limits.clientsMax) return TABLE_FULL
    const length = fix.end - fix.start
    const address = this.#texts.allocate(length)
    if (address === -1) return TABLE_FULL
    const record = this.#records.add()
    if (!this.#ids.insert(hash, record))
      throw new Error('the index of IDs is full before clientsMax is reached')
    this.#write(record, fix, address, length)
    this.#grid.add(record, fix.position.latitude, fix.position.longitude)
    return record
  }

  #replace(record: number, fix: Fix): number {
    if (!this.#isNewer(record, fix)) return NOT_NEWER
    const { words } = this.#records.page(record)
    const row = wordRow(record)
    const length = fix.end - fix.start
    const oldLength = words[row + TEXT_LENGTH] as number
    let address = words[row + TEXT_ADDRESS] as number
    if (TextArena.room(length) !== TextArena.room(oldLength)) {
      this.#texts.free(address, oldLength)
      const moved = this.#texts.allocate(length)
      if (moved === -1) {
        // The place given back last is the first to be given out again: the old text stands there untouched.
        this.#texts.allocate(oldLength)
        return TABLE_FULL
      }
      address = moved
    }
    this.#write(record, fix, address, length)
    this.#grid.move(record, fix.position.latitude, fix.position.longitude)
    return record
  }

  #isNewer(record: number, fix: Fix): boolean {
    const { floats, words } = this.#records.page(record)
    const row = wordRow(record)
    // With both clocks in order effective time is client time, which nearly always decides.
    if ((words[row + SERVER] as number) >= 0 && fix.skew.seconds >= -AHEAD_SECONDS_MAX) {
      const seconds = fix.time.seconds - (floats[floatRow(record) + TIME_SECONDS] as number)
      if (seconds !== 0) return seconds > 0
      const nanoseconds = fix.time.nanoseconds - (words[row + TIME_NANOSECONDS] as number)
      if (nanoseconds !== 0) return nanoseconds > 0
    }
    this.#readTimes(record, stored)
    const byTime = compareNumbers(fix, stored)
    if (byTime !== 0) return byTime > 0
    return compareTexts(this.#orderedFix(fix), this.#ordered(record)) > 0
  }

  #orderedFix(fix: Fix): Ordered {
    const { buffer, start } = fix
    return {
      time: fix.time,
      skew: fix.skew,
      serverName: this.#names.name(fix.server),
      skewText: buffer.subarray(start, fix.clientStart - 1),
      positionText: buffer.subarray(fix.positionStart, fix.positionEnd),
      timeText: buffer.subarray(fix.positionEnd + 1, fix.end),
    }
  }

  /** Writes all of a record but what the grid keeps there. */
  #write(record: number, fix: Fix, address: number, length: number): void {
    const { floats, words } = this.#records.page(record)
    const { position, time, buffer, start } = fix
    const floatAt = floatRow(record)
    floats[floatAt + LATITUDE] = position.latitude
    floats[floatAt + LONGITUDE] = position.longitude
    floats[floatAt + TIME_SECONDS] = time.seconds
    const row = wordRow(record)
    words[row + TIME_NANOSECONDS] = time.nanoseconds
    words[row + TEXT_ADDRESS] = address
    words[row + TEXT_LENGTH] = length
    words[row + ID_START] = fix.clientStart - start
    words[row + ID_END] = fix.clientEnd - start
    words[row + POSITION_END] = fix.positionEnd - start
    words[row + SERVER] = fix.skew.seconds < -AHEAD_SECONDS_MAX ? -1 - fix.server : fix.server
    copyBytes(buffer, start, fix.end, this.#texts.page(address), this.#texts.offset(address))
  }

  #noteNewest(record: number): void {
    if (this.#newest === record) return
    if (this.#newest !== NONE) {
      this.#readTimes(record, newestA)
      this.#readTimes(this.#newest, newestB)
      if (compareNumbers(newestA, newestB) <= 0) return
    }
    this.#newest = record
  }

  /**
   * Reads what the order of fixes needs first. The skew matters there only when the client's clock is far ahead, so
   * it isn't kept as numbers: then it is read from the text, and otherwise it is given as 0.
   */
  #readTimes(record: number, times: Pick<Ordered, 'time' | 'skew'>): void {
    const { floats, words } = this.#records.page(record)
    const row = wordRow(record)
    times.time.seconds = floats[floatRow(record) + TIME_SECONDS] as number
    times.time.nanoseconds = words[row + TIME_NANOSECONDS] as number
    if ((words[row + SERVER] as number) < 0) this.#readSkew(record, times.skew)
    else times.skew.seconds = times.skew.nanoseconds = 0
  }

  #readSkew(record: number, skew: Nanotime): void {
    const { words } = this.#records.page(record)
    const text = this.#text(record)
    readSkew(text, 0, (words[wordRow(record) + ID_START] as number) - 1, skew)
  }

  #text(record: number): Buffer {
    const { words } = this.#records.page(record)
    const row = wordRow(record)
    const address = words[row + TEXT_ADDRESS] as number
    const start = this.#texts.offset(address)
    return this.#texts.page(address).subarray(start, start + (words[row + TEXT_LENGTH] as number))
  }

  #ordered(record: number): Ordered {
    const { words } = this.#records.page(record)
    const row = wordRow(record)
    const text = this.#text(record)
    const times = makeTimes()
    this.#readTimes(record, times)
    this.#readSkew(record, times.skew)
    return {
      ...times,
      serverName: this.#names.name(originOf(words[row + SERVER] as number)),
      skewText: text.subarray(0, (words[row + ID_START] as number) - 1),
      positionText: text.subarray((words[row + ID_END] as number) + 1, words[row + POSITION_END]),
      timeText: text.subarray((words[row + POSITION_END] as number) + 1),
    }
  }
}

/** The index of the origin, out of the word that also says whether the client's clock is far ahead. */
function originOf(server: number): number {
  return server < 0 ? -1 - server : server
}

/** Times of stored records while they are compared: refilled, so that comparing makes no objects. */
const stored = makeTimes()
const newestA = makeTimes()
const newestB = makeTimes()

function makeTimes(): Pick<Ordered, 'time' | 'skew'> {
  return { time: { seconds: 0, nanoseconds: 0 }, skew: { seconds: 0, nanoseconds: 0 } }
}

/** One record, read out. Its bytes are views that the next `apply` may overwrite. */
export interface StoredFix extends Ordered {
  readonly client: Buffer
  readonly latitude: number
  readonly longitude: number
}
