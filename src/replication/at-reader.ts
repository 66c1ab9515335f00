import { type Fix, makeFix, type ServerNames } from '../locations/index.ts'
import {
  appendFields,
  type CommandParser,
  fieldEnd,
  fieldStart,
  OutputBuffer,
  SPACE,
} from '../protocol/index.ts'

/** Indexes of an AT line's fields. */
const SERVER = 1
const SKEW = 2
const CLIENT = 3
const POSITION = 4
const TIME = 5
const ATTRIBUTES = 6

/** Makes fixes of AT lines that a parser has read, in place where the line is spaced as we write it. */
export class AtReader {
  readonly #names: ServerNames
  readonly #fix: Fix
  readonly #respaced = new OutputBuffer()

  /** @param parser the parser whose numbers the fixes share. */
  constructor(parser: CommandParser, names: ServerNames) {
    this.#names = names
    this.#fix = makeFix(parser.position, parser.time, parser.skew)
  }

  /**
   * The fix of the AT line that the parser has just read in `buffer`; valid until the next call. `null` when its
   * origin is one server name too many.
   */
  read(parser: CommandParser, buffer: Buffer): Fix | null {
    const { fields } = parser
    const server = this.#names.indexOf(buffer, fieldStart(fields, SERVER), fieldEnd(fields, SERVER))
    if (server === -1) return null
    this.#fix.server = server
    if (isSpacedAsOurs(parser, buffer)) this.#place(buffer, fieldStart(fields, SKEW), parser)
    else this.#respace(buffer, parser)
    return this.#fix
  }

  /** Copies the tail of the line with one space between fields: that is how all servers keep and pass it on. */
  #respace(buffer: Buffer, parser: CommandParser): void {
    const { fields } = parser
    const out = this.#respaced
    out.cutBack(0)
    appendFields(out, buffer, fields, SKEW, fields.count - 1)
    this.#place(out.bytes, out.length - out.waiting, parser)
  }

  /** Lets the fix point at a tail that starts at `start` of `buffer`. */
  #place(buffer: Buffer, start: number, parser: CommandParser): void {
    const { fields } = parser
    const length = (field: number): number => fieldEnd(fields, field) - fieldStart(fields, field)
    const fix = this.#fix
    fix.buffer = buffer
    fix.start = start
    fix.clientStart = start + length(SKEW) + 1
    fix.clientEnd = fix.clientStart + length(CLIENT)
    fix.positionStart = fix.clientEnd + 1
    fix.positionEnd = fix.positionStart + length(POSITION)
    fix.timeEnd = fix.positionEnd + 1 + length(TIME)
    fix.end = fields.count > ATTRIBUTES ? fix.timeEnd + 1 + length(ATTRIBUTES) : fix.timeEnd
  }
}

function isSpacedAsOurs(parser: CommandParser, buffer: Buffer): boolean {
  const { fields } = parser
  for (let field = SKEW; field < fields.count - 1; field++) {
    const end = fieldEnd(fields, field)
    if (buffer[end] !== SPACE || fieldStart(fields, field + 1) !== end + 1) return false
  }
  return true
}
