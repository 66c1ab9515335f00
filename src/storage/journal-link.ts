import type { Counters } from '../counters.ts'
import { OutputBuffer } from '../protocol/index.ts'
import { appendVector } from '../replication/link-words.ts'
import type { Owed } from '../replication/owed.ts'
import type { Replica } from '../replication/replica.ts'
import type { VersionVector } from '../replication/version-vector.ts'
import type { JournalFiles } from './journal-files.ts'
import type { LoadedJournal } from './journal-loading.ts'

/** Bounds of a journal. */
export interface JournalLinkLimits {
  /** How often what is new is written, while nobody waits for it. */
  readonly everyMs: number
  /** AT lines that are written at a time. */
  readonly batchBytesMax: number
  /** The journal is written anew when it is this much longer than twice what it has to hold. */
  readonly compactBytesMin: number
  /** Until a disk that failed is tried again. */
  readonly retryMs: number
}

/** What a journal needs. */
export interface JournalLinkContext {
  readonly replica: Replica
  readonly counters: Counters
  readonly limits: JournalLinkLimits
  readonly after: (ms: number, callback: () => void) => () => void
  /** Calls back after the events at hand, so that they share a batch. */
  readonly soon: (callback: () => void) => void
  /** Whether clients wait until what they reported is on the disk. */
  readonly isWaitedFor: () => boolean
  readonly trouble: (text: string) => void
}

/** Segments that restarts may leave behind before they are made one. */
const SEGMENTS_MAX = 8
/** What is not written by then when a server stops is written by its next life, or comes from its neighbors. */
const STOP_MS_MAX = 2000

/**
 * The journal as one more link, to the disk: it owes the same lines, sends them whenever the disk can take more, and the
 * claims behind them, once synced, are what the disk holds. So a slow disk gets only the newest fix of each client, and
 * a failed one costs nothing but what it would have kept.
 */
export class JournalLink {
  readonly #context: JournalLinkContext
  readonly #files: JournalFiles
  readonly #owed: Owed
  readonly #output = new OutputBuffer()
  #writing: Promise<void> | null = null
  #timer: (() => void) | null = null
  #isSoon = false
  #isStopped = false
  /** It has stopped, and has no time left. */
  #isLate = false
  #isFailing = false
  /** When the journal is so long, everything is written once more, to a new segment. */
  #compactAtBytes: number
  /** The segment that will hold everything once its first claim is synced; `null`: none is being written anew. */
  #compacting: number | null = null

