import { compareTimes, type Nanotime, type OutputBuffer } from '../protocol/index.ts'
import type { Area } from './areas.ts'
import { isWithin } from './candidates.ts'
import type { Fix } from './fix.ts'
import { Grid } from './grid.ts'
import { HashIndex, NONE } from './hash-index.ts'
import { type HashKey, keyedHash } from './keyed-hash.ts'
import { AHEAD_SECONDS_MAX, compareNumbers, compareTexts, effectiveTime, type Ordered } from './order.ts'
import { type Query, Search } from './search.ts'
import type { ServerNames } from './server-names.ts'
import { makeTimes, type StoredFix, StoredFixes } from './stored-fixes.ts'
import type { ArenaBytes } from './text-arena.ts'

/** `apply`: what the table holds of that client is as new, or newer. */
export const NOT_NEWER = -1
/** `apply`: there is no room for a further client; nothing was changed. */
export const TOO_MANY_CLIENTS = -2
/** `apply`: there is no room for its text; nothing was changed. */
export const TEXT_FULL = -3
/** `apply`: the fix is older than what is still remembered. */
export const FORGOTTEN = -4

/** Bounds of a table. */
export interface TableLimits {
  /** Clients at most. */
  readonly clientsMax: number
  /** Bytes of texts that are too long for a record at most. */
  readonly tableBytesMax: number
}

/** Bytes that a table holds, by what they are for. */
export interface TableBytes {
  readonly records: number
  readonly text: number
  readonly index: number
  readonly grid: number
}

/**
 * Who is where: the newest fix of every client, and the spatial index over them. Pure: no clock, no socket.
 *
 * **Layout.** A client is a record number. There is no object per client, so nothing for the garbage collector to
 * walk; four structures of typed arrays share the number:
 *
 *     HashIndex   hash of the ID → number            4,096-slot segments, open addressing, keyed hash
 *     Records     number → 128 bytes                 position, time, chain of the cell; then the text,
 *                                                    `<skew> <client> <position> <time>[ <attributes>]`, as it came
 *     TextArena   address in the record → text       only texts of more than 80 bytes
 *     Grid        fine cell → first number in it     the records chain the others; bitmaps of the larger cells
 *
 * An update reads one slot and two neighboring cache lines. An AT line is the origin's name and a copy of the text.
 * Attributes lie behind it and cost nothing to who has none.
 *
 * **Invariants.**
 * 1. A number in use is under exactly one hash, in exactly one chain, and has exactly one text.
 * 2. A client keeps its number until it is removed; then the number, and the text's room, are used again.
 * 3. What is held of a client is the greatest fix applied, by `compareFixes`, whatever the order they came in.
 * 4. What is older than `forgetBefore` says is as good as removed, in every answer, whether or not `sweep` has come by.
 *
 * **Growth.** Nothing that grows is ever copied as a whole: rows, texts and bitmaps come in pages, and the index
 * splits one segment of 4,096 slots at a time (extendible hashing). So no insert takes longer than some
 * tens of microseconds, at ten clients or ten million. Churn doesn't grow it: the room of a text goes to the next of its size.
 */
export class LiveTable {
  readonly #limits: TableLimits
  readonly #names: ServerNames
  readonly #key: HashKey
  readonly #fixes: StoredFixes
  readonly #ids = new HashIndex()
  readonly #grid: Grid
  readonly #forgetBefore: Nanotime = { seconds: Number.NEGATIVE_INFINITY, nanoseconds: 0 }
  #swept = 0
  #newest = NONE
  readonly #newestTime: Nanotime = { seconds: Number.NEGATIVE_INFINITY, nanoseconds: 0 }
  #newestIsRemoved = false

  /** @param key random words. */
  constructor(limits: TableLimits, names: ServerNames, key: HashKey) {
    this.#limits = limits
    this.#names = names
    this.#key = key
    this.#fixes = new StoredFixes(limits.tableBytesMax, names)
    this.#grid = new Grid(this.#fixes.records, key[2])
  }

  /** How many clients there are, those among them that are forgotten but not yet swept. */
  get clients(): number {
    return this.#fixes.records.count
  }

  /** All record numbers are below this; not all numbers below it are in use: see `isLive`. */
  get recordsEnd(): number {
    return this.#fixes.records.end
  }

  /** Bytes held, by what they are for. */
  get bytes(): TableBytes {
    return {
      records: this.#fixes.records.bytes,
      text: this.#fixes.texts.bytes.pages,
      index: this.#ids.bytes,
      grid: this.#grid.bytes,
    }
  }

