import type { DiskFile } from './disk.ts'
import { SEGMENT_NUMBER_MAX, type SegmentFault, SegmentReader, type SegmentTail } from './journal-format.ts'

/** Bounds of the journal's files. */
export interface JournalLimits {
  /** Bytes of one batch at most: a longer one is refused, and taken for damage when read. */
  readonly batchBytesMax: number
  /** Bytes that are read from the disk at once. Only a batch longer than this takes more memory. */
  readonly readBytes: number
}

/** What a segment was found to hold. */
export interface LoadedSegment {
  /** Where what is good ends. */
  readonly tail: SegmentTail
  /** How long the file is. */
  readonly fileBytes: number
  readonly batches: number
  /** Why what lies behind the tail can't be read: a fault, or the error of the disk. */
  readonly fault: SegmentFault | Error | null
}

const NAME = /^(\d{10})\.journal$/
const NAME_DIGITS = 10

/** `0000000012.journal` */
export function segmentName(number: number): string {
  return `${String(number).padStart(NAME_DIGITS, '0')}.journal`
}

/** The numbers of the segments among some names, ascending. */
export function segmentNumbers(names: readonly string[]): number[] {
  const numbers = names.map((name) => Number(NAME.exec(name)?.[1] ?? Number.NaN))
  return numbers
    .filter((number) => number >= 1 && number <= SEGMENT_NUMBER_MAX)
    .toSorted((left, right) => left - right)
}

/**
 * Reads a segment from its beginning as far as it is good, a piece at a time.
 *
 * @param onBatch gets each payload; it is only good during the call. What it throws is thrown on.
 */
export async function loadSegment(
  file: DiskFile,
  number: number,
  limits: JournalLimits,
  onBatch: (payload: Buffer) => void,
): Promise<LoadedSegment> {
  const size = await attempt(() => file.size())
  const fileBytes = size instanceof Error ? 0 : size
  const reader = new SegmentReader({ number, bytes: fileBytes, batchBytesMax: limits.batchBytesMax })
  let fault = size instanceof Error ? size : null
  let window: Buffer = Buffer.allocUnsafeSlow(limits.readBytes)
  let filled = 0
  while (fault === null && !reader.isDone) {
    if (reader.needs > window.length) window = grow(window, filled, reader.needs)
    const target = window.subarray(filled)
    const position = reader.tail.bytes + filled
    const read = await attempt(() => file.read(target, position))
    if (read instanceof Error) fault = read
    else if (read === 0) fault = new Error('the file became shorter while it was read')
    else {
      filled += read
      const at = reader.read(window, 0, filled, onBatch)
      window.copyWithin(0, at, filled)
      filled -= at
    }
  }
  return { tail: reader.tail, fileBytes, batches: reader.batches, fault: fault ?? reader.fault }
}

function grow(window: Buffer, filled: number, bytes: number): Buffer {
  const grown = Buffer.allocUnsafeSlow(bytes)
  window.copy(grown, 0, 0, filled)
  return grown
}

/**
 * Writes all of the pieces, however few bytes the disk takes at a time.
 *
 * @throws the error of the disk: a part may have been written.
 */
export async function writeAll(file: DiskFile, pieces: readonly Buffer[], position: number): Promise<void> {
  let rest = pieces
  let at = position
  while (rest.length > 0) {
    const written = await file.write(rest, at)
    if (written === 0) throw new Error('the disk takes nothing, and says no error')
    at += written
    rest = behind(rest, written)
  }
}

/** What of the pieces lies behind their first bytes. */
function behind(pieces: readonly Buffer[], bytes: number): Buffer[] {
  let skip = bytes
  return pieces.flatMap((piece) => {
    const skipped = Math.min(skip, piece.length)
    skip -= skipped
    return skipped === piece.length ? [] : [piece.subarray(skipped)]
  })
}

/** What the work gives, or the error that it fails with. */
export async function attempt<T>(work: () => Promise<T>): Promise<T | Error> {
  try {
    return await work()
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error))
  }
}
