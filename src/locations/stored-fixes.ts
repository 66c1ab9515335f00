import type { Nanotime, OutputBuffer } from '../protocol/index.ts'
import { compareTimes, copyBytes, LF, readSkew } from '../protocol/index.ts'
import type { Fix } from './fix.ts'
import { AHEAD_SECONDS_MAX, effectiveTime, type Ordered } from './order.ts'
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
  TIME_END,
  TIME_NANOSECONDS,
  TIME_SECONDS,
  wordRow,
} from './records.ts'
import type { ServerNames } from './server-names.ts'
import { TextArena } from './text-arena.ts'

const CACHE_LINE_BYTES = 64
/** What was read ahead is written here, where nobody looks, so that the reading isn't optimized away. */
const fetched = new Int32Array(1)

/** One record, read out. Its bytes are views that the next `apply` may overwrite. */
export interface StoredFix extends Ordered {
  readonly client: Buffer
  readonly latitude: number
  readonly longitude: number
}

/** The times of a record. */
export type FixTimes = Pick<Ordered, 'time' | 'skew'>

/** Makes times to be filled. */
export function makeTimes(): FixTimes {
  return { time: { seconds: 0, nanoseconds: 0 }, skew: { seconds: 0, nanoseconds: 0 } }
}

/** What the records hold: the numbers of each in its row, its text in the arena. Reading and writing, no index. */
export class StoredFixes {
  readonly records: Records = new Records()
  readonly texts: TextArena
  readonly #names: ServerNames

  constructor(textBytesMax: number, names: ServerNames) {
    this.texts = new TextArena(textBytesMax)
    this.#names = names
  }

  /** Takes a record into use for a fix: its number, or −1 when there is no room for the text. */
  add(fix: Fix): number {
    const address = this.texts.allocate(fix.end - fix.start)
    if (address === -1) return -1
    const record = this.records.add()
    this.#write(record, fix, address)
    return record
  }

  /** Puts a newer fix in the place of a record's; `false` when there is no room for its text. */
  replace(record: number, fix: Fix): boolean {
    const { words } = this.records.page(record)
    const row = wordRow(record)
    const length = fix.end - fix.start
    const oldLength = words[row + TEXT_LENGTH] as number
    const address = words[row + TEXT_ADDRESS] as number
    if (TextArena.room(length) === TextArena.room(oldLength)) {
      this.#write(record, fix, address)
      return true
    }
    const moved = this.texts.allocate(length)
    if (moved !== -1) {
      this.texts.free(address, oldLength)
      this.#write(record, fix, moved)
      return true
    }
    if (length > oldLength) return false
    this.texts.shrink(address, oldLength, length)
    this.#write(record, fix, address)
    return true
  }

  /** Frees a record and the room of its text. */
  free(record: number): void {
    const { words } = this.records.page(record)
    const row = wordRow(record)
    this.texts.free(words[row + TEXT_ADDRESS] as number, words[row + TEXT_LENGTH] as number)
    this.records.free(record)
  }

  /** Degrees. */
  latitude(record: number): number {
    return this.records.page(record).floats[floatRow(record) + LATITUDE] as number
  }

  /** Degrees. */
  longitude(record: number): number {
    return this.records.page(record).floats[floatRow(record) + LONGITUDE] as number
  }

  /** Says whether a record is that of the client `buffer[start, end)`. */
  hasId(record: number, buffer: Buffer, start: number, end: number): boolean {
    const { words } = this.records.page(record)
    const row = wordRow(record)
    const idStart = words[row + ID_START] as number
    const length = end - start
    if ((words[row + ID_END] as number) - idStart !== length) return false
    const address = words[row + TEXT_ADDRESS] as number
    const text = this.texts.page(address)
    const textStart = this.texts.offset(address) + idStart
    for (let place = 0; place < length; place++) {
      if (text[textStart + place] !== buffer[start + place]) return false
    }
    return true
  }

  /** The ID of a record's client: a view. */
  id(record: number): Buffer {
    const { words } = this.records.page(record)
    const row = wordRow(record)
    return this.#text(record).subarray(words[row + ID_START], words[row + ID_END])
  }

  /**
   * Reads a little of each text that will be needed next: a processor waits for many places in memory at once, but
   * for one after the other when each text is copied before the next is looked for.
   */
  fetchTexts(records: readonly number[]): void {
    for (const record of records) {
      const { words } = this.records.page(record)
      const address = words[wordRow(record) + TEXT_ADDRESS] as number
      const text = this.texts.page(address)
      const start = this.texts.offset(address)
      fetched[0] = (text[start] as number) ^ (text[start + CACHE_LINE_BYTES] ?? 0)
    }
  }

  /** Appends the AT line of a record, with its line end. */
  appendAt(record: number, output: OutputBuffer): void {
    const { words } = this.records.page(record)
    this.#appendTo(output, record, words[wordRow(record) + TIME_END] as number)
  }

  /** The same with its attributes, if there are any, as a further field. */
  appendAtWithAttributes(record: number, output: OutputBuffer): void {
    const { words } = this.records.page(record)
    this.#appendTo(output, record, words[wordRow(record) + TEXT_LENGTH] as number)
  }

