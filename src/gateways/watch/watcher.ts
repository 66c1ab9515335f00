import type { Area } from '../../locations/index.ts'
import type { VersionVector } from '../../replication/version-vector.ts'
import type { Grant } from '../access/grant.ts'
import type { WatchedFix } from './watched-fix.ts'

/** What somebody watches. */
export interface WatchFilter {
  /** Only these clients; `null`: all. */
  readonly clients: ReadonlySet<string> | null
  /** Only where they are in this area; `null`: anywhere. */
  readonly area: Area | null
  readonly grant: Grant
}

/** Where what is watched goes. */
export interface WatchSink {
  /** A client is here now. */
  fix(fix: WatchedFix): void
  /** A client has left the area that is watched. After a resume also one that may never have been in it. */
  exit(fix: WatchedFix): void
  /** All that was to be told up to here was told: who comes back with this cursor, to any server, is told the rest. */
  cursor(text: string): void
  /**
   * Lets out what was told since it was called last.
   *
   * @returns whether more can be taken now; if not, `Watcher.resume` is to be called when it can.
   */
  flush(): boolean
  /** It may not be told any more, and isn't: its grant was revoked. */
  revoked?(): void
}

/** What a watcher needs of the table, and of its hub. */
export interface WatcherContext {
  readonly recordsEnd: () => number
  readonly recordOf: (client: string) => number
  /** Whether a vector says that the fix of a record is known. */
  readonly covers: (vector: VersionVector, record: number) => boolean
  /** Whether a record lies in an area; cheaper than reading it. */
  readonly isIn: (area: Area, record: number) => boolean
  /** `null` when nobody is under that number any more. */
  readonly read: (record: number) => WatchedFix | null
  /** Goes up when runs are dropped: vectors from before mean nothing any more. */
  readonly runsDropped: () => number
  readonly wake: () => void
  /** Records that are remembered for a watcher that can't take more, or as being in its area. */
  readonly rememberedMax: number
}

/** Records that a turn of catching up looks at, and fixes that it tells at most. */
const TURN_RECORDS_MAX = 4096
const TURN_FIXES_MAX = 256

/**
 * One who watches. What it can't take is remembered by record number, and its value read when it is told: so it is told the newest
 * of each client, and what waits for it is bounded. If even the numbers are too many, it is told anew all that its last cursor
 * doesn't cover.
 */
export class Watcher {
  readonly filter: WatchFilter
  readonly #sink: WatchSink
  readonly #context: WatcherContext
  /** What the other end says it was told before it came; `null`: nothing. */
  #since: VersionVector | null
  readonly #runsDropped: number
  /** Whether it may have been told that clients are in the area that we don't know to have been. */
  #mayBeAnywhere: boolean
  /** There are more in the area than are remembered: then that holds on. */
  #isSaturated = false
  /** Numbers of records to be looked at once: those from `#sweepNext` on, or of the clients that are watched. */
  #sweepNext = 0
  #sweepEnd = 0
  readonly #pending = new Set<number>()
  readonly #inside = new Set<number>()
  #isBlocked = false
  #isTold = false
  #toldCursor: string | null = null

  /** @param since what need not be told; `null`: tell everything; `'now'`: only what comes from now on. */
  constructor(
    filter: WatchFilter,
    since: VersionVector | 'now' | null,
    sink: WatchSink,
    context: WatcherContext,
  ) {
    this.filter = filter
    this.#sink = sink
    this.#context = context
    this.#since = since === 'now' ? null : since
    this.#runsDropped = context.runsDropped()
    this.#mayBeAnywhere = this.#since !== null
    if (since !== 'now') this.#beginSweep()
  }

  /** Whether it has something to do without anything new. */
  get isBehind(): boolean {
    return !this.#isBlocked && (this.#pending.size > 0 || this.#sweepNext < this.#sweepEnd)
  }

  /** Whether it was told all that it is to be told by now. */
  get isUpToDate(): boolean {
    return !this.#isBlocked && this.#pending.size === 0 && this.#sweepNext >= this.#sweepEnd
  }

