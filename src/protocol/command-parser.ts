import { BRACE_OPEN, IS_WHITE } from './byte-classes.ts'
import { type Fields, makeFields, skipWhite, skipWord } from './fields.ts'
import {
  type AckLevel,
  equalsWord,
  NO_STAMP_ALIAS,
  readAckLevel,
  readAge,
  readAttributesField,
  readItems,
  readItemsOrAll,
  readObject,
  readRadius,
  readStamp,
  readWord,
} from './operands.ts'
import { NO_PLACES_OPERANDS, type PlacesOperands, readPlacesOperand } from './places-operands.ts'
import { type Position, readPosition } from './position.ts'
import { type Nanotime, readSkew, readTime } from './time.ts'

/** What a line turned out to be. `invalid` is everything that the grammar of docs/protocol.md doesn't allow. */
export type CommandKind =
  | 'iamat'
  | 'whatsat'
  | 'whosat'
  | 'whosat-near'
  | 'whosat-box'
  | 'whosat-polygon'
  | 'ack'
  | 'watch'
  | 'watch-near'
  | 'unwatch'
  | 'token'
  | 'at'
  | 'herd'
  | 'invalid'

const IAMAT = Buffer.from('IAMAT')
const AT = Buffer.from('AT')
const HERD = Buffer.from('HERD')
const WHATSAT = Buffer.from('WHATSAT')
const WHOSAT = Buffer.from('WHOSAT')
const ACK = Buffer.from('ACK')
const WATCH = Buffer.from('WATCH')
const UNWATCH = Buffer.from('UNWATCH')
const TOKEN = Buffer.from('TOKEN')
const NEAR = Buffer.from('NEAR')
const IN = Buffer.from('IN')

/** Reads an operand that starts at `at`: one past its last byte, or −1 if that is no such operand. */
type Operand = (parser: CommandParser, buffer: Buffer, at: number, end: number) => number

const client: Operand = (_, buffer, at, end) => skipWord(buffer, at, end)
const position: Operand = (parser, buffer, at, end) => readPosition(buffer, at, end, parser.position)
const corner: Operand = (parser, buffer, at, end) => readPosition(buffer, at, end, parser.corner)
const radius: Operand = (parser, buffer, at, end) => readRadius(buffer, at, end, parser)
const items: Operand = (parser, buffer, at, end) => readItems(buffer, at, end, parser)
const itemsOrAll: Operand = (parser, buffer, at, end) => readItemsOrAll(buffer, at, end, parser)
const age: Operand = (parser, buffer, at, end) => readAge(buffer, at, end, parser)
const object: Operand = (_, buffer, at, end) => readObject(buffer, at, end)
const places: Operand = (parser, buffer, at, end) => readPlacesOperand(buffer, at, end, parser)
const ack: Operand = (parser, buffer, at, end) => readAckLevel(buffer, at, end, parser)
const near: Operand = (_, buffer, at, end) => readWord(buffer, at, end, NEAR)
const within: Operand = (_, buffer, at, end) => readWord(buffer, at, end, IN)

/** The grammar of all but reports: words with the operands that follow; of several rows for a word the first that fits. */
const QUESTIONS: readonly {
  readonly kind: CommandKind
  readonly word: Buffer
  readonly operands: readonly Operand[]
  /** May follow at the end … */
  readonly optional?: Operand
  /** … so many times; once, unless it says otherwise. */
  readonly optionalMax?: number
}[] = [
  { kind: 'whatsat', word: WHATSAT, operands: [client, radius, items], optional: places, optionalMax: 3 },
  { kind: 'whosat', word: WHOSAT, operands: [client, radius, itemsOrAll], optional: age },
  // A client may be called NEAR or IN: a radius has no sign, so these can't be taken for the row above.
  { kind: 'whosat-near', word: WHOSAT, operands: [near, position, radius, itemsOrAll], optional: age },
  { kind: 'whosat-box', word: WHOSAT, operands: [within, position, corner, itemsOrAll], optional: age },
  { kind: 'whosat-polygon', word: WHOSAT, operands: [within, object, itemsOrAll], optional: age },
  { kind: 'ack', word: ACK, operands: [ack] },
  { kind: 'watch', word: WATCH, operands: [client] },
  { kind: 'watch-near', word: WATCH, operands: [client, radius, position] },
  { kind: 'unwatch', word: UNWATCH, operands: [] },
  { kind: 'token', word: TOKEN, operands: [client] },
]

