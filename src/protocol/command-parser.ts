import { ATTRIBUTES_BYTES_MAX } from './attributes.ts'
import { ASTERISK, BRACE_CLOSE, BRACE_OPEN, DOT, IS_WHITE, isDigit } from './byte-classes.ts'
import { type Fields, makeFields, skipWhite, skipWord } from './fields.ts'
import { type Position, readPosition } from './position.ts'
import { type Nanotime, readSkew, readTime } from './time.ts'

/** A WHATSAT or WHOSAT asks for at most this radius in km … */
export const RADIUS_KM_MAX = 50
/** … and at most this many items. */
export const ITEMS_MAX = 20

/** `*` in the place of a number of items. */
export const ALL_ITEMS = -1

/** What a line turned out to be. `invalid` is everything that the grammar of docs/protocol.md doesn't allow. */
export type CommandKind =
  | 'iamat'
  | 'whatsat'
  | 'whosat'
  | 'whosat-near'
  | 'whosat-box'
  | 'whosat-polygon'
  | 'at'
  | 'herd'
  | 'invalid'

/** Reads an operand that starts at `at`: one past its last byte, or −1 if that is no such operand. */
type Operand = (parser: CommandParser, buffer: Buffer, at: number, end: number) => number

const anyWord: Operand = (_, buffer, at, end) => skipWord(buffer, at, end)
const position: Operand = (parser, buffer, at, end) => readPosition(buffer, at, end, parser.position)
const corner: Operand = (parser, buffer, at, end) => readPosition(buffer, at, end, parser.corner)
const time: Operand = (parser, buffer, at, end) => readTime(buffer, at, end, parser.time)
const skew: Operand = (parser, buffer, at, end) => readSkew(buffer, at, end, parser.skew)
const radius: Operand = (parser, buffer, at, end) => readRadius(buffer, at, end, parser)
const items: Operand = (parser, buffer, at, end) => readItems(buffer, at, end, parser)
const itemsOrAll: Operand = (parser, buffer, at, end) => readItemsOrAll(buffer, at, end, parser)
const age: Operand = (parser, buffer, at, end) => readAge(buffer, at, end, parser)
const object: Operand = (_, buffer, at, end) => readObject(buffer, at, end)
const attributes: Operand = (_, buffer, at, end) => readAttributesField(buffer, at, end)
const near: Operand = (_, buffer, at, end) => readWord(buffer, at, end, NEAR)
const within: Operand = (_, buffer, at, end) => readWord(buffer, at, end, IN)

const NEAR = Buffer.from('NEAR')
const IN = Buffer.from('IN')

/** The grammar: the words with the operands that follow each; of several rows for a word the first that fits. */
const ROWS: readonly {
  readonly kind: CommandKind
  readonly word: Buffer
  /** `any`: whoever knows the word reads the rest. */
  readonly operands: readonly Operand[] | 'any'
  /** May follow at the end. */
  readonly optional?: Operand
}[] = [
  { kind: 'iamat', word: Buffer.from('IAMAT'), operands: [anyWord, position, time] },
  {
    kind: 'at',
    word: Buffer.from('AT'),
    operands: [anyWord, skew, anyWord, position, time],
    optional: attributes,
  },
  { kind: 'whatsat', word: Buffer.from('WHATSAT'), operands: [anyWord, radius, items] },
  { kind: 'whosat', word: Buffer.from('WHOSAT'), operands: [anyWord, radius, itemsOrAll], optional: age },
  // A client may be called NEAR or IN: a radius has no sign, so these can't be taken for the row above.
  {
    kind: 'whosat-near',
    word: Buffer.from('WHOSAT'),
    operands: [near, position, radius, itemsOrAll],
    optional: age,
  },
  {
    kind: 'whosat-box',
    word: Buffer.from('WHOSAT'),
    operands: [within, position, corner, itemsOrAll],
    optional: age,
  },
  {
    kind: 'whosat-polygon',
    word: Buffer.from('WHOSAT'),
    operands: [within, object, itemsOrAll],
    optional: age,
  },
  { kind: 'herd', word: Buffer.from('HERD'), operands: 'any' },
]

/**
 * Tells what a line is and reads its operands, in place and in one pass: the line stays where it is, and what was
 * read is in fields of this object that the next `parse` overwrites. Pure; no string is made.
 *
 * Fields of the line by index: IAMAT client position time · WHATSAT client radius items · WHOSAT as in the grammar ·
 * AT server skew client position time [attributes].
 */
export class CommandParser {
  /** Where the fields lie in the buffer that was parsed; of an invalid line, those up to the first that is wrong. */
  readonly fields: Fields = makeFields()
  /** IAMAT, AT: where the client says it is. WHOSAT NEAR: the middle. WHOSAT IN: the south-west corner. */
  readonly position: Position = { latitude: 0, longitude: 0 }
  /** WHOSAT IN: the north-east corner. */
  readonly corner: Position = { latitude: 0, longitude: 0 }
  /** IAMAT, AT: the client's own time. */
  readonly time: Nanotime = { seconds: 0, nanoseconds: 0 }
  /** AT: the origin's receive time minus the client's time. */
  readonly skew: Nanotime = { seconds: 0, nanoseconds: 0 }
  /** WHATSAT, WHOSAT: how far, in metres. */
  radiusMetres = 0
  /** WHATSAT, WHOSAT: how many at most; WHOSAT also `ALL_ITEMS`. */
  items = 0
  /** WHOSAT: only fixes that are younger than this. `null`: of any age. */
  age: Nanotime | null = null

