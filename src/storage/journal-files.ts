import type { DiskFile } from './disk.ts'
import { frameBatch, frameSegment, type SegmentTail } from './journal-format.ts'
import {
  type Found,
  type JournalOptions,
  type JournalReport,
  JournalUnusable,
  type Older,
  Opening,
} from './journal-opening.ts'
import { attempt, segmentName, writeAll } from './segment-file.ts'

/** The segment that is written. */
interface Current {
  readonly number: number
  readonly file: DiskFile
  tail: SegmentTail
  /**
   * What may lie behind the tail. `nothing`; `a torn batch`, which is cut before the next one; or `anything`, since a
   * sync failed: the system may hold those bytes for written, so syncing the same file again could succeed without
   * them. Then the next batch begins a new segment.
   */
  behind: 'nothing' | 'a torn batch' | 'anything'
}

/**
 * Batches of bytes on the disk, in segments: what was appended comes back in its order when the journal is opened
 * again, whatever happened in between, and nothing else does. Knows nothing of what is in them.
 *
 * It does one thing at a time, and keeps no queue: who appends waits before the next.
 */
export class JournalFiles {
  /** What was found. */
  readonly report: JournalReport
  readonly #options: JournalOptions
  readonly #unlock: () => Promise<void>
  #older: Older[]
  #current: Current | null = null
  #nextNumber: number
  #work: Promise<unknown> | null = null
  #closed: Promise<void> | null = null

  private constructor(options: JournalOptions, unlock: () => Promise<void>, found: Found) {
    this.#options = options
    this.#unlock = unlock
    this.report = found.report
    this.#older = found.older
    this.#nextNumber = found.nextNumber
  }

  /**
   * Reads all that there is, cuts what is no whole batch off the end, and is ready to append.
   *
   * The first batch begins a new segment. The last one is not gone on with: it could be one whose sync failed just
   * before the process ended, and then what is read of it may not be on the disk.
   *
   * @throws JournalUnusable when somebody else has the journal, or another version of Herd wrote it; the error of
   * the disk when the folder can't be had; what `onBatch` throws.
   */
  static async open(options: JournalOptions): Promise<JournalFiles> {
    const { disk, folder } = options
    const unlock = await disk.lock(folder)
    if (unlock === null) throw new JournalUnusable(`the journal in ${folder} is in use by another server`)
    try {
      return new JournalFiles(options, unlock, await new Opening(options).run())
    } catch (error) {
      await unlock()
      throw error
    }
  }

  /** Bytes of all segments. */
  get bytes(): number {
    return this.#older.reduce((sum, { bytes }) => sum + bytes, this.segmentBytes)
  }

  /** Bytes of the segment that is written; 0 if there is none yet. */
  get segmentBytes(): number {
    return this.#current?.tail.bytes ?? 0
  }

  /** How many segments there are. */
  get segments(): number {
    return this.#older.length + (this.#current === null ? 0 : 1)
  }

  /**
   * Resolves once the batch outlasts a loss of power. After an error it isn't in the journal, or it may be: append it
   * again, or what is newer. The payload must not change before this settles.
   *
   * @throws RangeError for a batch without bytes or of more than `batchBytesMax`; otherwise the error of the disk.
   */
  append(payload: Buffer): Promise<void> {
    const { batchBytesMax } = this.#options.limits
    if (payload.length === 0 || payload.length > batchBytesMax) {
      return Promise.reject(
        new RangeError(`a batch has 1 to ${batchBytesMax} bytes, this one ${payload.length}`),
      )
    }
    return this.#alone(() => this.#append(payload))
  }

  /**
   * Begins a new segment: what is appended from now on lies in it, or in later ones.
   *
   * @returns its number, for `dropBefore`.
   * @throws the error of the disk; the journal then goes on where it was.
   */
  beginSegment(): Promise<number> {
    return this.#alone(async () => (await this.#begin()).number)
  }

