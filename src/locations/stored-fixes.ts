import type { Nanotime, OutputBuffer } from '../protocol/index.ts'
import { compareTimes, copyBytes, LF, readSkew, SPACE } from '../protocol/index.ts'
import type { Fix } from './fix.ts'
import { type HashKey, keyedHash } from './keyed-hash.ts'
import { AHEAD_SECONDS_MAX, effectiveTime, type Ordered } from './order.ts'
import {
  floatRow,
  ID_START_AND_SERVER,
  LATITUDE,
  LONGITUDE,
  Records,
  TEXT,
  TEXT_BYTES,
  TEXT_LENGTH,
  TIME_END,
  TIME_NANOSECONDS,
  TIME_SECONDS,
  textRow,
  wordRow,
} from './records.ts'
import type { ServerNames } from './server-names.ts'
import { TextArena } from './text-arena.ts'

/**
 * The word `ID_START_AND_SERVER`: the low bits say where the ID starts (a skew has at most 64 bytes), the next which
 * server is the origin, by its index in `ServerNames`. All bits are inverted, so that it is negative, when the
 * client's clock is more than 60 s ahead: then effective time isn't client time.
 */
const ID_START_BITS = 8
const ID_START_MASK = (1 << ID_START_BITS) - 1

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

/**
 * What the records hold: the numbers of each in its row, its text behind them or, if it is too long for that, in the
 * arena. Reading and writing, no index.
 */
export class StoredFixes {
  readonly records: Records = new Records()
  /** The longer texts. */
  readonly texts: TextArena
  readonly #names: ServerNames

  constructor(textBytesMax: number, names: ServerNames) {
    this.texts = new TextArena(textBytesMax)
    this.#names = names
  }

  /** Takes a record into use for a fix: its number, or −1 when there is no room for the text. */
  add(fix: Fix): number {
    const length = fix.end - fix.start
    const address = length > TEXT_BYTES ? this.texts.allocate(length) : 0
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
    let address = words[row + TEXT] as number
    if (length > TEXT_BYTES || oldLength > TEXT_BYTES) {
      address = this.#moveText(address, oldLength, length)
      if (address === -1) return false
    }
    this.#write(record, fix, address)
    return true
  }

  /** Frees a record and the room of its text. */
  free(record: number): void {
    const { words } = this.records.page(record)
    const row = wordRow(record)
    const length = words[row + TEXT_LENGTH] as number
    if (length > TEXT_BYTES) this.texts.free(words[row + TEXT] as number, length)
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
    const text = this.#textPage(record)
    const idStart = this.#textStart(record) + idStartOf(words[row + ID_START_AND_SERVER] as number)
    const length = end - start
    // One space ends it; behind it a text goes on at least as long as a position and a time are.
    if (text[idStart + length] !== SPACE) return false
    for (let place = 0; place < length; place++) {
      if (text[idStart + place] !== buffer[start + place]) return false
    }
    return true
  }

