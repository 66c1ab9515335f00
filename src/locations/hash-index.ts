import { tableMemory } from './table-memory.ts'

/** Slots of one segment: small enough that splitting one is no pause. */
const SEGMENT_SLOTS = 4096
const SEGMENT_MASK = SEGMENT_SLOTS - 1
const SEGMENT_ENTRIES_MAX = SEGMENT_SLOTS * 0.75
/** With 2²² directory entries the index holds about 9 billion entries: more than record numbers there are. */
const DEPTH_MAX = 22

/** Open addressing over pairs of (hash, value + 1); a 0 in the value place marks a free slot. */
interface Segment {
  /** How many leading bits of the hash all entries of this segment share. */
  depth: number
  entries: number
  readonly slots: Int32Array
}

/**
 * From 32-bit hashes to record numbers, by extendible hashing: the leading bits of a hash choose a segment, and
 * only a full segment is split, by itself. So no insert ever moves more than one segment's entries (the
 * directory of segments, which doubles, is small). Entries with equal hashes may be many; the caller tells them
 * apart:
 *
 *     for (let v = index.first(hash); v !== NONE; v = index.next()) if (same(v)) return v
 */
export class HashIndex {
  #directory: Segment[] = [makeSegment(0)]
  #depth = 0
  #size = 0
  #hash = 0
  #slots: Int32Array = this.#segmentOf(0).slots
  #slot = 0

  /** How many entries there are. */
  get size(): number {
    return this.#size
  }

  /** Bytes of all segments. */
  get bytes(): number {
    return new Set(this.#directory).size * SEGMENT_SLOTS * 8
  }

  /** The first value under a hash, or `NONE`. */
  first(hash: number): number {
    this.#hash = hash
    this.#slots = this.#segmentOf(hash).slots
    this.#slot = hash & SEGMENT_MASK
    return this.#scan()
  }

  /** The next value under the hash of the last `first`, or `NONE`. The index must not change in between. */
  next(): number {
    this.#slot = (this.#slot + 1) & SEGMENT_MASK
    return this.#scan()
  }

  /** Replaces the value that `first` or `next` returned last. */
  replaceFound(value: number): void {
    this.#slots[this.#slot * 2 + 1] = value + 1
  }

  /** Removes the value that `first` or `next` returned last. */
  removeFound(): void {
    const slots = this.#slots
    this.#segmentOf(this.#hash).entries--
    this.#size--
    // Backward shift: entries behind the hole that may lie nearer to their home move up, so no mark is left.
    let hole = this.#slot
    for (let slot = (hole + 1) & SEGMENT_MASK; slots[slot * 2 + 1] !== 0; slot = (slot + 1) & SEGMENT_MASK) {
      const home = (slots[slot * 2] as number) & SEGMENT_MASK
      if (((slot - home) & SEGMENT_MASK) < ((slot - hole) & SEGMENT_MASK)) continue
      slots[hole * 2] = slots[slot * 2] as number
      slots[hole * 2 + 1] = slots[slot * 2 + 1] as number
      hole = slot
    }
    slots[hole * 2 + 1] = 0
  }

  /** Adds a value under a hash; `false` when the index can hold no more. */
  insert(hash: number, value: number): boolean {
    let segment = this.#segmentOf(hash)
    while (segment.entries >= SEGMENT_ENTRIES_MAX) {
      if (segment.depth === DEPTH_MAX) {
        if (segment.entries === SEGMENT_SLOTS - 1) return false
        break
      }
      this.#split(hash, segment)
      segment = this.#segmentOf(hash)
    }
    put(segment, hash, value + 1)
    this.#size++
    return true
  }

  #segmentOf(hash: number): Segment {
    return this.#directory[this.#depth === 0 ? 0 : hash >>> (32 - this.#depth)] as Segment
  }

  #scan(): number {
    const slots = this.#slots
    let slot = this.#slot
    for (;;) {
      const stored = slots[slot * 2 + 1] as number
      if (stored === 0) return NONE
      if (slots[slot * 2] === this.#hash) {
        this.#slot = slot
        return stored - 1
      }
      slot = (slot + 1) & SEGMENT_MASK
    }
  }

  #split(hash: number, full: Segment): void {
    if (full.depth === this.#depth) {
      const doubled: Segment[] = []
      for (const segment of this.#directory) doubled.push(segment, segment)
      this.#directory = doubled
      this.#depth++
    }
    const span = 1 << (this.#depth - full.depth)
    const first = full.depth === 0 ? 0 : (hash >>> (32 - full.depth)) * span
    // The full segment stays as the lower half, so that a table that grows leaves no segments behind.
    splitting.set(full.slots)
    full.slots.fill(0)
    full.entries = 0
    full.depth++
    const upper = makeSegment(full.depth)
    for (let slot = 0; slot < SEGMENT_SLOTS; slot++) {
      const stored = splitting[slot * 2 + 1] as number
      if (stored === 0) continue
      const storedHash = splitting[slot * 2] as number
      put(((storedHash >>> (32 - full.depth)) & 1) === 0 ? full : upper, storedHash, stored)
    }
    for (let at = span / 2; at < span; at++) this.#directory[first + at] = upper
  }
}

/** What a segment held while it is split. */
const splitting = new Int32Array(SEGMENT_SLOTS * 2)

/** What `first` and `next` say when there is nothing (more). */
export const NONE = -1

function makeSegment(depth: number): Segment {
  return { depth, entries: 0, slots: new Int32Array(tableMemory(SEGMENT_SLOTS * 8)) }
}

function put(segment: Segment, hash: number, stored: number): void {
  let slot = hash & SEGMENT_MASK
  while (segment.slots[slot * 2 + 1] !== 0) slot = (slot + 1) & SEGMENT_MASK
  segment.slots[slot * 2] = hash
  segment.slots[slot * 2 + 1] = stored
  segment.entries++
}