  /** The bytes of the text, by what they are. */
  get textBytes(): ArenaBytes {
    return this.#fixes.texts.bytes
  }

  /** The record with the newest effective time, or −1 if there is none. */
  get newest(): number {
    if (this.#newestIsRemoved) this.#findNewest()
    return this.#newest !== NONE && this.isLive(this.#newest) ? this.#newest : NONE
  }

  /**
   * Takes a fix if it is newer than what is known of its client, by the order of `compareFixes`.
   *
   * @returns the client's record number; when nothing was changed, `NOT_NEWER`, `FORGOTTEN`, `TOO_MANY_CLIENTS` or
   *   `TEXT_FULL`, which are all negative.
   */
  apply(fix: Fix): number {
    if (fix.time.seconds <= this.#forgetBefore.seconds || fix.skew.seconds < -AHEAD_SECONDS_MAX) {
      effectiveTime(fix.time, fix.skew, effective)
      if (compareTimes(effective, this.#forgetBefore) < 0) return FORGOTTEN
    }
    const hash = keyedHash(fix.buffer, fix.clientStart, fix.clientEnd, this.#key)
    const known = this.#find(hash, fix.buffer, fix.clientStart, fix.clientEnd)
    const record = known === NONE ? this.#insert(hash, fix) : this.#replace(known, fix)
    if (record >= 0) this.#noteNewest(record, fix.time, fix.skew)
    return record
  }

  /** The record of the client `buffer[start, end)`, or −1 if the herd has not heard of it. */
  get(buffer: Buffer, start: number, end: number): number {
    const record = this.#find(keyedHash(buffer, start, end, this.#key), buffer, start, end)
    return record !== NONE && this.isLive(record) ? record : NONE
  }

  /** Says whether a record number is in use and its fix not yet to be forgotten. */
  isLive(record: number): boolean {
    return this.#fixes.records.isUsed(record) && !this.#fixes.isBefore(record, this.#forgetBefore)
  }

  /** Appends the AT line of a record, with its line end. */
  appendAt(record: number, output: OutputBuffer): void {
    this.#fixes.appendAt(record, output)
  }

  /** The same, with the fix's attributes as a further field if it has any: so it travels between servers. */
  appendAtWithAttributes(record: number, output: OutputBuffer): void {
    this.#fixes.appendAtWithAttributes(record, output)
  }

  /** The same without a line end, for whoever adds a field. */
  appendAtFields(record: number, output: OutputBuffer): void {
    this.#fixes.appendAtWithAttributes(record, output)
    output.length--
  }

  /** Says whether the effective time of a record in use is before that. */
  isBefore(record: number, time: Nanotime): boolean {
    return this.#fixes.isBefore(record, time)
  }

  /** Says whether a record number is in use, forgotten or not. */
  isUsed(record: number): boolean {
    return this.#fixes.records.isUsed(record)
  }

  /** A hash of a record's client. */
  clientHash(record: number, key: HashKey): number {
    const id = this.#fixes.id(record)
    return keyedHash(id, 0, id.length, key)
  }

  /** A hash of all that a record holds: equal for equal AT lines with equal attributes. */
  fixHash(record: number, key: HashKey): number {
    return this.#fixes.hash(record, key)
  }

  /** Appends the AT lines of records; none, and `false`, when they have more than `bytesMax` bytes. */
  appendAll(records: readonly number[], output: OutputBuffer, bytesMax: number): boolean {
    const mark = output.waiting
    for (const record of records) {
      this.#fixes.appendAt(record, output)
      if (output.waiting - mark <= bytesMax) continue
      output.cutBack(mark)
      return false
    }
    return true
  }

  /** Reads a record as values, for people and logs; not for the hot path. */
  read(record: number): StoredFix {
    return this.#fixes.read(record)
  }

  /** Says whether a record in use lies in an area. */
  isIn(record: number, area: Area): boolean {
    return isWithin(this.#fixes, area, record)
  }

  /** Begins a search; see `Search` for how it goes on. */
  search(query: Query): Search {
    return new Search(this.#fixes, this.#grid, query, this.#forgetBefore)
  }

  /** Removes a client. Its record must be in use. */
  remove(record: number): void {
    const id = this.#fixes.id(record)
    // Finding it also tells the index which of its entries to remove.
    this.#find(keyedHash(id, 0, id.length, this.#key), id, 0, id.length)
    this.#ids.removeFound()
    this.#grid.remove(record, this.#fixes.latitude(record), this.#fixes.longitude(record))
    this.#fixes.free(record)
    if (record === this.#newest) this.#newestIsRemoved = true
  }

  /**
   * Forgets every fix whose effective time is before this, from now on and for ever: it is in no answer, and no fix
   * as old is taken. Whoever forgets by the same time agrees on who is left, without a word about it.
   *
   * @param time never goes back: an earlier one changes nothing.
   */
  forgetBefore(time: Nanotime): void {
    if (compareTimes(time, this.#forgetBefore) <= 0) return
    this.#forgetBefore.seconds = time.seconds
    this.#forgetBefore.nanoseconds = time.nanoseconds
  }

  /**
   * Removes what is to be forgotten among the next `records` records by number; after the last comes the first.
   *
   * @returns how many clients were removed.
   */
  sweep(records: number): number {
    let removed = 0
    for (let left = Math.min(records, this.recordsEnd); left > 0; left--) {
      const record = this.#swept
      this.#swept = record + 1 < this.recordsEnd ? record + 1 : 0
      if (!this.#fixes.records.isUsed(record) || this.isLive(record)) continue
      this.remove(record)
      removed++
    }
    return removed
  }

  #find(hash: number, buffer: Buffer, start: number, end: number): number {
    const ids = this.#ids
    for (let record = ids.first(hash); record !== NONE; record = ids.next()) {
      if (this.#fixes.hasId(record, buffer, start, end)) return record
    }
    return NONE
  }

  #insert(hash: number, fix: Fix): number {
    if (this.clients >= this.#limits.clientsMax) return TOO_MANY_CLIENTS
    const record = this.#fixes.add(fix)
    if (record === NONE) return TEXT_FULL
    if (!this.#ids.insert(hash, record))
      throw new Error('the index of IDs is full before clientsMax is reached')
    this.#grid.add(record, fix.position.latitude, fix.position.longitude)
    return record
  }

  #replace(record: number, fix: Fix): number {
    if (!this.#isNewer(record, fix)) return NOT_NEWER
    const latitude = this.#fixes.latitude(record)
    const longitude = this.#fixes.longitude(record)
    if (!this.#fixes.replace(record, fix)) return TEXT_FULL
    this.#grid.move(record, latitude, longitude, fix.position.latitude, fix.position.longitude)
    return record
  }

  #isNewer(record: number, fix: Fix): boolean {
    // With both clocks in order effective time is client time, which nearly always decides.
    const byClientTime = this.#fixes.compareClientTimes(record, fix)
    if (byClientTime !== 0) return byClientTime < 0
    // In a herd with rings many fixes come twice.
    if (this.#fixes.isSame(record, fix)) return false
    this.#fixes.readTimes(record, stored)
    const byTime = compareNumbers(fix, stored)
    if (byTime !== 0) return byTime > 0
    return compareTexts(this.#orderedFix(fix), this.#fixes.ordered(record)) > 0
  }

  #orderedFix(fix: Fix): Ordered {
    const { buffer, start } = fix
    return {
      time: fix.time,
      skew: fix.skew,
      serverName: this.#names.name(fix.server),
      skewText: buffer.subarray(start, fix.clientStart - 1),
      positionText: buffer.subarray(fix.positionStart, fix.positionEnd),
      timeText: buffer.subarray(fix.positionEnd + 1, fix.timeEnd),
      attributesText: buffer.subarray(fix.timeEnd + 1, fix.end),
    }
  }

  #noteNewest(record: number, time: Nanotime, skew: Nanotime): void {
    effectiveTime(time, skew, effective)
    if (compareTimes(effective, this.#newestTime) < 0) return
    this.#newest = record
    this.#newestTime.seconds = effective.seconds
    this.#newestTime.nanoseconds = effective.nanoseconds
  }

  /** Only when the newest itself was removed, and somebody asks. */
  #findNewest(): void {
    this.#newestIsRemoved = false
    this.#newest = NONE
    this.#newestTime.seconds = Number.NEGATIVE_INFINITY
    for (let record = 0; record < this.recordsEnd; record++) {
      if (!this.#fixes.records.isUsed(record)) continue
      this.#fixes.readTimes(record, stored)
      this.#noteNewest(record, stored.time, stored.skew)
    }
  }
}

/** Times while they are compared: refilled, so that comparing makes no objects. */
const stored = makeTimes()
const effective: Nanotime = { seconds: 0, nanoseconds: 0 }