  #appendTo(output: OutputBuffer, record: number, textEnd: number): void {
    const { words } = this.records.page(record)
    const row = wordRow(record)
    const prefix = this.#names.atPrefix(originOf(words[row + SERVER] as number))
    output.append(prefix, 0, prefix.length)
    const address = words[row + TEXT_ADDRESS] as number
    const start = this.texts.offset(address)
    output.append(this.texts.page(address), start, start + textEnd)
    output.appendByte(LF)
  }

  /** Reads a record as values, for people and logs; not for the hot path. */
  read(record: number): StoredFix {
    return {
      ...this.ordered(record),
      client: this.id(record),
      latitude: this.latitude(record),
      longitude: this.longitude(record),
    }
  }

  /** What the order of fixes needs of a record, in views. */
  ordered(record: number): Ordered {
    const { words } = this.records.page(record)
    const row = wordRow(record)
    const text = this.#text(record)
    const times = makeTimes()
    this.readTimes(record, times)
    this.#readSkew(record, times.skew)
    const timeEnd = words[row + TIME_END] as number
    return {
      ...times,
      serverName: this.#names.name(originOf(words[row + SERVER] as number)),
      skewText: text.subarray(0, (words[row + ID_START] as number) - 1),
      positionText: text.subarray((words[row + ID_END] as number) + 1, words[row + POSITION_END]),
      timeText: text.subarray((words[row + POSITION_END] as number) + 1, timeEnd),
      attributesText: text.subarray(timeEnd + 1),
    }
  }

  /**
   * Reads what the order of fixes needs first. The skew matters there only when the client's clock is far ahead, so
   * it isn't kept as numbers: then it is read from the text, and otherwise it is given as 0.
   */
  readTimes(record: number, times: FixTimes): void {
    const { floats, words } = this.records.page(record)
    const row = wordRow(record)
    times.time.seconds = floats[floatRow(record) + TIME_SECONDS] as number
    times.time.nanoseconds = words[row + TIME_NANOSECONDS] as number
    if ((words[row + SERVER] as number) < 0) this.#readSkew(record, times.skew)
    else times.skew.seconds = times.skew.nanoseconds = 0
  }

  /** Compares a record's client time with a fix's, where both clocks are in order; 0 when that doesn't decide. */
  compareClientTimes(record: number, fix: Fix): number {
    const { floats, words } = this.records.page(record)
    const row = wordRow(record)
    if ((words[row + SERVER] as number) < 0 || fix.skew.seconds < -AHEAD_SECONDS_MAX) return 0
    const seconds = (floats[floatRow(record) + TIME_SECONDS] as number) - fix.time.seconds
    return seconds !== 0 ? seconds : (words[row + TIME_NANOSECONDS] as number) - fix.time.nanoseconds
  }

  /** Says whether a record's effective time is before that. */
  isBefore(record: number, time: Nanotime): boolean {
    const { floats, words } = this.records.page(record)
    const row = wordRow(record)
    if ((words[row + SERVER] as number) < 0) {
      this.readTimes(record, timesRead)
      effectiveTime(timesRead.time, timesRead.skew, effective)
      return compareTimes(effective, time) < 0
    }
    const seconds = floats[floatRow(record) + TIME_SECONDS] as number
    if (seconds !== time.seconds) return seconds < time.seconds
    return (words[row + TIME_NANOSECONDS] as number) < time.nanoseconds
  }

  /** Writes all of a record but what the grid keeps there. */
  #write(record: number, fix: Fix, address: number): void {
    const { floats, words } = this.records.page(record)
    const { position, time, buffer, start } = fix
    const floatAt = floatRow(record)
    floats[floatAt + LATITUDE] = position.latitude
    floats[floatAt + LONGITUDE] = position.longitude
    floats[floatAt + TIME_SECONDS] = time.seconds
    const row = wordRow(record)
    words[row + TIME_NANOSECONDS] = time.nanoseconds
    words[row + TEXT_ADDRESS] = address
    words[row + TEXT_LENGTH] = fix.end - start
    words[row + ID_START] = fix.clientStart - start
    words[row + ID_END] = fix.clientEnd - start
    words[row + POSITION_END] = fix.positionEnd - start
    words[row + TIME_END] = fix.timeEnd - start
    words[row + SERVER] = fix.skew.seconds < -AHEAD_SECONDS_MAX ? -1 - fix.server : fix.server
    copyBytes(buffer, start, fix.end, this.texts.page(address), this.texts.offset(address))
  }

  #readSkew(record: number, skew: Nanotime): void {
    const { words } = this.records.page(record)
    readSkew(this.#text(record), 0, (words[wordRow(record) + ID_START] as number) - 1, skew)
  }

  #text(record: number): Buffer {
    const { words } = this.records.page(record)
    const row = wordRow(record)
    const address = words[row + TEXT_ADDRESS] as number
    const start = this.texts.offset(address)
    return this.texts.page(address).subarray(start, start + (words[row + TEXT_LENGTH] as number))
  }
}

/** The index of the origin, out of the word that also says whether the client's clock is far ahead. */
function originOf(server: number): number {
  return server < 0 ? -1 - server : server
}

/** Times while they are compared: refilled, so that comparing makes no objects. */
const timesRead = makeTimes()
const effective: Nanotime = { seconds: 0, nanoseconds: 0 }
