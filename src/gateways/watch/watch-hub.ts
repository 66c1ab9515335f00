import type { Counters } from '../../counters.ts'
import type { Area } from '../../locations/index.ts'
import type { Nanotime } from '../../protocol/index.ts'
import type { Owed } from '../../replication/owed.ts'
import type { Replica } from '../../replication/replica.ts'
import type { VersionVector } from '../../replication/version-vector.ts'
import type { System } from '../../system.ts'
import { CallRefused } from '../calls/call-refused.ts'
import { clientFixOf } from '../calls/client-fix.ts'
import { readCursor, writeCursor } from './cursor.ts'
import { WatchedFix } from './watched-fix.ts'
import { Watcher, type WatcherContext, type WatchFilter, type WatchSink } from './watcher.ts'

/** Bounds of watching. */
export interface WatchLimits {
  /** Who may watch at a time, through all gateways. */
  readonly watchersMax: number
  /** Record numbers remembered for each: what it couldn't take yet, and who is in its area. */
  readonly watchRememberedMax: number
}

/** What the hub needs. */
export interface WatchHubContext {
  readonly replica: Replica
  readonly counters: Counters
  readonly system: Pick<System, 'readClock' | 'after' | 'nowMs'>
  readonly limits: WatchLimits
}

/** From where on somebody is told: a cursor, everything that is known first, or only what comes. */
export type WatchFrom = { readonly cursor: string } | 'all' | 'now'

/** One who is told. */
export interface Watching {
  /** The sink can take more. */
  resume(): void
  /** Nobody watches any more. */
  close(): void
}

/** A fix goes out at once; those that follow within this time go out together. */
const TURN_MS = 10
/** Fixes that a turn tells, times those who are told. */
const TURN_OFFERS_MAX = 100_000
const TURN_FIXES_MIN = 16
const TURN_FIXES_MAX = 1024
/** When there may be room for one more who watches. */
const RETRY_MS = 5000
/** Cursors are told at most so often. */
const CURSOR_MS = 500

/**
 * Tells of new fixes whoever watches, through whichever gateway. It is one more link of the replica: it owes each client at most
 * once, and its newest fix is read when it is told; so however fast fixes come, nothing piles up.
 */
export class WatchHub {
  readonly #context: WatchHubContext
  readonly #watcherContext: WatcherContext
  /** `null` while nobody watches. */
  #owed: Owed | null = null
  /** Those who watch any client … */
  readonly #general = new Set<Watcher>()
  /** … and those who watch some, by these. */
  readonly #byClient = new Map<string, Set<Watcher>>()
  readonly #all = new Set<Watcher>()
  #isScheduled = false
  #turnMs = Number.NEGATIVE_INFINITY
  /** What was held when the queue was as long as `at`: told to all once the queue is past it. */
  #marker: { readonly at: number; readonly vector: VersionVector } | null = null
  #cursor: string | null = null
  #cursorMs = Number.NEGATIVE_INFINITY
  #cursorChanges = -1
  readonly #now: Nanotime = { seconds: 0, nanoseconds: 0 }