/**
 * Tells what a line is and reads its operands, in place and in one pass: the line stays where it is, and what was
 * read is in fields of this object that the next `parse` overwrites. Pure; no string is made.
 *
 * Fields of the line by index: IAMAT client position time · WHATSAT client radius items [operands of places] · WHOSAT as in the grammar · ACK level ·
 * WATCH client [radius position] · TOKEN token ·
 * AT server skew client position time [attributes]; an AT line's stamp is not among them.
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
  /** AT: the number by which the sender calls the run of the fix's stamp, or `NO_STAMP_ALIAS` without a stamp … */
  stampAlias: number = NO_STAMP_ALIAS
  /** … and its number in that run. */
  stampSeq = 0
  /** ACK: where reports must be held before they are answered. */
  ack: AckLevel = { disk: false, peers: 0 }
  /** WHATSAT, WHOSAT: how far, in metres. */
  radiusMetres = 0
  /** WHATSAT, WHOSAT: how many at most; WHOSAT also `ALL_ITEMS`. */
  items = 0
  /** WHOSAT: only fixes that are younger than this. `null`: of any age. */
  age: Nanotime | null = null
  /** WHATSAT: which places, as far as it says so. */
  places: PlacesOperands = NO_PLACES_OPERANDS

  /** Reads the line `buffer[start, end)`, given without its line end. */
  parse(buffer: Buffer, start: number, end: number): CommandKind {
    const wordStart = skipWhite(buffer, start, end)
    const wordEnd = skipWord(buffer, wordStart, end)
    this.fields.count = 0
    if (wordStart === end) return 'invalid'
    this.#note(wordStart, wordEnd)
    // Nearly all lines are reports, from clients or from neighbors: these take the shortest way.
    if (equalsWord(buffer, wordStart, wordEnd, IAMAT)) {
      return this.#readFix(buffer, wordEnd, end) === end ? 'iamat' : 'invalid'
    }
    if (equalsWord(buffer, wordStart, wordEnd, AT))
      return this.#readAt(buffer, wordEnd, end) ? 'at' : 'invalid'
    if (equalsWord(buffer, wordStart, wordEnd, HERD)) return 'herd'
    for (const { kind, word, operands, optional, optionalMax = 1 } of QUESTIONS) {
      if (!equalsWord(buffer, wordStart, wordEnd, word)) continue
      if (this.#readOperands(buffer, wordEnd, end, operands, optional, optionalMax)) return kind
    }
    return 'invalid'
  }

  /** Reads `<client> <position> <time>`: where the next field starts, or `end`; −1 if that isn't what comes. */
  #readFix(buffer: Buffer, start: number, end: number): number {
    const clientStart = skipWhite(buffer, start, end)
    const clientEnd = skipWord(buffer, clientStart, end)
    if (clientEnd === end) return -1
    this.#note(clientStart, clientEnd)
    const positionStart = skipWhite(buffer, clientEnd, end)
    const positionEnd = readPosition(buffer, positionStart, end, this.position)
    if (positionEnd === -1) return -1
    this.#note(positionStart, positionEnd)
    const timeStart = skipWhite(buffer, positionEnd, end)
    if (timeStart === positionEnd) return -1
    const timeEnd = readTime(buffer, timeStart, end, this.time)
    if (timeEnd === -1) return -1
    this.#note(timeStart, timeEnd)
    const next = skipWhite(buffer, timeEnd, end)
    return next === timeEnd && next !== end ? -1 : next
  }

  /** Reads `<server> <skew>`, a fix, attributes if there are any, a stamp if there is one; then the line must end. */
  #readAt(buffer: Buffer, start: number, end: number): boolean {
    const serverStart = skipWhite(buffer, start, end)
    const serverEnd = skipWord(buffer, serverStart, end)
    this.#note(serverStart, serverEnd)
    const skewStart = skipWhite(buffer, serverEnd, end)
    const skewEnd = readSkew(buffer, skewStart, end, this.skew)
    if (skewEnd === -1 || skewEnd === end || IS_WHITE[buffer[skewEnd] as number] === 0) return false
    this.#note(skewStart, skewEnd)
    this.stampAlias = NO_STAMP_ALIAS
    let next = this.#readFix(buffer, skewEnd, end)
    if (next === -1 || next === end) return next === end
    if (buffer[next] === BRACE_OPEN) {
      const attributesEnd = readAttributesField(buffer, next, end)
      if (attributesEnd === -1) return false
      this.#note(next, attributesEnd)
      next = skipWhite(buffer, attributesEnd, end)
      if (next === end) return true
    }
    const stampEnd = readStamp(buffer, next, end, this)
    return stampEnd !== -1 && skipWhite(buffer, stampEnd, end) === end
  }

  /** Reads exactly these operands from `start` to the end of the line. */
  #readOperands(
    buffer: Buffer,
    start: number,
    end: number,
    operands: readonly Operand[],
    optional: Operand | undefined,
    optionalMax: number,
  ): boolean {
    this.fields.count = 1
    this.age = null
    this.places = NO_PLACES_OPERANDS
    let at = start
    for (const read of operands) {
      at = this.#readOperand(buffer, skipWhite(buffer, at, end), end, read)
      if (at === -1) return false
    }
    for (let count = 0; ; count++) {
      const rest = skipWhite(buffer, at, end)
      if (rest === end) return true
      if (optional === undefined || count === optionalMax) return false
      at = this.#readOperand(buffer, rest, end, optional)
      if (at === -1) return false
    }
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
