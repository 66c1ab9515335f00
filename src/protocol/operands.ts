import { ATTRIBUTES_BYTES_MAX } from './attributes.ts'
import { ASTERISK, AT_SIGN, BRACE_CLOSE, BRACE_OPEN, DIGIT_0, DOT, isDigit } from './byte-classes.ts'
import { skipWord } from './fields.ts'
import { countDigits, type Nanotime, readTime, writeDigits } from './time.ts'

/** Operands of commands. Each function returns one past the last byte, or −1 if there is no such operand at `start`. */

/** A WHATSAT or WHOSAT asks for at most this radius in km … */
export const RADIUS_KM_MAX = 50
/** … and at most this many items. */
export const ITEMS_MAX = 20
/** `*` in the place of a number of items. */
export const ALL_ITEMS = -1

/** Says whether `buffer[start, end)` is that word. */
export function equalsWord(buffer: Buffer, start: number, end: number, word: Buffer): boolean {
  if (end - start !== word.length) return false
  for (let at = 0; at < word.length; at++) if (buffer[start + at] !== word[at]) return false
  return true
}

/** Reads exactly that word. */
export function readWord(buffer: Buffer, start: number, end: number, word: Buffer): number {
  const wordEnd = skipWord(buffer, start, end)
  return equalsWord(buffer, start, wordEnd, word) ? wordEnd : -1
}

/** Reads what begins as a JSON object; whoever needs what is in it reads on. */
export function readObject(buffer: Buffer, start: number, end: number): number {
  return buffer[start] === BRACE_OPEN ? skipWord(buffer, start, end) : -1
}

/** Reads the attributes of a fix, as servers hand them on. */
export function readAttributesField(buffer: Buffer, start: number, end: number): number {
  const stop = readObject(buffer, start, end)
  return stop - start <= ATTRIBUTES_BYTES_MAX && buffer[stop - 1] === BRACE_CLOSE ? stop : -1
}

/** Reads unsigned decimal seconds. */
export function readAge(
  buffer: Buffer,
  start: number,
  end: number,
  result: { age: Nanotime | null },
): number {
  const read: Nanotime = { seconds: 0, nanoseconds: 0 }
  const stop = readTime(buffer, start, end, read)
  if (stop !== -1) result.age = read
  return stop
}

/** Reads `*`, or a number as `readItems` does. */
export function readItemsOrAll(
  buffer: Buffer,
  start: number,
  end: number,
  result: { items: number },
): number {
  if (buffer[start] !== ASTERISK) return readItems(buffer, start, end, result)
  result.items = ALL_ITEMS
  return start + 1
}

/** Reads an unsigned whole number up to `ITEMS_MAX`. */
export function readItems(buffer: Buffer, start: number, end: number, result: { items: number }): number {
  let at = start
  let value = 0
  for (; at < end && isDigit(buffer[at] as number); at++) {
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
export function readRadius(
  buffer: Buffer,
  start: number,
  end: number,
  result: { radiusMetres: number },
): number {
  let at = start
  let mantissa = 0
  for (; at < end && isDigit(buffer[at] as number); at++) {
    mantissa = mantissa * 10 + ((buffer[at] as number) - 0x30)
    if (mantissa > RADIUS_KM_MAX) return -1
  }
  if (at === start) return -1
  const isAtBound = mantissa === RADIUS_KM_MAX
  let scale = 1
  if (at < end && buffer[at] === DOT) {
    const fractionStart = ++at
    for (; at < end && isDigit(buffer[at] as number); at++) {
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

/** In the place of a stamp's alias: the line has none. */
export const NO_STAMP_ALIAS = -1
/** A sender's number of a run is below this. */
export const STAMP_ALIAS_END = 4096
/** A number in a run is below this: two million a second for 12 days. */
export const STAMP_SEQ_END: number = 2 ** 41

/** Reads the stamp of a fix, `@<alias>.<seq>`: only servers write it. `stamp` holds it only when there is one. */
export function readStamp(
  buffer: Buffer,
  start: number,
  end: number,
  stamp: { stampAlias: number; stampSeq: number },
): number {
  if (start >= end || buffer[start] !== AT_SIGN) return -1
  let at = start + 1
  let alias = 0
  for (; at < end && isDigit(buffer[at] as number); at++) {
    alias = alias * 10 + ((buffer[at] as number) - DIGIT_0)
    if (alias >= STAMP_ALIAS_END) return -1
  }
  if (at === start + 1 || at >= end || buffer[at] !== DOT) return -1
  const seqStart = ++at
  let seq = 0
  for (; at < end && isDigit(buffer[at] as number); at++) {
    seq = seq * 10 + ((buffer[at] as number) - DIGIT_0)
    if (seq >= STAMP_SEQ_END) return -1
  }
  if (at === seqStart) return -1
  stamp.stampAlias = alias
  stamp.stampSeq = seq
  return at
}

/** The longest text that `writeStamp` makes. */
export const STAMP_BYTES_MAX = 20

/** Writes a stamp as `readStamp` reads it. @returns one past its last byte; there must be room for `STAMP_BYTES_MAX`. */
export function writeStamp(target: Buffer, at: number, alias: number, seq: number): number {
  target[at++] = AT_SIGN
  at = writeDigits(target, at, alias, countDigits(alias))
  target[at++] = DOT
  return writeDigits(target, at, seq, countDigits(seq))
}

/** Where a report must be held before it is answered. */
export interface AckLevel {
  /** On this server's disk. */
  readonly disk: boolean
  /** In the memory of so many neighbors. */
  readonly peers: number
}

/** `peers:` counts at most so many neighbors. */
export const ACK_PEERS_MAX = 99
const ACK_LEVEL = /^(?:memory|(disk)|(?:(disk)\+)?peers:([1-9]\d?))$/

/** Reads a level as it is written in a herd file or an ACK command: `memory`, `disk`, `peers:2`, `disk+peers:2`. */
export function parseAckLevel(text: string): AckLevel | null {
  const match = ACK_LEVEL.exec(text)
  if (match === null) return null
  return { disk: (match[1] ?? match[2]) !== undefined, peers: Number(match[3] ?? 0) }
}

/** Reads a level. */
export function readAckLevel(buffer: Buffer, start: number, end: number, result: { ack: AckLevel }): number {
  const wordEnd = skipWord(buffer, start, end)
  if (wordEnd - start > 'disk+peers:99'.length) return -1
  const level = parseAckLevel(buffer.toString('latin1', start, wordEnd))
  if (level === null) return -1
  result.ack = level
  return wordEnd
}
