import type { Counters } from '../counters.ts'
import { type CommandParser, LineFramer, OutputBuffer } from '../protocol/index.ts'
import { type LinkReaderContext, receiveAt, receiveWord } from '../replication/link-reader.ts'
import { appendVector } from '../replication/link-words.ts'
import { Owed } from '../replication/owed.ts'
import type { Replica } from '../replication/replica.ts'
import type { VersionVector } from '../replication/version-vector.ts'
import type { JournalFiles } from './journal-files.ts'
import type { JournalOptions } from './journal-opening.ts'

/** Bounds of a journal. */
export interface JournalLinkLimits {
  /** How often what is new is written, while nobody waits for it. */
  readonly everyMs: number
  /** AT lines that are written at a time. */
  readonly batchBytesMax: number
  /** The journal is written anew when it is this much longer than twice what it must hold. */
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
/** The longest line that can be in a journal: it was written by ourselves. */
const LINE_BYTES_MAX = 2 ** 24

/** What reading a journal needs. */
export interface JournalLoadContext extends LinkReaderContext {
  readonly parser: CommandParser
}

/**
 * Reads a journal into a replica that has no links yet.
 *
 * @param open opens the files. @returns them, and what the disk is known to hold.
 * @throws what `JournalFiles.open` throws.
 */
export async function loadJournal(
  context: JournalLoadContext,
  open: (onBatch: JournalOptions['onBatch']) => Promise<JournalFiles>,
): Promise<{ readonly files: JournalFiles; readonly held: VersionVector }> {
  const { replica, parser } = context
  const from = new Owed('disk', 0)
  const framer = new LineFramer(LINE_BYTES_MAX)
  const files = await open((payload) => {
    framer.push(payload)
    while (framer.next() === 'line') {
      const { buffer, start, end } = framer
      const kind = parser.parse(buffer, start, end)
      if (kind === 'at') receiveAt(context, buffer, from)
      else if (kind === 'herd') receiveWord(context, buffer.toString('latin1', start, end), from)
    }
  })
  // Where something is missing in the middle, claims behind it say too much: then none of them is believed.
  if (files.report.damaged.length > 0) replica.disown(from)
  replica.adoptUncovered()
  return { files, held: from.peer }
}

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
  #isFailing = false
  /** Everything has to be written once more, to a new segment. */
  #mustCompact: boolean
  /** The segment that holds everything once its first claim is synced; `null`: none is being written anew. */
  #compacting: number | null = null
  /** How long the segment was when it held everything. */
  #snapshotBytes = 0

  /** @param held what the disk holds already. */
  constructor(context: JournalLinkContext, files: JournalFiles, held: VersionVector) {
    this.#context = context
    this.#files = files
    this.#owed = context.replica.connect('disk')
    held.forEachBeyond(this.#owed.peer, (run, seq) => this.#owed.peer.raise(run, seq))
    const { segments, damaged } = files.report
    this.#mustCompact = segments > SEGMENTS_MAX || damaged.length > 0
    this.wake()
  }

  /** Whether the disk has failed: what is new is in memory only. */
  get isFailing(): boolean {
    return this.#isFailing
  }

  /** Bytes of the journal. */
  get bytes(): number {
    return this.#files.bytes
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

  /** Writes all that is owed, and closes the files. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#timer?.()
    await this.#writing
    if (!this.#isFailing) await this.#write().catch((error: unknown) => this.#failed(error))
    this.#timer?.()
    this.#context.replica.disconnect(this.#owed)
    await this.#files.close()
  }

  #begin(): void {
    this.#timer?.()
    this.#timer = null
    if (this.#writing !== null || this.#isStopped) return
    this.#isFailing = false
    this.#writing = this.#write()
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#writing = null
        if (this.#isDirty) this.wake()
      })
  }

  get #isDirty(): boolean {
    return this.#owed.hasMore || this.#owed.hasClaim(this.#context.replica.vector)
  }

  /** Writes batch after batch until nothing is owed. */
  async #write(): Promise<void> {
    const { replica, counters, isWaitedFor, limits } = this.#context
    for (;;) {
      if (this.#mustCompact) await this.#compact()
      const claim = this.#nextBatch()
      if (this.#output.waiting > 0) {
        await this.#files.append(this.#output.take())
        this.#recovered()
        counters.journalBatches++
      }
      if (claim !== null) {
        await this.#claimed(claim)
        replica.claimsHeard()
      }
      const { segmentBytes } = this.#files
      this.#mustCompact ||= segmentBytes > 2 * this.#snapshotBytes + limits.compactBytesMin
      if (!this.#owed.hasMore && !(isWaitedFor() && this.#isDirty)) return
    }
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
    claim.forEachBeyond(this.#owed.peer, (run, seq) => this.#owed.peer.raise(run, seq))
    if (this.#compacting === null) return
    await this.#files.dropBefore(this.#compacting)
    this.#compacting = null
    this.#snapshotBytes = this.#files.segmentBytes
  }

  async #compact(): Promise<void> {
    this.#compacting = await this.#files.beginSegment()
    this.#mustCompact = false
    this.#owed.beginAnew(this.#context.replica.table.recordsEnd)
  }

  /** The disk failed: what it was given last may be on it or not, so it is given everything once it works again. */
  #failed(error: unknown): void {
    const { counters, limits, after, trouble } = this.#context
    const reason = error instanceof Error ? error.message : String(error)
    counters.journalFailures++
    if (counters.journalFailing === 0) {
      trouble(`the journal can’t be written, and what is new is in memory only: ${reason}`)
    }
    counters.journalFailing = 1
    this.#isFailing = true
    this.#mustCompact = true
    this.#output.cutBack(0)
    if (!this.#isStopped) this.#timer = after(limits.retryMs, () => this.#begin())
  }

  #recovered(): void {
    const { counters, trouble } = this.#context
    if (counters.journalFailing === 0) return
    counters.journalFailing = 0
    trouble('the journal can be written again')
  }
}