  /**
   * Deletes all segments before that number, once those from there on hold everything.
   *
   * @throws the error of the disk; those that are left are deleted the next time.
   */
  dropBefore(number: number): Promise<void> {
    return this.#alone(() => this.#remove((older) => older.number < number))
  }

  /**
   * Deletes that segment and later ones: what was begun with it is given up. What is appended next begins a new one.
   *
   * @throws the error of the disk; it can be tried again.
   */
  giveUp(number: number): Promise<void> {
    return this.#alone(() => this.#giveUp(number))
  }

  /** Waits for what is under way, closes the files and lets others have the journal. */
  close(): Promise<void> {
    this.#closed ??= this.#close()
    return this.#closed
  }

  #alone<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closed !== null) return Promise.reject(new Error('the journal is closed'))
    if (this.#work !== null) return Promise.reject(new Error('the journal does one thing at a time'))
    const promise = work().finally(() => {
      this.#work = null
    })
    this.#work = promise
    return promise
  }

  async #append(payload: Buffer): Promise<void> {
    const segment = await this.#writable()
    const { header, tail } = frameBatch(segment.tail, payload)
    segment.behind = 'a torn batch'
    await writeAll(segment.file, [header, payload], segment.tail.bytes)
    await syncOrLeave(segment)
    segment.tail = tail
    segment.behind = 'nothing'
  }

  /** A segment with nothing behind its tail. */
  async #writable(): Promise<Current> {
    const segment = this.#current
    if (segment === null || segment.behind === 'anything') return this.#begin()
    if (segment.behind === 'nothing') return segment
    if ((await attempt(() => segment.file.truncate(segment.tail.bytes))) instanceof Error)
      return this.#begin()
    return segment
  }

  async #begin(): Promise<Current> {
    const { disk, folder } = this.#options
    // A number is never used twice: what is left of an attempt that failed can't be taken for the next.
    const number = this.#nextNumber++
    const { header, tail } = frameSegment(number)
    const file = await disk.create(folder, segmentName(number))
    try {
      await writeAll(file, [header], 0)
      await file.sync()
      await disk.syncFolder(folder)
    } catch (error) {
      await attempt(() => file.close())
      const removed = await attempt(() => disk.remove(folder, segmentName(number)))
      if (removed instanceof Error) this.#older.push({ number, bytes: 0 })
      throw error
    }
    await this.#leave()
    this.#current = { number, file, tail, behind: 'nothing' }
    return this.#current
  }

  /** Closes the current segment, if there is one, and counts it among the older. */
  async #leave(): Promise<void> {
    const segment = this.#current
    if (segment === null) return
    // Where this fails a reader still knows the torn batch by its checksum, but takes the segment for damaged.
    if (segment.behind !== 'nothing') {
      await attempt(() => segment.file.truncate(segment.tail.bytes))
      await attempt(() => segment.file.sync())
    }
    await attempt(() => segment.file.close())
    this.#older.push({ number: segment.number, bytes: segment.tail.bytes })
    this.#current = null
  }

  async #giveUp(number: number): Promise<void> {
    await this.#leave()
    await this.#remove((older) => older.number >= number)
  }

  /**
   * Deletes segments, the latest first and each for good before the next: so whatever a crash leaves of them is the
   * beginning of what there was, which is true by itself. An end isn't: what it says may rest on what was before it.
   */
  async #remove(isChosen: (segment: Older) => boolean): Promise<void> {
    const { disk, folder } = this.#options
    const chosen = this.#older.filter(isChosen).toSorted((left, right) => right.number - left.number)
    for (const segment of chosen) {
      await disk.remove(folder, segmentName(segment.number))
      await disk.syncFolder(folder)
      this.#older = this.#older.filter((other) => other !== segment)
    }
  }

  async #close(): Promise<void> {
    if (this.#work !== null) await this.#work.catch(() => undefined)
    await this.#leave()
    await this.#unlock()
  }
}

/** After a sync that failed nothing is written to the segment any more. */
async function syncOrLeave(segment: Current): Promise<void> {
  try {
    await segment.file.sync()
  } catch (error) {
    segment.behind = 'anything'
    throw error
  }
}
