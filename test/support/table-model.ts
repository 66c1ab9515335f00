/**
 * A live table beside a naive one: each step is done to both, and what the table says is held against what it must
 * say. Record numbers are part of it, since whoever holds one relies on it.
 */
import assert from 'node:assert/strict'
import {
  FORGOTTEN,
  NOT_NEWER,
  type Query,
  type TableLimits,
  TEXT_FULL,
  TOO_MANY_CLIENTS,
} from '../../src/locations/index.ts'
import { TEXT_BYTES } from '../../src/locations/records.ts'
import { type ArenaBytes, PAGE_BYTES, TextArena } from '../../src/locations/text-arena.ts'
import { LineTable, toNanotime } from './fixes.ts'
import {
  type NaiveFix,
  type NaiveQuery,
  NaiveTable,
  naiveCompare,
  naiveEffectiveTime,
  readAt,
} from './naive-table.ts'

/** A question, as both tables are asked it. */
export interface TwoQueries {
  readonly area: Query['area']
  readonly naive: Pick<NaiveQuery, 'isWithin' | 'metres'>
  readonly items: number
  readonly since: bigint | null
  readonly except: string | undefined
}

/** Both tables, and what must be true of them. */
export class TableModel {
  readonly naive: NaiveTable = new NaiveTable()
  readonly real: LineTable
  /** All that `apply` ever refused for. */
  readonly refusals: Set<number> = new Set()
  readonly #limits: TableLimits
  readonly #records = new Map<string, number>()
  #end = 0
  #swept = 0

  constructor(limits: TableLimits) {
    this.#limits = limits
    this.real = new LineTable(limits)
  }

  /** Applies an AT line to both. */
  apply(line: string): void {
    const bytes = this.real.table.textBytes
    const result = this.real.apply(line)
    if (result < 0) this.refusals.add(result)
    const fix = readAt(line)
    const known = this.naive.held(fix.client)
    if (this.naive.isForgotten(line)) assert.equal(result, FORGOTTEN)
    else if (known !== undefined && naiveCompare(fix, known) <= 0) assert.equal(result, NOT_NEWER)
    else if (known === undefined && this.naive.clients.length === this.#limits.clientsMax) {
      assert.equal(result, TOO_MANY_CLIENTS)
    } else if (result === TEXT_FULL) this.#assertFull(bytes, fix, known)
    else this.#take(line, fix.client, result)
  }

  /** Removes the client that was heard of first but `choice`, if there is any. */
  remove(choice: number): void {
    const { clients } = this.naive
    const client = clients[choice % Math.max(1, clients.length)]
    if (client === undefined) return
    this.real.table.remove(this.#records.get(client) ?? -1)
    this.#forget(client)
  }

  /** Forgets what is older, in nanoseconds. */
  forgetBefore(time: bigint): void {
    this.real.table.forgetBefore(toNanotime(time))
    this.naive.forgetBefore(time)
  }

  /** Sweeps so many records. */
  sweep(records: number): void {
    const clients = new Map([...this.#records].map(([client, record]) => [record, client]))
    let removed = 0
    for (let left = Math.min(records, this.#end); left > 0; left--) {
      const client = clients.get(this.#swept)
      this.#swept = this.#swept + 1 < this.#end ? this.#swept + 1 : 0
      if (client === undefined || this.naive.get(client) !== undefined) continue
      this.#forget(client)
      removed++
    }
    assert.equal(this.real.table.sweep(records), removed)
  }

  /** Asks both, and compares the answers, order and all. */
  ask({ area, naive, items, since, except }: TwoQueries): void {
    const left = except === undefined ? -1 : this.real.get(except)
    const query = { area, items, since: since === null ? null : toNanotime(since), except: left }
    assert.deepEqual(this.real.search(query), this.naive.search({ ...naive, items, since, except }))
  }

  /** Holds everything else that the table says of itself against the model. */
  assertInvariants(): void {
    const { table } = this.real
    assert.deepEqual([table.clients, table.recordsEnd], [this.naive.clients.length, this.#end])
    assert.deepEqual(this.real.lines, this.naive.lines)
    for (const [client, record] of this.#records) {
      assert.equal(this.real.get(client), this.naive.get(client) === undefined ? -1 : record)
    }
    const { pages, used, free, untouched } = table.textBytes
    assert.equal(used + free + untouched, pages)
    assert.equal(
      used,
      this.naive.allHeld.reduce((sum, fix) => sum + arenaRoom(fix), 0),
    )
    this.#assertNewest()
  }

  #assertNewest(): void {
    const { newest } = this.real.table
    const times = this.naive.lines.map((line) => naiveEffectiveTime(readAt(line)))
    if (newest === -1) assert.deepEqual(times, [])
    else {
      const time = naiveEffectiveTime(readAt(this.real.line(newest)))
      assert.ok(times.includes(time) && times.every((other) => other <= time))
    }
  }

  /** A client keeps its number; a new one gets a number that was freed, if there is any. */
  #take(line: string, client: string, record: number): void {
    const known = this.#records.get(client)
    if (known !== undefined) assert.equal(record, known)
    else if (this.#records.size === this.#end) assert.equal(record, this.#end++)
    else {
      assert.ok(record >= 0 && record < this.#end, `${record} was given out before`)
      assert.ok(![...this.#records.values()].includes(record), `${record} is free`)
    }
    this.#records.set(client, record)
    this.naive.apply(line)
  }

  /** There is no room for a text only when neither the last page nor its own place will do, and there is no further page. */
  #assertFull(bytes: ArenaBytes, fix: NaiveFix, known: NaiveFix | undefined): void {
    const room = arenaRoom(fix)
    if (room <= PAGE_BYTES) {
      assert.ok(bytes.pages + PAGE_BYTES > this.#limits.tableBytesMax, 'all pages are in use')
      assert.ok(bytes.untouched < room)
    }
    if (known !== undefined) assert.ok(arenaRoom(known) < room)
  }

  #forget(client: string): void {
    this.naive.remove(client)
    this.#records.delete(client)
  }
}

/** What a text takes of the arena: the table keeps a line without its word and its server, a short one in the record. */
function arenaRoom({ line, server }: NaiveFix): number {
  const length = line.length - `AT ${server} `.length
  return length <= TEXT_BYTES ? 0 : TextArena.room(length)
}
