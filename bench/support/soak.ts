import { FORGOTTEN, LiveTable, ServerNames } from '../../src/locations/index.ts'
import { FixWriter } from '../../test/support/fix-writer.ts'

/** What a table holds at some time. */
export interface Held {
  readonly updates: number
  readonly clients: number
  /** Record numbers given out. */
  readonly records: number
  /** Bytes. */
  readonly textUsed: number
  readonly textPages: number
  readonly index: number
  readonly grid: number
}

/** Clients report once in so many seconds, on average. */
const REPORT_SECONDS = 10
/** A client that hasn't reported for so long is forgotten: longer than all but one in some thousands are silent. */
const FORGET_SECONDS = 100
/** One report in so many is its client's last: half of them are removed, half just fall silent. */
const REPORTS_OF_A_LIFE = 500
/** Between two sweeps. */
const SWEEP_UPDATES = 1024
/** Reports come from a square of this side, in millionths of a degree, … */
const SIDE = 2_000_000
/** … and a client is no farther than this from its last report: mostly in another cell of the grid. */
const STEP = 12_000
const START_SECONDS = 1_000_000_000

/**
 * Updates of a live table as a city makes them, all kinds of churn at once: clients move between cells, their texts
 * change in length, with attributes and without, they leave by being removed or forgotten, and new ones come. After
 * a while as many come as go, and from then on nothing may grow. Pure: the same numbers every time.
 */
export class Soak {
  readonly #ids: number
  readonly #table: LiveTable
  readonly #writer = new FixWriter()
  readonly #clients: Float64Array
  readonly #latitudes: Int32Array
  readonly #longitudes: Int32Array
  #fresh = 0
  #updates = 0
  #chance = 0x2545f491

  /** @param ids clients that report at any time. */
  constructor(ids: number) {
    this.#ids = ids
    const names = new ServerNames(1)
    names.indexOf(Buffer.from('Alford'), 0, 6)
    const limits = { clientsMax: 2 * ids, tableBytesMax: 2 ** 32 }
    this.#table = new LiveTable(limits, names, [0x03020100, 0x07060504, 0x0b0a0908])
    this.#clients = new Float64Array(ids)
    this.#latitudes = new Int32Array(ids)
    this.#longitudes = new Int32Array(ids)
    for (let place = 0; place < ids; place++) this.#renew(place)
  }

  /** Applies so many fixes. */
  run(updates: number): void {
    for (let left = updates; left > 0; left--) {
      // Everybody reports once, and then whoever comes.
      this.#report(this.#updates < this.#ids ? this.#updates : this.#random(this.#ids))
      this.#updates++
      if (this.#updates % SWEEP_UPDATES === 0) this.#sweep()
    }
  }

  get held(): Held {
    const { clients, recordsEnd, textBytes, bytes } = this.#table
    const { used, free, untouched, pages } = textBytes
    if (used + free + untouched !== pages) throw new Error('bytes of text are lost')
    return {
      updates: this.#updates,
      clients,
      records: recordsEnd,
      textUsed: used,
      textPages: pages,
      index: bytes.index,
      grid: bytes.grid,
    }
  }

  /** The second that it is: so that everybody reports as often as they should. */
  get #now(): number {
    return START_SECONDS + Math.floor((this.#updates * REPORT_SECONDS) / this.#ids)
  }

  #report(place: number): void {
    const latitude = this.#walk(this.#latitudes, place)
    const longitude = this.#walk(this.#longitudes, place)
    const client = this.#clients[place] as number
    // Half of the reports have attributes; they end in 0 to 63 bytes more.
    const attributes = Math.max(0, this.#random(128) - 64)
    const fix = this.#writer.write({
      client,
      latitude,
      longitude,
      attributes,
      idDigits: 8 + (client % 20),
      seconds: this.#now,
    })
    const record = this.#table.apply(fix)
    // Not newer is who reports twice in a second.
    if (record < -1) throw new Error(record === FORGOTTEN ? 'forgotten too early' : 'the table is full')
    const life = this.#random(REPORTS_OF_A_LIFE * 2)
    if (life === 0 && record >= 0) this.#table.remove(record)
    if (life <= 1) this.#renew(place)
  }

  /** Somebody new is where somebody was. */
  #renew(place: number): void {
    this.#clients[place] = this.#fresh++
    this.#latitudes[place] = this.#random(SIDE)
    this.#longitudes[place] = this.#random(SIDE)
  }

  #walk(degrees: Int32Array, place: number): number {
    const next = (degrees[place] as number) + this.#random(2 * STEP + 1) - STEP
    degrees[place] = Math.max(0, Math.min(SIDE, next))
    return degrees[place] as number
  }

  /** Goes through all records while everybody reports once. */
  #sweep(): void {
    this.#table.forgetBefore({ seconds: this.#now - FORGET_SECONDS, nanoseconds: 0 })
    this.#table.sweep(Math.ceil((this.#table.recordsEnd * SWEEP_UPDATES) / this.#ids))
  }

  /** A whole number below `end`: xorshift, the same ones every time. */
  #random(end: number): number {
    this.#chance ^= this.#chance << 13
    this.#chance ^= this.#chance >>> 17
    this.#chance ^= this.#chance << 5
    return Math.floor(((this.#chance >>> 0) / 2 ** 32) * end)
  }
}

/** What may grow by how much after the first quarter: a share of what there was then, and some of a page. */
const GROWTH_MAX: Readonly<Record<'records' | 'textPages' | 'index' | 'grid', readonly [number, number]>> = {
  records: [0.01, 100],
  textPages: [0.02, 2 ** 20],
  // Segments are split one by one, and never put together again; chance decides which of them are full once.
  index: [0.1, 2 ** 16],
  grid: [0.1, 2 ** 17],
}

/** What has grown further than it may between two times. */
export function findGrowth(early: Held, late: Held): string[] {
  return Object.entries(GROWTH_MAX)
    .filter(
      ([what, [share, more]]) => late[what as keyof Held] > early[what as keyof Held] * (1 + share) + more,
    )
    .map(([what]) => `${what} grew from ${early[what as keyof Held]} to ${late[what as keyof Held]}`)
}