  /** Reads the line `buffer[start, end)`, given without its line end. */
  parse(buffer: Buffer, start: number, end: number): CommandKind {
    const wordStart = skipWhite(buffer, start, end)
    const wordEnd = skipWord(buffer, wordStart, end)
    this.fields.count = 0
    if (wordStart === end) return 'invalid'
    this.#note(wordStart, wordEnd)
    for (const { kind, word, operands, optional } of ROWS) {
      if (!equalsWord(buffer, wordStart, wordEnd, word)) continue
      if (operands === 'any' || this.#readOperands(buffer, wordEnd, end, operands, optional)) return kind
    }
    return 'invalid'
  }

  /** Reads exactly these operands from `start` to the end of the line. */
  #readOperands(
    buffer: Buffer,
    start: number,
    end: number,
    operands: readonly Operand[],
    optional: Operand | undefined,
  ): boolean {
    this.fields.count = 1
    this.age = null
    let at = start
    for (const read of operands) {
      at = this.#readOperand(buffer, skipWhite(buffer, at, end), end, read)
      if (at === -1) return false
    }
    const rest = skipWhite(buffer, at, end)
    if (rest === end) return true
    if (optional === undefined) return false
    at = this.#readOperand(buffer, rest, end, optional)
    return at !== -1 && skipWhite(buffer, at, end) === end
  }

  /** Reads one operand; one past its last byte, or −1. */
  #readOperand(buffer: Buffer, start: number, end: number, read: Operand): number {
    if (start === end) return -1
    const at = read(this, buffer, start, end)
    if (at === -1 || (at < end && IS_WHITE[buffer[at] as number] === 0)) return -1
    this.#note(start, at)
    return at
  }

  #note(start: number, end: number): void {
    const { fields } = this
    fields.starts[fields.count] = start
    fields.ends[fields.count++] = end
  }
}

function equalsWord(buffer: Buffer, start: number, end: number, word: Buffer): boolean {
  if (end - start !== word.length) return false
  for (let at = 0; at < word.length; at++) if (buffer[start + at] !== word[at]) return false
  return true
}

/** Reads exactly that word. */
function readWord(buffer: Buffer, start: number, end: number, word: Buffer): number {
  const wordEnd = skipWord(buffer, start, end)
  return equalsWord(buffer, start, wordEnd, word) ? wordEnd : -1
}

/** Reads what begins as a JSON object; whoever needs what is in it reads on. */
function readObject(buffer: Buffer, start: number, end: number): number {
  return buffer[start] === BRACE_OPEN ? skipWord(buffer, start, end) : -1
}

/** Reads the attributes of a fix, as servers hand them on. */
function readAttributesField(buffer: Buffer, start: number, end: number): number {
  const stop = readObject(buffer, start, end)
  return stop - start <= ATTRIBUTES_BYTES_MAX && buffer[stop - 1] === BRACE_CLOSE ? stop : -1
}

/** Reads unsigned decimal seconds. */
function readAge(buffer: Buffer, start: number, end: number, result: { age: Nanotime | null }): number {
  const read: Nanotime = { seconds: 0, nanoseconds: 0 }
  const stop = readTime(buffer, start, end, read)
  if (stop !== -1) result.age = read
  return stop
}

/** Reads `*`, or a number as `readItems` does. */
function readItemsOrAll(buffer: Buffer, start: number, end: number, result: { items: number }): number {
  if (buffer[start] !== ASTERISK) return readItems(buffer, start, end, result)
  result.items = ALL_ITEMS
  return start + 1
}

/** Reads an unsigned whole number up to `ITEMS_MAX`. */
function readItems(buffer: Buffer, start: number, end: number, result: { items: number }): number {
  let at = start
  let value = 0
  for (; at < end && isDigit(buffer[at]); at++) {
    value = value * 10 + ((buffer[at] as number) - 0x30)
    if (value > ITEMS_MAX) return -1
  }
  if (at === start) return -1
  result.items = value
  return at
}

/** A micrometre is far below what a radius can mean: later digits of the kilometres don't count. */
const RADIUS_SCALE_MAX = 10 ** 9

/** Reads unsigned decimal kilometres up to `RADIUS_KM_MAX`, exactly, as metres. */
function readRadius(buffer: Buffer, start: number, end: number, result: { radiusMetres: number }): number {
  let at = start
  let mantissa = 0
  for (; at < end && isDigit(buffer[at]); at++) {
    mantissa = mantissa * 10 + ((buffer[at] as number) - 0x30)
    if (mantissa > RADIUS_KM_MAX) return -1
  }
  if (at === start) return -1
  const isAtBound = mantissa === RADIUS_KM_MAX
  let scale = 1
  if (at < end && buffer[at] === DOT) {
    const fractionStart = ++at
    for (; at < end && isDigit(buffer[at]); at++) {
      const value = (buffer[at] as number) - 0x30
      if (isAtBound && value !== 0) return -1
      if (scale === RADIUS_SCALE_MAX) continue
      mantissa = mantissa * 10 + value
      scale *= 10
    }
    if (at === fractionStart) return -1
  }
  result.radiusMetres = (mantissa * 1000) / scale
  return at
}
