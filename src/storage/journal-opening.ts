import type { Disk, DiskFile } from './disk.ts'
import { SEGMENT_HEADER_BYTES } from './journal-format.ts'
import {
  attempt,
  type JournalLimits,
  type LoadedSegment,
  loadSegment,
  segmentName,
  segmentNumbers,
} from './segment-file.ts'

/** The journal must not be used as it is: somebody else has it, or another version wrote it. Nothing was changed. */
export class JournalUnusable extends Error {
  override readonly name = 'JournalUnusable'
}

/** What a journal needs. */
export interface JournalOptions {
  readonly disk: Disk
  /** Made if need be. */
  readonly folder: string
  readonly limits: JournalLimits
  /**
   * Gets what was appended, in its order, while the journal is opened. The payload is only good during the call.
   * `segment` is the number of the segment that it lies in: it never goes down.
   */
  readonly onBatch: (payload: Buffer, segment: number) => void
  /** Told in words what is wrong with the files, and what was done about it. */
  readonly onTrouble: (text: string) => void
}

/** What was found when a journal was opened. */
export interface JournalReport {
  /** Bytes of all segments, without what was cut. */
  readonly bytes: number
  readonly batches: number
  readonly segments: number
  /** Bytes at the end of the last segment that are no whole good batch: a write that a crash tore, most often. */
  readonly cutBytes: number
  /** Why they aren't: `torn`, `length`, `checksum`, `header`, or the disk's error; `null` if there are none. */
  readonly reason: string | null
  /**
   * Segments that end early though later ones go on: what a later one says about all that is before it is no longer
   * true. Empty unless the disk is at fault.
   */
  readonly damaged: readonly number[]
}

/** A segment that is only read. */
export interface Older {
  readonly number: number
  readonly bytes: number
}

/** What opening found, to go on from. */
export interface Found {
  readonly report: JournalReport
  readonly older: Older[]
  readonly nextNumber: number
}

/** Reads the segments of a journal and puts its end in order. */
export class Opening {
  readonly #options: JournalOptions
  readonly #older: Older[] = []
  readonly #damaged: number[] = []
  #batches = 0
  #cutBytes = 0
  #reason: string | null = null

  constructor(options: JournalOptions) {
    this.#options = options
  }

  async run(): Promise<Found> {
    const { disk, folder } = this.#options
    const numbers = segmentNumbers(await disk.list(folder))
    const last = numbers.at(-1) ?? 0
    for (const number of numbers) await this.#read(number, number === last)
    const report: JournalReport = {
      bytes: this.#older.reduce((sum, { bytes }) => sum + bytes, 0),
      batches: this.#batches,
      segments: this.#older.length,
      cutBytes: this.#cutBytes,
      reason: this.#reason,
      damaged: this.#damaged,
    }
    return { report, older: this.#older, nextNumber: last + 1 }
  }

  async #read(number: number, isLast: boolean): Promise<void> {
    const { disk, folder } = this.#options
    const file = await attempt(() => disk.open(folder, segmentName(number)))
    if (file instanceof Error) {
      await this.#keep(number, isLast, { ...NOTHING, fault: file }, null)
      return
    }
    try {
      await this.#keep(number, isLast, await this.#load(number, file), file)
    } finally {
      await attempt(() => file.close())
    }
  }

  async #load(number: number, file: DiskFile): Promise<LoadedSegment> {
    const { limits, onBatch } = this.#options
    const segment = await loadSegment(file, number, limits, (payload) => onBatch(payload, number))
    if (segment.fault === 'version') {
      throw new JournalUnusable(
        `${segmentName(number)} of the journal was written by another version of Herd`,
      )
    }
    this.#batches += segment.batches
    return segment
  }

  /** Counts a segment that was read, and puts its end in order. */
  async #keep(number: number, isLast: boolean, segment: LoadedSegment, file: DiskFile | null): Promise<void> {
    const bytes = isLast ? await this.#settle(number, segment, file) : segment.fileBytes
    if (bytes !== null) this.#older.push({ number, bytes })
    if (!isLast && isDamaged(segment)) {
      this.#damaged.push(number)
      this.#options.onTrouble(
        `${describe(number, segment)}: what follows in it is lost, what is later is read`,
      )
    }
  }

  /** Cuts what isn't good off the last segment, and makes sure of the rest. @returns how many bytes are left, `null` if no file. */
  async #settle(number: number, segment: LoadedSegment, file: DiskFile | null): Promise<number | null> {
    const { tail, fault, fileBytes } = segment
    const { onTrouble } = this.#options
    const what = describe(number, segment)
    this.#cutBytes = fileBytes - tail.bytes
    this.#reason = fault instanceof Error ? fault.message : fault
    // What can't be read today may be readable tomorrow; and no crash gives records behind a header of others.
    if (file === null || fault instanceof Error || (fault === 'header' && isDamaged(segment))) {
      onTrouble(`${what}: it is left as it is`)
      return fileBytes
    }
    const settled = await attempt(() => this.#cut(number, segment, file))
    if (settled instanceof Error) {
      onTrouble(`${segmentName(number)} of the journal can't be put in order: ${settled.message}`)
      return fileBytes
    }
    if (fault !== null) onTrouble(`${what}: the last ${this.#cutBytes} bytes are cut`)
    return tail.bytes === 0 ? null : tail.bytes
  }

  async #cut(number: number, { tail, fault }: LoadedSegment, file: DiskFile): Promise<void> {
    const { disk, folder } = this.#options
    if (tail.bytes === 0) await disk.remove(folder, segmentName(number))
    else {
      if (fault !== null) await file.truncate(tail.bytes)
      // A process that was killed leaves what it wrote and didn't sync: whoever has read it takes it for kept.
      await file.sync()
    }
    await disk.syncFolder(folder)
  }
}

const NOTHING: LoadedSegment = { tail: { bytes: 0, checksum: 0 }, fileBytes: 0, batches: 0, fault: null }

/** Whether batches may be lost: a header is synced before the first of them, so what isn't longer never had any. */
function isDamaged({ fault, fileBytes }: LoadedSegment): boolean {
  return fault instanceof Error || (fault !== null && fileBytes > SEGMENT_HEADER_BYTES)
}

function describe(number: number, { fault, tail }: LoadedSegment): string {
  const why = fault instanceof Error ? fault.message : fault
  return `${segmentName(number)} of the journal can't be read from byte ${tail.bytes} on (${why})`
}