  constructor(context: JournalLinkContext, { files, held, neededBytes }: LoadedJournal) {
    this.#context = context
    this.#files = files
    this.#owed = context.replica.connect('disk')
    held.forEachBeyond(this.#owed.peer, (run, seq) => this.#owed.peer.raise(run, seq))
    const { segments, damaged } = files.report
    const isUntidy = segments > SEGMENTS_MAX || damaged.length > 0
    this.#compactAtBytes = isUntidy ? 0 : 2 * neededBytes + context.limits.compactBytesMin
    this.wake()
  }

  /** There may be something to write: at once if somebody waits for it. Called for every fix. */
  wake(): void {
    if (this.#writing !== null || this.#isSoon || this.#isStopped || this.#isFailing) return
    const { limits, after, soon, isWaitedFor } = this.#context
    if (isWaitedFor()) {
      this.#isSoon = true
      soon(() => {
        this.#isSoon = false
        this.#begin()
      })
    } else this.#timer ??= after(limits.everyMs, () => this.#begin())
  }

  /** Writes all that is owed, as far as there is time, and closes the files. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timer?.()
    const cancel = this.#context.after(STOP_MS_MAX, () => {
      this.#isLate = true
    })
    await this.#writing
    if (!this.#isFailing) await this.#write().catch((error: unknown) => this.#failed(error))
    cancel()
    this.#context.replica.disconnect(this.#owed)
    await this.#files.close()
  }

  #begin(): void {
    this.#timer?.()
    this.#timer = null
    if (this.#writing !== null || this.#isStopped) return
    this.#writing = this.#try()
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#writing = null
        if (this.#isDirty) this.wake()
      })
  }

  async #try(): Promise<void> {
    if (this.#isFailing) await this.#beginAgain()
    await this.#write()
  }

  get #isDirty(): boolean {
    return this.#owed.hasMore || this.#owed.hasClaim(this.#context.replica.vector)
  }

  /** Writes batch after batch: until nothing more is in a hurry. */
  async #write(): Promise<void> {
    let batchBytes = 0
    do {
      if (this.#mustCompact) await this.#compact()
      const claim = this.#nextBatch()
      batchBytes = this.#output.waiting
      if (batchBytes > 0) await this.#append()
      // All that it came by is held already: others get their turn before it goes on.
      else await new Promise<void>((resolve) => this.#context.soon(resolve))
      if (claim !== null) await this.#claimed(claim)
    } while (this.#isHurried(batchBytes) && !this.#isLate)
  }

  /** Whether the next batch is written right behind one of so many bytes, and not a while later with what is new then. */
  #isHurried(batchBytes: number): boolean {
    if (this.#isStopped || this.#context.isWaitedFor()) return this.#isDirty
    return this.#owed.isSweeping || (this.#owed.hasMore && batchBytes >= this.#context.limits.batchBytesMax)
  }

  async #append(): Promise<void> {
    const { counters, trouble } = this.#context
    await this.#files.append(this.#output.take())
    counters.journalBatches++
    if (counters.journalFailing === 0) return
    counters.journalFailing = 0
    trouble('the journal can be written again')
  }

  /** Appends the next batch to the output. @returns what it claims, or `null`. */
  #nextBatch(): VersionVector | null {
    const { replica, limits } = this.#context
    const output = this.#output
    this.#owed.setMarker(replica.vector)
    replica.nextBatch(this.#owed, output, limits.batchBytesMax)
    if (!this.#owed.isClaimDue) return null
    let claim: VersionVector | null = null
    this.#owed.takeClaim((vector, said) => {
      claim = vector
      appendVector(output, 'claim', vector, said, (run) => replica.introduce(this.#owed, run, output))
    })
    return claim
  }

  /** A claim is synced: the disk holds what it says. */
  async #claimed(claim: VersionVector): Promise<void> {
    const { replica, limits } = this.#context
    claim.forEachBeyond(this.#owed.peer, (run, seq) => this.#owed.peer.raise(run, seq))
    replica.claimsHeard()
    const segment = this.#compacting
    if (segment === null) return
    // From here on the new segment is the journal, whatever becomes of the older ones.
    this.#compacting = null
    this.#compactAtBytes = 2 * this.#files.segmentBytes + limits.compactBytesMin
    await this.#files.dropBefore(segment)
  }

  get #mustCompact(): boolean {
    return this.#compacting === null && !this.#isStopped && this.#files.bytes >= this.#compactAtBytes
  }

  async #compact(): Promise<void> {
    // If this fails it is not tried again at once: a full disk must go on taking what is new.
    this.#compactAtBytes = this.#files.bytes + this.#context.limits.compactBytesMin
    this.#compacting = await this.#files.beginSegment()
    this.#owed.beginAnew(this.#context.replica.table.recordsEnd, true)
  }

  /**
   * The disk failed: what it was given last may be on it or not. So it gets all that it hasn't claimed; and the
   * segment in which everything was to be gives back its room.
   */
  async #beginAgain(): Promise<void> {
    this.#isFailing = false
    this.#owed.beginAnew(this.#context.replica.table.recordsEnd, false)
    if (this.#compacting === null) return
    await this.#files.giveUp(this.#compacting)
    this.#compacting = null
  }

  #failed(error: unknown): void {
    const { counters, limits, after, trouble } = this.#context
    const reason = error instanceof Error ? error.message : String(error)
    counters.journalFailures++
    if (counters.journalFailing === 0) {
      trouble(`the journal can’t be written, and what is new is in memory only: ${reason}`)
    }
    counters.journalFailing = 1
    this.#isFailing = true
    this.#output.cutBack(0)
    if (!this.#isStopped) this.#timer = after(limits.retryMs, () => this.#begin())
  }
}
