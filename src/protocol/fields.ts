import { IS_WHITE, SPACE } from './byte-classes.ts'
import type { OutputBuffer } from './output-buffer.ts'

/** No command has more fields than this. */
const FIELDS_MAX = 8

/** Where the fields of a line lie in its buffer. Made once and refilled, so that no line costs an object. */
export interface Fields {
  readonly starts: Int32Array
  readonly ends: Int32Array
  /** How many were read. */
  count: number
}

/** Makes an empty set of field offsets to fill. */
export function makeFields(): Fields {
  return { starts: new Int32Array(FIELDS_MAX), ends: new Int32Array(FIELDS_MAX), count: 0 }
}

/** The first byte from `at` on that is not white space, or `end`. */
export function skipWhite(buffer: Buffer, at: number, end: number): number {
  while (at < end && IS_WHITE[buffer[at] as number] === 1) at++
  return at
}

/** The first byte from `at` on that is white space, or `end`. */
export function skipWord(buffer: Buffer, at: number, end: number): number {
  // White space lies at or below the space: for nearly all bytes one comparison tells.
  while (at < end && ((buffer[at] as number) > SPACE || IS_WHITE[buffer[at] as number] === 0)) at++
  return at
}

/** Appends fields `first` to `last` of a line with one space between them. */
export function appendFields(
  output: OutputBuffer,
  buffer: Buffer,
  fields: Fields,
  first: number,
  last: number,
): void {
  // A run of fields that are spaced like that already is appended in one piece.
  let runStart = fieldStart(fields, first)
  for (let field = first; field < last; field++) {
    const end = fieldEnd(fields, field)
    const next = fieldStart(fields, field + 1)
    if (next === end + 1 && buffer[end] === SPACE) continue
    output.append(buffer, runStart, end)
    output.appendByte(SPACE)
    runStart = next
  }
  output.append(buffer, runStart, fieldEnd(fields, last))
}

/** The byte where field `index` starts. */
export function fieldStart(fields: Fields, index: number): number {
  return fields.starts[index] as number
}

/** One past the last byte of field `index`. */
export function fieldEnd(fields: Fields, index: number): number {
  return fields.ends[index] as number
}
