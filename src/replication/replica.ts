import {
  type Fix,
  FORGOTTEN,
  type HashKey,
  LiveTable,
  NOT_NEWER,
  ServerNames,
  type TableLimits,
} from '../locations/index.ts'
import {
  LF,
  type Nanotime,
  type OutputBuffer,
  SPACE,
  STAMP_BYTES_MAX,
  writeStamp,
} from '../protocol/index.ts'
import { appendRun } from './link-words.ts'
import { Owed, type OwedTo } from './owed.ts'
import { type Run, Runs } from './runs.ts'
import { makeStamp, NO_STAMP, runOf, SEQ_END, type Stamp, Stamps, seqOf } from './stamps.ts'
import { VersionVector } from './version-vector.ts'

/** Bounds of a replica. */
export interface ReplicaLimits extends TableLimits {
  /** Different names of origins at most. */
  readonly serverNamesMax: number
  /** Runs that stamps may be of at most; each start of a server is one. */
  readonly runsMax: number
  /** A fix is forgotten when its effective time is longer ago than this; infinity: never. */
  readonly forgetAfterSeconds: number
}

/** Who is told what happens to a replica. */
export interface ReplicaListener {
  /** There is something to send: called once for every fix that was new, and for every claim. */
  readonly owed: () => void
  /** Somebody claims to hold more than before. */
  readonly claimed: () => void
}

/** Records without anything to send that a batch passes over at most: the next batch goes on from there. */
const PASSED_OVER_MAX = 16_384

/** The fix came from a client, not over a link. */
export const FROM_CLIENT = null

/**
 * This server's copy of what the herd knows, what each link still owes its neighbor, and what each is known to hold.
 * The one way in for a fix, whichever gateway or link it came by. Pure: it decides what is sent, the links send.
 */
export class Replica {
  readonly table: LiveTable
  readonly names: ServerNames
  readonly runs: Runs
  /** What this server holds. */
  readonly vector: VersionVector = new VersionVector()
  /** Goes up with every change of the table. */
  changes = 0
  readonly #stamps = new Stamps()
  readonly #links: Owed[] = []
  readonly #forgetAfterSeconds: number
  readonly #forgetBefore: Nanotime = { seconds: 0, nanoseconds: 0 }
  readonly #self: Run
  #listener: ReplicaListener = { owed: () => {}, claimed: () => {} }
  #ownRun: number
  #ownSeq = 0
  #renewals = 0

  /** @param key random words for the table's hashes. @param self this server, and an ID that is new at each start. */
  constructor(limits: ReplicaLimits, key: HashKey, self: Run) {
    this.names = new ServerNames(limits.serverNamesMax)
    this.table = new LiveTable(limits, this.names, key)
    this.runs = new Runs(limits.runsMax)
    this.#forgetAfterSeconds = limits.forgetAfterSeconds
    this.#self = self
    this.#ownRun = this.runs.indexOf(self.server, self.id)
  }

  /** Sets who is told what happens. */
  listen(listener: ReplicaListener): void {
    this.#listener = listener
  }

  /** The stamp of the last change that this server itself accepted; `NO_STAMP` before the first. */
  get ownStamp(): Stamp {
    return this.#ownSeq === 0 ? NO_STAMP : makeStamp(this.#ownRun, this.#ownSeq)
  }

  /** What all links owe, and know. */
  get links(): readonly Owed[] {
    return this.#links
  }

  /**
   * Takes a fix from a client, or from a server of the old kind, and if it is new, stamps it and floods it.
   *
   * @param from the link that it came by, if it came from a server of the old kind.
   * @returns the record number, or what `LiveTable.apply` says when nothing was changed.
   */
  accept(fix: Fix, from: Owed | typeof FROM_CLIENT): number {
    const record = this.table.apply(fix)
    if (record < 0) return record
    this.#markStamped(record, this.#nextStamp(), from)
    return record
  }

  /**
   * Takes a fix that another server has stamped and, if it is new, floods it: owed to every neighbor but the one that
   * it came from, and those that hold it already. What is not new goes nowhere, so nothing circles.
   *
   * @returns as `accept`.
   */
  receive(fix: Fix, stamp: Stamp, from: Owed | null): number {
    const record = this.table.apply(fix)
    if (record >= 0) this.#markStamped(record, stamp, from)
    else if (from !== null && record !== NOT_NEWER && record !== FORGOTTEN) from.isLossy = true
    return record
  }

  /** The stamp of a record. */
  stampOf(record: number): Stamp {
    return this.#stamps.get(record)
  }

  /** Gives a record the stamp under which its fix is known elsewhere. While a journal is read; before any link is open. */
  restamp(record: number, stamp: Stamp): void {
    this.#stamps.set(record, stamp)
  }