  /** There is a fix, which passes the filter of clients. */
  offer(watched: WatchedFix): void {
    const { record } = watched
    if (record >= this.#sweepNext && record < this.#sweepEnd) return
    if (this.#isBlocked) {
      this.#remember(record)
      return
    }
    // What was remembered of it is told by this.
    this.#pending.delete(record)
    this.#tell(watched)
  }

  /** Goes on with what is behind, for one turn. */
  catchUp(): void {
    let fixes = 0
    for (const record of this.#pending) {
      if (++fixes > TURN_FIXES_MAX) return
      this.#pending.delete(record)
      const watched = this.#context.read(record)
      if (watched !== null) this.#tell(watched)
    }
    for (let looks = 0; looks < TURN_RECORDS_MAX && fixes < TURN_FIXES_MAX; looks++) {
      if (this.#sweepNext >= this.#sweepEnd) return
      if (this.#look(this.#sweepNext++)) fixes++
    }
  }

  /** Lets out what was told. @param cursor what it may come back with, if it was told all. */
  flush(cursor: string | null): void {
    if (this.#isBlocked) return
    const isDue = cursor !== null && cursor !== this.#toldCursor && this.isUpToDate
    if (!this.#isSaturated && this.isUpToDate) this.#mayBeAnywhere = false
    if (!this.#isTold && !isDue) return
    if (isDue) {
      this.#sink.cursor(cursor)
      this.#toldCursor = cursor
    }
    this.#isTold = false
    this.#isBlocked = !this.#sink.flush()
  }

  /** The sink can take more. */
  resume(): void {
    this.#isBlocked = false
    this.#context.wake()
  }

  #beginSweep(): void {
    const { clients } = this.filter
    if (clients === null) {
      this.#sweepNext = 0
      this.#sweepEnd = this.#context.recordsEnd()
      return
    }
    for (const client of clients) {
      const record = this.#context.recordOf(client)
      if (record === -1) continue
      if (this.#isKnown(record)) this.#noteKnown(record)
      else this.#pending.add(record)
    }
  }

  /** Whether the other end was told of what is under a number. */
  #isKnown(record: number): boolean {
    if (this.#since === null) return false
    if (this.#context.runsDropped() !== this.#runsDropped) this.#since = null
    return this.#since !== null && this.#context.covers(this.#since, record)
  }

  /** Tells a record that the sweep came by, unless it is known there. @returns whether that cost anything. */
  #look(record: number): boolean {
    if (this.#isKnown(record)) return this.#noteKnown(record)
    const { area } = this.filter
    const mayMatter = area === null || this.#mayBeAnywhere || this.#inside.has(record)
    if (!mayMatter && !this.#context.isIn(area, record)) return false
    const watched = this.#context.read(record)
    if (watched !== null) this.#tell(watched)
    return watched !== null
  }

  #tell(watched: WatchedFix): void {
    const { area, grant } = this.filter
    const { record, fix } = watched
    if (!grant.readsAll && !grant.mayRead(fix.client)) return
    if (area === null || this.#context.isIn(area, record)) {
      if (area !== null) this.#noteInside(record)
      this.#sink.fix(watched)
      this.#isTold = true
    } else if (this.#inside.delete(record) || this.#mayBeAnywhere) {
      this.#sink.exit(watched)
      this.#isTold = true
    }
  }

  /** What need not be told may have to be taken back one day. */
  #noteKnown(record: number): false {
    const { area } = this.filter
    if (area !== null && this.#context.isIn(area, record)) this.#noteInside(record)
    return false
  }

  #noteInside(record: number): void {
    if (this.#inside.size < this.#context.rememberedMax) this.#inside.add(record)
    else if (!this.#inside.has(record)) {
      this.#isSaturated = true
      this.#mayBeAnywhere = true
    }
  }

  #remember(record: number): void {
    this.#pending.add(record)
    if (this.#pending.size <= this.#context.rememberedMax) return
    // Too many to remember: all are looked at instead.
    this.#pending.clear()
    this.#since = null
    this.#sweepNext = 0
    this.#sweepEnd = this.#context.recordsEnd()
  }
}