  constructor(context: WatchHubContext) {
    this.#context = context
    const { table, runs } = context.replica
    this.#watcherContext = {
      recordsEnd: () => table.recordsEnd,
      recordOf: (client) => {
        const id = Buffer.from(client)
        return table.get(id, 0, id.length)
      },
      covers: (vector, record) => vector.covers(context.replica.stampOf(record)),
      isIn: (area, record) => this.#isIn(area, record),
      read: (record) => this.#read(record),
      runsDropped: () => runs.dropped,
      wake: () => this.wake(),
      rememberedMax: context.limits.watchRememberedMax,
    }
  }

  /** How many watch. */
  get watchers(): number {
    return this.#all.size
  }

  /**
   * Begins to tell somebody. Nothing is told before this has returned.
   *
   * @throws {CallRefused} when too many watch, or the cursor is none.
   */
  watch(filter: WatchFilter, from: WatchFrom, sink: WatchSink): Watching {
    const { limits, counters, replica } = this.#context
    if (this.#all.size >= limits.watchersMax) {
      counters.watchersRefused++
      const most = `${limits.watchersMax} watch already (limits.watchersMax)`
      throw new CallRefused('rate', most, RETRY_MS)
    }
    const since = typeof from === 'object' ? readCursor(from.cursor, replica.runs) : from
    if (since === null) throw new CallRefused('invalid', 'that is no cursor: begin without one')
    if ((filter.clients?.size ?? 0) > limits.watchRememberedMax) {
      const most = `at most ${limits.watchRememberedMax} clients can be named (limits.watchRememberedMax)`
      throw new CallRefused('too-many', most)
    }
    this.#connect()
    const watcher = new Watcher(filter, since === 'all' ? null : since, sink, this.#watcherContext)
    this.#add(watcher)
    // What it need not be told is also worth a cursor.
    this.#cursorChanges = -1
    this.wake()
    return { resume: () => watcher.resume(), close: () => this.#remove(watcher) }
  }

  /** There may be something to tell. */
  wake(): void {
    if (this.#isScheduled || this.#owed === null) return
    this.#isScheduled = true
    const waitMs = this.#turnMs + TURN_MS - this.#context.system.nowMs()
    if (waitMs > 0) this.#context.system.after(waitMs, () => this.#turn())
    else setImmediate(() => this.#turn())
  }

  #turn(): void {
    this.#isScheduled = false
    const owed = this.#owed
    if (owed === null) return
    const { system, replica } = this.#context
    this.#turnMs = system.nowMs()
    system.readClock(this.#now)
    replica.forget(this.#now)
    this.#setMarker(owed)
    this.#tellNew(owed)
    this.#passMarker(owed)
    const cursor = this.#takeCursor()
    let isBehind = owed.length > 0
    for (const watcher of this.#all) {
      if (watcher.isBehind) watcher.catchUp()
      watcher.flush(cursor)
      isBehind ||= watcher.isBehind
    }
    if (isBehind || this.#hasCursor) this.wake()
  }

  #tellNew(owed: Owed): void {
    const most = Math.max(TURN_FIXES_MIN, Math.min(TURN_FIXES_MAX, TURN_OFFERS_MAX / this.#all.size))
    for (let told = 0; told < most; told++) {
      const record = owed.take(false)
      if (record === -1) return
      const watched = this.#read(record)
      if (watched === null) continue
      for (const watcher of this.#general) watcher.offer(watched)
      for (const watcher of this.#byClient.get(watched.fix.client) ?? []) watcher.offer(watched)
    }
  }

  #setMarker({ queue }: Owed): void {
    const { vector } = this.#context.replica
    if (this.#marker !== null || vector.changes === this.#cursorChanges) return
    this.#marker = { at: queue.made, vector: vector.snapshot() }
  }

  /** When all that the marker covers was told, it is a cursor. */
  #passMarker({ queue }: Owed): void {
    const marker = this.#marker
    if (marker === null || queue.taken < marker.at) return
    this.#marker = null
    this.#cursor = writeCursor(marker.vector, this.#context.replica.runs)
    this.#cursorChanges = marker.vector.changes
  }

  get #hasCursor(): boolean {
    return this.#cursor !== null
  }

  #takeCursor(): string | null {
    if (this.#cursor === null || this.#turnMs - this.#cursorMs < CURSOR_MS) return null
    const cursor = this.#cursor
    this.#cursor = null
    this.#cursorMs = this.#turnMs
    return cursor
  }

  #read(record: number): WatchedFix | null {
    const { table } = this.#context.replica
    if (!table.isLive(record)) return null
    return new WatchedFix(record, clientFixOf(table.read(record)), this.#now)
  }

  #isIn(area: Area, record: number): boolean {
    const { table } = this.#context.replica
    return table.isUsed(record) && table.isIn(record, area)
  }

  #add(watcher: Watcher): void {
    this.#all.add(watcher)
    const { clients } = watcher.filter
    if (clients === null) this.#general.add(watcher)
    for (const client of clients ?? []) {
      const others = this.#byClient.get(client) ?? new Set()
      this.#byClient.set(client, others.add(watcher))
    }
  }

  #remove(watcher: Watcher): void {
    if (!this.#all.delete(watcher)) return
    this.#general.delete(watcher)
    for (const client of watcher.filter.clients ?? []) {
      const others = this.#byClient.get(client)
      others?.delete(watcher)
      if (others?.size === 0) this.#byClient.delete(client)
    }
    if (this.#all.size === 0) this.#disconnect()
  }

  #connect(): void {
    if (this.#owed !== null) return
    this.#owed = this.#context.replica.connect('watchers')
    // Each watcher catches up by itself.
    this.#owed.queue.markAllBelow(0)
  }

  #disconnect(): void {
    if (this.#owed !== null) this.#context.replica.disconnect(this.#owed)
    this.#owed = null
    this.#marker = null
    this.#cursor = null
    this.#cursorChanges = -1
  }
}