  /** How many neighbors are known to hold what has this stamp. */
  holders(stamp: Stamp): number {
    let count = 0
    for (const { to, peer } of this.#links) if (to === 'neighbor' && peer.covers(stamp)) count++
    return count
  }

  /** Whether the disk holds what has this stamp. */
  isOnDisk(stamp: Stamp): boolean {
    return this.#links.some(({ to, peer }) => to === 'disk' && peer.covers(stamp))
  }

  /** Forgets what is too old by now. Every server does so by the same rule, so nothing is said about it. */
  forget(now: Nanotime): void {
    if (this.#forgetAfterSeconds === Number.POSITIVE_INFINITY) return
    this.#forgetBefore.seconds = now.seconds - this.#forgetAfterSeconds
    this.#forgetBefore.nanoseconds = now.nanoseconds
    this.table.forgetBefore(this.#forgetBefore)
  }

  /** A link is open: what the other end doesn't hold is owed to it. */
  connect(to: OwedTo): Owed {
    const owed = new Owed(to, this.table.recordsEnd)
    this.#links.push(owed)
    return owed
  }

  /** A link is lost: the next one finds out what is owed. */
  disconnect(owed: Owed): void {
    const place = this.#links.indexOf(owed)
    if (place === -1) return
    this.#links.splice(place, 1)
    this.#listener.claimed()
  }

  /** The run's index here, for stamps; −1 when there is no room even after old ones were dropped. */
  runIndex(server: string, id: string): number {
    const index = this.runs.indexOf(server, id)
    if (index !== -1) return index
    this.#dropRuns()
    return this.runs.indexOf(server, id)
  }

  /** The other end of a link claims to hold all changes of a run up to this one, and has sent what we lacked of them. */
  claimHeard(owed: Owed, run: number, seq: number): void {
    owed.peer.raise(run, seq)
    if (!owed.isLossy && this.vector.raise(run, seq)) this.runs.heard(run)
  }

  /** The other end of a link says, before it has sent anything, what it holds. */
  vectorHeard(owed: Owed, run: number, seq: number): void {
    owed.peer.raise(run, seq)
  }

  /** Tells the listener that claims were heard: what waits for them may go on, and others may be told. */
  claimsHeard(): void {
    this.#listener.claimed()
    this.#listener.owed()
  }

  /** Takes back all that was claimed so far, here and by this link. After a journal was read that has a hole. */
  disown(from: Owed): void {
    for (let run = 1; run < this.runs.end; run++) {
      if (run !== this.#ownRun) this.vector.drop(run)
      from.peer.drop(run)
    }
  }

  /**
   * Takes for this run what no claim covers, in all records: fixes of a run that ended before it could claim them. After
   * a journal was read; before any link is open.
   */
  adoptUncovered(): void {
    for (let record = 0; record < this.table.recordsEnd; record++) this.#adopt(record)
  }

  /**
   * Does the same with some records, at any time: each is owed to whoever may lack it, so it is sent before it is
   * claimed, whatever its stamp.
   */
  adopt(records: readonly number[]): void {
    for (const record of records) this.#adopt(record)
    if (records.length > 0) this.#listener.owed()
  }

  #adopt(record: number): void {
    if (!this.table.isUsed(record) || this.vector.covers(this.#stamps.get(record))) return
    this.#stamps.set(record, this.#nextStamp())
  }

  /**
   * Appends the next AT lines that a link owes, as their fixes are now: until `bytesMax` is reached or nothing
   * is owed. Catching up gets half of each batch, what is reported meanwhile the other half, and either gets
   * what the other leaves.
   *
   * @returns how many lines were appended. 0 doesn't mean that nothing is owed: there may have been much to pass over.
   */
  nextBatch(owed: Owed, output: OutputBuffer, bytesMax: number): number {
    const end = output.waiting + bytesMax
    let lines = 0
    let passedOver = 0
    for (const [swept, bytesEnd] of [
      [true, end - bytesMax / 2],
      [false, end],
      [true, end],
    ] as const) {
      while (output.waiting < bytesEnd && passedOver < PASSED_OVER_MAX) {
        const record = owed.take(swept)
        if (record === -1) break
        const stamp = this.#stamps.get(record)
        const isCovered = owed.peer.covers(stamp)
        if ((swept ? owed.isWanted(record, isCovered) : !isCovered) && this.table.isLive(record)) {
          this.#appendAt(owed, record, stamp, output)
          lines++
        } else passedOver++
      }
    }
    return lines
  }

  #appendAt(owed: Owed, record: number, stamp: Stamp, output: OutputBuffer): void {
    if (owed.to === 'classic') {
      this.table.appendAt(record, output)
      return
    }
    if (stamp === NO_STAMP) {
      this.table.appendAtWithAttributes(record, output)
      return
    }
    const run = runOf(stamp)
    this.introduce(owed, run, output)
    this.table.appendAtFields(record, output)
    output.ensure(STAMP_BYTES_MAX + 2)
    output.appendByte(SPACE)
    output.length = writeStamp(output.bytes, output.length, run, seqOf(stamp))
    output.appendByte(LF)
  }

  /** Appends the line that says which run has this number, unless the other end knows. */
  introduce(owed: Owed, run: number, output: OutputBuffer): void {
    const known = this.runs.get(run)
    if (known !== null && owed.introduce(run)) appendRun(output, run, known)
  }

  #markStamped(record: number, stamp: Stamp, from: Owed | null): void {
    this.changes++
    this.#stamps.set(record, stamp)
    let owed = false
    for (const link of this.#links) {
      if (link === from || link.peer.covers(stamp)) continue
      link.queue.mark(record)
      owed = true
    }
    if (owed) this.#listener.owed()
  }

  #nextStamp(): Stamp {
    if (this.#ownSeq + 1 === SEQ_END) this.#renewRun()
    this.#ownSeq++
    this.vector.raise(this.#ownRun, this.#ownSeq)
    return makeStamp(this.#ownRun, this.#ownSeq)
  }

  /** The numbers of this run are used up: goes on as another one. */
  #renewRun(): void {
    this.#renewals++
    const { server, id } = this.#self
    this.#ownRun = this.runIndex(server, `${id}.${this.#renewals}`)
    this.#ownSeq = 0
  }

  /** No vector speaks of these any more. That is always safe: whoever hears of them again is sent them again. */
  #dropRuns(): void {
    const dropped = this.runs.dropOldest(this.#ownRun)
    for (const run of dropped) this.vector.drop(run)
    const isDropped = new Set(dropped)
    for (let record = 0; record < this.table.recordsEnd; record++) {
      if (isDropped.has(runOf(this.#stamps.get(record)))) this.#stamps.set(record, NO_STAMP)
    }
    for (const link of this.#links) link.forgetRuns(dropped)
  }
}
