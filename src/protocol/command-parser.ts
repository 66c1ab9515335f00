import { DOT, isDigit } from './byte-classes.ts'
import { type Fields, fieldEnd, fieldStart, makeFields, splitFields } from './fields.ts'
import { type Position, parsePosition } from './position.ts'
import { type Nanotime, parseSkew, parseTime } from './time.ts'

/** A WHATSAT or WHOSAT asks for at most this radius in km … */
export const RADIUS_KM_MAX = 50
/** … and at most this many items. */
export const ITEMS_MAX = 20

/** What a line turned out to be. `invalid` is everything that the grammar of docs/protocol.md doesn't allow. */
export type CommandKind = 'iamat' | 'whatsat' | 'whosat' | 'at' | 'herd' | 'invalid'

/** One row for each word: its bytes, how many fields the line has in all, and what else must hold. */
interface Row {
  readonly kind: CommandKind
  readonly word: Buffer
  readonly fields: number | 'any'
  readonly operandsHold: (parser: CommandParser, buffer: Buffer) => boolean
}

const ROWS: readonly Row[] = [
  { kind: 'iamat', word: Buffer.from('IAMAT'), fields: 4, operandsHold: (p, b) => p.readFix(b, 2) },
  { kind: 'whatsat', word: Buffer.from('WHATSAT'), fields: 4, operandsHold: (p, b) => p.readQuery(b) },
  { kind: 'whosat', word: Buffer.from('WHOSAT'), fields: 4, operandsHold: (p, b) => p.readQuery(b) },
  {
    kind: 'at',
    word: Buffer.from('AT'),
    fields: 6,
    operandsHold: (p, b) => p.readSkew(b) && p.readFix(b, 4),
  },
  { kind: 'herd', word: Buffer.from('HERD'), fields: 'any', operandsHold: () => true },
]

/**
 * Tells what a line is and reads its operands, in place: the line stays where it is, and what was read is
 * in fields of this object that the next `parse` overwrites. Pure; no string is made.
 *
 * Fields of the line by index: IAMAT client position time · WHATSAT client radius items · AT server skew
 * client position time.
 */
export class CommandParser {
  /** Where the fields lie in the buffer that was parsed. */
  readonly fields: Fields = makeFields()
  /** IAMAT, AT: where the client says it is. */
  readonly position: Position = { latitude: 0, longitude: 0 }
  /** IAMAT, AT: the client's own time. */
  readonly time: Nanotime = { seconds: 0, nanoseconds: 0 }
  /** AT: the origin's receive time minus the client's time. */
  readonly skew: Nanotime = { seconds: 0, nanoseconds: 0 }
  /** WHATSAT, WHOSAT: how far, in metres. */
  radiusMetres = 0
  /** WHATSAT, WHOSAT: how many at most. */
  items = 0

  /** Reads the line `buffer[start, end)`, given without its line end. */
  parse(buffer: Buffer, start: number, end: number): CommandKind {
    const { fields } = this
    splitFields(buffer, start, end, fields)
    if (fields.count === 0) return 'invalid'
    for (const row of ROWS) {
      if (!equalsWord(buffer, fieldStart(fields, 0), fieldEnd(fields, 0), row.word)) continue
      if (row.fields !== 'any' && row.fields !== fields.count) return 'invalid'
      return row.operandsHold(this, buffer) ? row.kind : 'invalid'
    }
    return 'invalid'
  }

  /** Reads position and time from two adjacent fields. */
  readFix(buffer: Buffer, positionField: number): boolean {
    const { fields } = this
    return (
      parsePosition(
        buffer,
        fieldStart(fields, positionField),
        fieldEnd(fields, positionField),
        this.position,
      ) &&
      parseTime(buffer, fieldStart(fields, positionField + 1), fieldEnd(fields, positionField + 1), this.time)
    )
  }

  /** Reads the difference of an AT line. */
  readSkew(buffer: Buffer): boolean {
    return parseSkew(buffer, fieldStart(this.fields, 2), fieldEnd(this.fields, 2), this.skew)
  }

  /** Reads radius and items. */
  readQuery(buffer: Buffer): boolean {
    const { fields } = this
    const metres = readRadiusMetres(buffer, fieldStart(fields, 2), fieldEnd(fields, 2))
    const items = readWhole(buffer, fieldStart(fields, 3), fieldEnd(fields, 3), ITEMS_MAX)
    if (metres === -1 || items === -1) return false
    this.radiusMetres = metres
    this.items = items
    return true
  }
}

function equalsWord(buffer: Buffer, start: number, end: number, word: Buffer): boolean {
  if (end - start !== word.length) return false
  for (let at = 0; at < word.length; at++) if (buffer[start + at] !== word[at]) return false
  return true
}

/** Reads unsigned digits up to `max`; −1 for anything else. */
function readWhole(buffer: Buffer, start: number, end: number, max: number): number {
  let value = 0
  for (let at = start; at < end; at++) {
    if (!isDigit(buffer[at])) return -1
    value = value * 10 + ((buffer[at] as number) - 0x30)
    if (value > max) return -1
  }
  return value
}

/** A micrometre is far below what a radius can mean: later digits of the kilometres don't count. */
const RADIUS_DIGITS = 9

/** Reads unsigned decimal kilometres up to `RADIUS_KM_MAX`, exactly, as metres; −1 for anything else. */
function readRadiusMetres(buffer: Buffer, start: number, end: number): number {
  let at = start
  while (at < end && isDigit(buffer[at])) at++
  const whole = at === start ? -1 : readWhole(buffer, start, at, RADIUS_KM_MAX)
  if (whole === -1) return -1
  let mantissa = whole
  let scale = 1
  if (at < end) {
    if (buffer[at] !== DOT || at + 1 === end) return -1
    for (at++; at < end; at++) {
      if (!isDigit(buffer[at])) return -1
      const value = (buffer[at] as number) - 0x30
      if (whole === RADIUS_KM_MAX && value !== 0) return -1
      if (scale < 10 ** RADIUS_DIGITS) {
        mantissa = mantissa * 10 + value
        scale *= 10
      }
    }
  }
  return (mantissa * 1000) / scale
}
