import {
  frameBatch,
  frameSegment,
  SegmentReader,
  type SegmentTail,
} from '../../src/storage/journal-format.ts'
import type { World } from './world.ts'

/** Disks, as a seed decides them. */
export interface DiskPlan {
  /** How many of the servers have one. */
  readonly part: number
  /** Until a write is synced, at most. */
  readonly latencyMs: number
  readonly everyMs: number
  readonly batchBytesMax: number
  readonly compactBytesMin: number
  readonly retryMs: number
  /** How many crashes lose the disk too. */
  readonly lostPart: number
  /** How often a client waits for the disk. */
  readonly waitsPart: number
}

/** A file: `bytes` may be longer than what is good of it. */
interface Segment {
  readonly number: number
  bytes: Buffer
  tail: SegmentTail
}

/** What is being written, and isn't synced yet. */
interface Write {
  readonly segment: Segment
  readonly bytes: Buffer
}

/** What was read. */
export interface ReadDisk {
  readonly bytes: number
  readonly isDamaged: boolean
}

const EMPTY: Buffer = Buffer.alloc(0)
/** The longest batch that is believed. */
const BATCH_BYTES_MAX = 2 ** 26

/**
 * A disk that outlasts its server's memory, in virtual time: segments of the real format. What is synced stays; of what
 * isn't, a crash leaves any beginning.
 */
export class SimDisk {
  readonly plan: DiskPlan
  /** Names it: no other disk of any server is called so. */
  readonly id: string
  /** Whether it has no room now: writes fail, a part of them done. */
  isFull = false
  /** It is gone, and what was on it. */
  isLost = false
  /** What its server believed it to hold when that ended: up to which change, by run. */
  readonly promised: Map<string, number> = new Map()
  readonly #world: World
  #segments: Segment[] = []
  #nextNumber = 1
  /** Whether the next write begins a segment. */
  #isFresh = true
  #write: Write | null = null
  #life = 0

  constructor(world: World, id: string, plan: DiskPlan) {
    this.#world = world
    this.id = id
    this.plan = plan
  }

  /** Bytes of all segments. */
  get bytes(): number {
    return this.#segments.reduce((sum, { tail }) => sum + tail.bytes, 0)
  }

  /** Bytes of the segment that is written. */
  get segmentBytes(): number {
    return this.#isFresh ? 0 : (this.#segments.at(-1)?.tail.bytes ?? 0)
  }

  /** Writes a batch, and calls back when it is synced, or has failed; never if its server ends before. */
  append(payload: Buffer, done: (isSynced: boolean) => void): void {
    const segment = this.#current()
    const begun = segment.tail.bytes === 0 ? frameSegment(segment.number) : null
    const { header, tail } = frameBatch(begun?.tail ?? segment.tail, payload)
    // A torn batch behind the tail is cut before the next.
    segment.bytes = segment.bytes.subarray(0, segment.tail.bytes)
    const write = { segment, bytes: Buffer.concat([begun?.header ?? EMPTY, header, payload]) }
    this.#write = write
    this.#later(() => {
      if (this.isFull) this.#tear()
      else {
        segment.bytes = Buffer.concat([segment.bytes, write.bytes])
        segment.tail = tail
      }
      this.#write = null
      done(!this.isFull)
    })
  }

  /** What is appended from now on lies in a new segment. @returns its number. */
  beginSegment(): number {
    this.#isFresh = true
    return this.#nextNumber
  }

  /** Deletes all segments before that one, the latest first, and calls back. */
  dropBefore(number: number, done: () => void): void {
    const latest = this.#segments.findLast((segment) => segment.number < number)
    if (latest === undefined) {
      done()
      return
    }
    this.#later(() => {
      this.#segments = this.#segments.filter((segment) => segment !== latest)
      this.dropBefore(number, done)
    })
  }

  /** Deletes that segment and later ones. */
  giveUp(number: number): void {
    this.#segments = this.#segments.filter((segment) => segment.number < number)
    this.#isFresh = true
  }

  /** Its server ends: of what isn't synced, a beginning is there. */
  crash(): void {
    this.#life++
    this.#tear()
    this.#write = null
  }

  /** Reads all there is, puts the end in order, and is ready for a new segment. */
  read(onBatch: (payload: Buffer) => void): ReadDisk {
    let isDamaged = false
    const last = this.#segments.at(-1)
    for (const segment of this.#segments) {
      const { number, bytes } = segment
      const reader = new SegmentReader({ number, bytes: bytes.length, batchBytesMax: BATCH_BYTES_MAX })
      reader.read(bytes, 0, bytes.length, onBatch)
      segment.tail = reader.tail
      segment.bytes = bytes.subarray(0, reader.tail.bytes)
      if (segment !== last && reader.fault !== null) isDamaged = true
    }
    this.#segments = this.#segments.filter(({ tail }) => tail.bytes > 0)
    this.#isFresh = true
    return { bytes: this.bytes, isDamaged }
  }

  #current(): Segment {
    const last = this.#segments.at(-1)
    if (last !== undefined && !this.#isFresh) return last
    // Whoever begins a segment cuts what is torn off the one before.
    if (last !== undefined) last.bytes = last.bytes.subarray(0, last.tail.bytes)
    this.#isFresh = false
    const segment = { number: this.#nextNumber++, bytes: EMPTY, tail: { bytes: 0, checksum: 0 } }
    this.#segments = [...this.#segments.filter(({ tail }) => tail.bytes > 0), segment]
    return segment
  }

  #tear(): void {
    const write = this.#write
    if (write === null) return
    const kept = this.#world.disks.below(write.bytes.length + 1)
    write.segment.bytes = Buffer.concat([write.segment.bytes, write.bytes.subarray(0, kept)])
  }

  #later(happen: () => void): void {
    const life = this.#life
    this.#world.agenda.after(this.#world.disks.between(0, this.plan.latencyMs), () => {
      if (life === this.#life) happen()
    })
  }
}
