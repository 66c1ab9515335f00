import { crc32 } from 'node:zlib'

/*
 * A segment of the journal, numbers little-endian:
 *
 *     header   "HERDLOG\n"  version u32  number of the segment u32  checksum u32 of these 16 bytes
 *     record   length u32  checksum u32  payload
 *
 * The checksum of a record goes on from the one before it, over the length and the payload. So a record is only good
 * in its place, behind all that it was written behind: neither zeros, nor what lay there before, nor a record of
 * another segment can pass for one.
 */
const MAGIC = Buffer.from('HERDLOG\n', 'latin1')
const VERSION = 1
const VERSION_AT = 8
const NUMBER_AT = 12
const HEADER_CHECKSUM_AT = 16
const RECORD_CHECKSUM_AT = 4

/** Bytes before the first record of a segment. */
export const SEGMENT_HEADER_BYTES = 20
/** Bytes of a record before its payload. */
export const RECORD_HEADER_BYTES = 8
/** The largest number that a segment can have. */
export const SEGMENT_NUMBER_MAX = 0xffff_ffff

/**
 * Why a segment can't be read on from some byte.
 *
 * - `torn`: it ends within a record or its header
 * - `length`: a record has no bytes, or more than there may be
 * - `checksum`: a record isn't what was written
 * - `header`: it doesn't begin as a segment of this number does
 * - `version`: it was written by another version of Herd, which is no damage
 */
export type SegmentFault = 'torn' | 'length' | 'checksum' | 'header' | 'version'

/** Where a segment ends, which is all that one needs to know to write on. */
export interface SegmentTail {
  readonly bytes: number
  /** The checksum of the last record, or of the header. */
  readonly checksum: number
}

/** What stands before a payload, or before all records, and where the segment ends with it. */
export interface Framed {
  readonly header: Buffer
  readonly tail: SegmentTail
}

/** The beginning of a segment: its header, to be written at 0. */
export function frameSegment(number: number): Framed {
  const header = Buffer.alloc(SEGMENT_HEADER_BYTES)
  MAGIC.copy(header)
  header.writeUInt32LE(VERSION, VERSION_AT)
  header.writeUInt32LE(number, NUMBER_AT)
  const checksum = crc32(header.subarray(0, HEADER_CHECKSUM_AT))
  header.writeUInt32LE(checksum, HEADER_CHECKSUM_AT)
  return { header, tail: { bytes: SEGMENT_HEADER_BYTES, checksum } }
}

/** The next record: its header, to be written at `tail.bytes` with the payload behind it. */
export function frameBatch(tail: SegmentTail, payload: Buffer): Framed {
  const header = Buffer.alloc(RECORD_HEADER_BYTES)
  header.writeUInt32LE(payload.length)
  const checksum = recordChecksum(tail.checksum, header.subarray(0, RECORD_CHECKSUM_AT), payload)
  header.writeUInt32LE(checksum, RECORD_CHECKSUM_AT)
  return { header, tail: { bytes: tail.bytes + RECORD_HEADER_BYTES + payload.length, checksum } }
}

function recordChecksum(before: number, length: Buffer, payload: Buffer): number {
  return crc32(payload, crc32(length, before))
}

/** What a reader is told about its segment. */
export interface SegmentFacts {
  readonly number: number
  /** How long the segment is, so that a length that can't be true is found at once. */
  readonly bytes: number
  readonly batchBytesMax: number
}

/**
 * Reads a segment that comes in pieces, and stops at the first record that isn't good. Pure.
 *
 * The caller keeps a window on the segment: it begins at `tail.bytes` and must hold `needs` bytes for the next step.
 */
export class SegmentReader {
  readonly #facts: SegmentFacts
  #tail: SegmentTail = { bytes: 0, checksum: 0 }
  #needs = SEGMENT_HEADER_BYTES
  #batches = 0
  #fault: SegmentFault | null = null

  constructor(facts: SegmentFacts) {
    this.#facts = facts
    this.#findTorn()
  }

  /** Where the last good record ends: 0 if not even the header is good. */
  get tail(): SegmentTail {
    return this.#tail
  }

  /** How many bytes from the tail on the next step must see: never more than the segment has. */
  get needs(): number {
    return this.#needs
  }

  /** How many good records were read. */
  get batches(): number {
    return this.#batches
  }

  /** Why what follows the tail can't be read, if so. */
  get fault(): SegmentFault | null {
    return this.#fault
  }

  /** Whether there is nothing more to read. */
  get isDone(): boolean {
    return this.#fault !== null || this.#tail.bytes === this.#facts.bytes
  }

  /**
   * Reads all that lies whole in `window[start, end)`, where `start` is at the tail.
   *
   * @param onBatch gets each payload; its memory is the window's, so it is only good during the call.
   * @returns one past the last byte read, which is where the tail is now.
   */
  read(window: Buffer, start: number, end: number, onBatch: (payload: Buffer) => void): number {
    let at = start
    while (!this.isDone && end - at >= this.#needs) {
      if (this.#tail.bytes === 0) at += this.#readHeader(window.subarray(at, at + SEGMENT_HEADER_BYTES))
      else if (this.#needs === RECORD_HEADER_BYTES) this.#readLength(window.readUInt32LE(at))
      else at += this.#readRecord(window.subarray(at, at + this.#needs), onBatch)
    }
    return at
  }

  #readHeader(header: Buffer): number {
    const expected = frameSegment(this.#facts.number)
    if (header.equals(expected.header)) return this.#goOn(expected.tail)
    const isWhole = crc32(header.subarray(0, HEADER_CHECKSUM_AT)) === header.readUInt32LE(HEADER_CHECKSUM_AT)
    const isOther = isWhole && header.subarray(0, VERSION_AT).equals(MAGIC)
    this.#fault = isOther && header.readUInt32LE(VERSION_AT) !== VERSION ? 'version' : 'header'
    return 0
  }

  #readLength(length: number): void {
    if (length === 0 || length > this.#facts.batchBytesMax) {
      this.#fault = 'length'
      return
    }
    this.#needs = RECORD_HEADER_BYTES + length
    this.#findTorn()
  }

  #readRecord(record: Buffer, onBatch: (payload: Buffer) => void): number {
    const payload = record.subarray(RECORD_HEADER_BYTES)
    const checksum = recordChecksum(this.#tail.checksum, record.subarray(0, RECORD_CHECKSUM_AT), payload)
    if (checksum !== record.readUInt32LE(RECORD_CHECKSUM_AT)) {
      this.#fault = 'checksum'
      return 0
    }
    onBatch(payload)
    this.#batches++
    return this.#goOn({ bytes: this.#tail.bytes + record.length, checksum })
  }

  /** @returns how many bytes the tail moved. */
  #goOn(tail: SegmentTail): number {
    const moved = tail.bytes - this.#tail.bytes
    this.#tail = tail
    this.#needs = RECORD_HEADER_BYTES
    if (!this.isDone) this.#findTorn()
    return moved
  }

  #findTorn(): void {
    if (this.#tail.bytes + this.#needs <= this.#facts.bytes) return
    this.#fault = 'torn'
    this.#needs = this.#facts.bytes - this.#tail.bytes
  }
}