  /** The ID of a record's client: a view. */
  id(record: number): Buffer {
    const { words } = this.records.page(record)
    const text = this.#text(record)
    const start = idStartOf(words[wordRow(record) + ID_START_AND_SERVER] as number)
    return text.subarray(start, text.indexOf(SPACE, start))
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
    const prefix = this.#names.atPrefix(originOf(words[wordRow(record) + ID_START_AND_SERVER] as number))
    output.append(prefix, 0, prefix.length)
    const start = this.#textStart(record)
    output.append(this.#textPage(record), start, start + textEnd)
    output.appendByte(LF)
  }

  /** A hash of all that a record holds: its text and its origin's name. */
  hash(record: number, key: HashKey): number {
    const { words } = this.records.page(record)
    const row = wordRow(record)
    const name = this.#names.name(originOf(words[row + ID_START_AND_SERVER] as number))
    const start = this.#textStart(record)
    const end = start + (words[row + TEXT_LENGTH] as number)
    return keyedHash(this.#textPage(record), start, end, key) ^ keyedHash(name, 0, name.length, key)
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
    const idStart = idStartOf(words[row + ID_START_AND_SERVER] as number)
    const idEnd = text.indexOf(SPACE, idStart)
    const positionEnd = text.indexOf(SPACE, idEnd + 1)
    const timeEnd = words[row + TIME_END] as number
    return {
      ...times,
      serverName: this.#names.name(originOf(words[row + ID_START_AND_SERVER] as number)),
      skewText: text.subarray(0, idStart - 1),
      positionText: text.subarray(idEnd + 1, positionEnd),
      timeText: text.subarray(positionEnd + 1, timeEnd),
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
    if ((words[row + ID_START_AND_SERVER] as number) < 0) this.#readSkew(record, times.skew)
    else times.skew.seconds = times.skew.nanoseconds = 0
  }

  /** Compares a record's client time with a fix's, where both clocks are in order; 0 when that doesn't decide. */
  compareClientTimes(record: number, fix: Fix): number {
    const { floats, words } = this.records.page(record)
    const row = wordRow(record)
    if ((words[row + ID_START_AND_SERVER] as number) < 0 || fix.skew.seconds < -AHEAD_SECONDS_MAX) return 0
    const seconds = (floats[floatRow(record) + TIME_SECONDS] as number) - fix.time.seconds
    return seconds !== 0 ? seconds : (words[row + TIME_NANOSECONDS] as number) - fix.time.nanoseconds
  }

  /** Says whether a record holds exactly this fix. */
  isSame(record: number, fix: Fix): boolean {
    const { words } = this.records.page(record)
    const row = wordRow(record)
    const length = fix.end - fix.start
    if (words[row + TEXT_LENGTH] !== length) return false
    if (originOf(words[row + ID_START_AND_SERVER] as number) !== fix.server) return false
    const text = this.#textPage(record)
    const start = this.#textStart(record)
    // From the end on: most that differ do so in the last digits of the time.
    for (let place = length - 1; place >= 0; place--) {
      if (text[start + place] !== fix.buffer[fix.start + place]) return false
    }
    return true
  }

  /** Says whether a record's effective time is before that. */
  isBefore(record: number, time: Nanotime): boolean {
    const { floats, words } = this.records.page(record)
    const row = wordRow(record)
    if ((words[row + ID_START_AND_SERVER] as number) < 0) {
      this.readTimes(record, timesRead)
      effectiveTime(timesRead.time, timesRead.skew, effective)
      return compareTimes(effective, time) < 0
    }
    const seconds = floats[floatRow(record) + TIME_SECONDS] as number
    if (seconds !== time.seconds) return seconds < time.seconds
    return (words[row + TIME_NANOSECONDS] as number) < time.nanoseconds
  }

  /**
   * Finds room in the arena for a text that takes the place of another, and gives the other's room back, if they need
   * any: the address, 0 for a text that needs none, −1 when there is no room.
   */
  #moveText(address: number, oldLength: number, length: number): number {
    const { texts } = this
    if (oldLength <= TEXT_BYTES) return texts.allocate(length)
    if (length <= TEXT_BYTES) {
      texts.free(address, oldLength)
      return 0
    }
    if (TextArena.room(length) === TextArena.room(oldLength)) return address
    const moved = texts.allocate(length)
    if (moved !== -1) {
      texts.free(address, oldLength)
      return moved
    }
    if (length > oldLength) return -1
    texts.shrink(address, oldLength, length)
    return address
  }

  /** Writes all of a record but what the grid keeps there. */
  #write(record: number, fix: Fix, address: number): void {
    const { floats, words } = this.records.page(record)
    const { position, time, buffer, start, end } = fix
    const floatAt = floatRow(record)
    floats[floatAt + LATITUDE] = position.latitude
    floats[floatAt + LONGITUDE] = position.longitude
    floats[floatAt + TIME_SECONDS] = time.seconds
    const row = wordRow(record)
    const idStartAndServer = (fix.server << ID_START_BITS) | (fix.clientStart - start)
    words[row + TIME_NANOSECONDS] = time.nanoseconds
    words[row + ID_START_AND_SERVER] =
      fix.skew.seconds < -AHEAD_SECONDS_MAX ? ~idStartAndServer : idStartAndServer
    words[row + TEXT_LENGTH] = end - start
    words[row + TIME_END] = fix.timeEnd - start
    if (end - start > TEXT_BYTES) words[row + TEXT] = address
    copyBytes(buffer, start, end, this.#textPage(record), this.#textStart(record))
  }

  #readSkew(record: number, skew: Nanotime): void {
    const { words } = this.records.page(record)
    const idStart = idStartOf(words[wordRow(record) + ID_START_AND_SERVER] as number)
    readSkew(this.#text(record), 0, idStart - 1, skew)
  }

  #text(record: number): Buffer {
    const { words } = this.records.page(record)
    const start = this.#textStart(record)
    return this.#textPage(record).subarray(start, start + (words[wordRow(record) + TEXT_LENGTH] as number))
  }

  /** The bytes that a record's text lies in. */
  #textPage(record: number): Buffer {
    const { words, bytes } = this.records.page(record)
    const row = wordRow(record)
    const isShort = (words[row + TEXT_LENGTH] as number) <= TEXT_BYTES
    return isShort ? bytes : this.texts.page(words[row + TEXT] as number)
  }

  /** Where in those its text starts. */
  #textStart(record: number): number {
    const { words } = this.records.page(record)
    const row = wordRow(record)
    const isShort = (words[row + TEXT_LENGTH] as number) <= TEXT_BYTES
    return isShort ? textRow(record) : this.texts.offset(words[row + TEXT] as number)
  }
}

function idStartOf(idStartAndServer: number): number {
  return (idStartAndServer < 0 ? ~idStartAndServer : idStartAndServer) & ID_START_MASK
}

/** The index of the origin. */
function originOf(idStartAndServer: number): number {
  return (idStartAndServer < 0 ? ~idStartAndServer : idStartAndServer) >> ID_START_BITS
}

/** Times while they are compared: refilled, so that comparing makes no objects. */
const timesRead = makeTimes()
const effective: Nanotime = { seconds: 0, nanoseconds: 0 }
