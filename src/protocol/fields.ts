import { IS_WHITE, SPACE } from './byte-classes.ts'
import type { OutputBuffer } from './output-buffer.ts'

/** No command has more fields than this; a line with more is cut off there and counts as one too many. */
export const FIELDS_MAX = 8

/** Where the fields of a line lie in its buffer. Made once and refilled, so that no line costs an object. */
export interface Fields {
  readonly starts: Int32Array
  readonly ends: Int32Array
  /** How many there are, `FIELDS_MAX` standing for that many or more. */
  count: number
}

/** Makes an empty set of field offsets for `splitFields` to fill. */
export function makeFields(): Fields {
  return { starts: new Int32Array(FIELDS_MAX), ends: new Int32Array(FIELDS_MAX), count: 0 }
}

/** Finds the runs of non-white bytes in `buffer[start, end)`. */
export function splitFields(buffer: Buffer, start: number, end: number, fields: Fields): void {
  const { starts, ends } = fields
  let count = 0
  let at = start
  while (count < FIELDS_MAX) {
    while (at < end && IS_WHITE[buffer[at] as number] === 1) at++
    if (at === end) break
    starts[count] = at
    // White space lies at or below the space: for nearly all bytes one comparison tells.
    while (at < end && ((buffer[at] as number) > SPACE || IS_WHITE[buffer[at] as number] === 0)) at++
    ends[count++] = at
  }
  fields.count = count
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
