/**
 * The text of a Nearby Search (legacy) body: how ours is written, and how a foreign one is cut and squeezed
 * without touching any other byte of it. Pure.
 */
import { ProviderFailed } from './provider.ts'

/** What can be written as JSON. A member that is `undefined` is left out. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue | undefined }

const INDENT = '   '
/** JsonCpp's right margin: a scalar array that would reach it gets a line for each item. */
const LINE_BYTES_MAX = 74

/** Any but these may need an escape: controls, `"`, `\`, `<`, `>`, halves of surrogates. */
const MAY_NEED_ESCAPES = /[^ !#-;=?-[\]-\ud7ff\ue000-\uffff]/

const SPACE = 0x20
const QUOTE = 0x22
const OPEN_BRACKET = 0x5b
const BACKSLASH = 0x5c
const CLOSE_BRACKET = 0x5d
const OPEN_BRACE = 0x7b
const CLOSE_BRACE = 0x7d

/**
 * Writes JSON as JsonCpp's classic `StyledWriter` does, which is the text style of the Google legacy APIs.
 *
 * @param depth in how many arrays and objects of a larger text it will stand.
 */
export function toClassicJson(value: JsonValue, depth: number = 0): string {
  return write(value, `\n${INDENT.repeat(depth)}`)
}

function write(value: JsonValue, lineBreak: string): string {
  if (typeof value === 'string') return quote(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  return isArray(value) ? writeArray(value, lineBreak) : writeObject(value, lineBreak)
}

function writeObject(value: { readonly [name: string]: JsonValue | undefined }, lineBreak: string): string {
  const inner = lineBreak + INDENT
  const members: string[] = []
  for (const name of Object.keys(value).sort(byCodePoint)) {
    const member = value[name]
    if (member !== undefined) members.push(`${inner}${quote(name)} : ${write(member, inner)}`)
  }
  return members.length === 0 ? '{}' : `{${members.join(',')}${lineBreak}}`
}

function writeArray(items: readonly JsonValue[], lineBreak: string): string {
  if (items.length === 0) return '[]'
  const inner = lineBreak + INDENT
  const texts = items.map((item) => write(item, inner))
  if (fitsOneLine(texts)) return `[ ${texts.join(', ')} ]`
  return `[${inner}${texts.join(`,${inner}`)}${lineBreak}]`
}

/** JsonCpp also breaks from 25 items on, but so many never fit. */
function fitsOneLine(texts: readonly string[]): boolean {
  let bytes = 4 + 2 * (texts.length - 1)
  for (const text of texts) {
    // Only `{}` and `[]` of the objects and arrays count as scalars. No string's text starts with a bracket.
    if (text.length > 2 && (text.startsWith('{') || text.startsWith('['))) return false
    bytes += Buffer.byteLength(text)
  }
  return bytes < LINE_BYTES_MAX
}

/** JavaScript escapes the same characters as JsonCpp, in the same way; Google adds `<` and `>`. */
function quote(text: string): string {
  if (!MAY_NEED_ESCAPES.test(text)) return `"${text}"`
  const quoted = JSON.stringify(text)
  return /[<>]/.test(quoted) ? quoted.replaceAll('<', '\\u003c').replaceAll('>', '\\u003e') : quoted
}

/** `std::map` sorts by UTF-8 bytes, so by code point; JavaScript by code unit, which differs at surrogates. */
function byCodePoint(a: string, b: string): number {
  const length = Math.min(a.length, b.length)
  for (let at = 0; at < length; at++) {
    const x = a.charCodeAt(at)
    const y = b.charCodeAt(at)
    if (x === y) continue
    return isSurrogate(x) === isSurrogate(y) ? x - y : isSurrogate(x) ? 1 : -1
  }
  return a.length - b.length
}

function isSurrogate(unit: number): boolean {
  return unit >= 0xd800 && unit <= 0xdfff
}

// `Array.isArray` alone does not narrow a readonly array.
function isArray(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value)
}

/** Where a body's items lie in its text, so that it is scanned once and cut often. */
export interface ResultsSpan {
  /** Index of the opening bracket. */
  readonly open: number
  /** Index after the closing bracket. */
  readonly close: number
  /** Index after each element. */
  readonly ends: readonly number[]
}

/**
 * Finds the top-level array of a body's items: `results` in a legacy body.
 *
 * @throws {ProviderFailed} when the text isn't JSON, or not an object with exactly one such array.
 */
export function findResults(text: string, list: 'results' | 'data' = 'results'): ResultsSpan {
  if (!isJson(text))
    throw new ProviderFailed('The places provider answered with malformed JSON.', 'UNKNOWN_ERROR')
  let found: ResultsSpan | undefined
  let at = skipSpace(text, 0)
  if (text[at] !== '{') throw notABody()
  for (at = skipSpace(text, at + 1); text[at] !== '}'; at = skipSpace(text, at)) {
    if (text[at] === ',') at = skipSpace(text, at + 1)
    const nameEnd = skipString(text, at)
    const isList = JSON.parse(text.slice(at, nameEnd)) === list
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1)
    at = skipValue(text, start)
    if (!isList) continue
    if (found !== undefined || text[start] !== '[') throw notABody()
    found = { open: start, close: at, ends: elementEnds(text, start) }
  }
  if (found === undefined) throw notABody()
  return found
}

/** Keeps the first `items` results; every other byte of the text stays as it came. */
export function cutAt(text: string, results: ResultsSpan, items: number): string {
  const { open, close, ends } = results
  if (items >= ends.length) return text
  if (items === 0) return `${text.slice(0, open)}[]${text.slice(close)}`
  return text.slice(0, ends[items - 1]) + text.slice(ends.at(-1))
}

/**
 * Keeps the first `items` elements of a legacy body's `results`; every other byte stays as it came.
 *
 * @throws {ProviderFailed} as `findResults` does.
 */
export function cutResults(text: string, items: number): string {
  return cutAt(text, findResults(text), items)
}

const MESSAGES = 'info_messages'

/**
 * Puts messages into a body as its `info_messages`, where JsonCpp would have them: before the first name that sorts
 * behind it. What messages there are already stay, behind ours. Every other byte stays as it came.
 *
 * @param text a JSON object.
 */
export function insertMessages(text: string, messages: readonly string[]): string {
  const first = skipSpace(text, skipSpace(text, 0) + 1)
  const gap = text.slice(skipSpace(text, 0) + 1, first)
  const isStyled = gap.startsWith('\n')
  const list = isStyled ? write(messages, gap) : JSON.stringify(messages)
  const member = isStyled ? `${quote(MESSAGES)} : ${list}` : `${quote(MESSAGES)}:${list}`
  let memberEnd = first
  for (let at = first; text[at] !== '}'; at = skipSpace(text, at)) {
    if (text[at] === ',') at = skipSpace(text, at + 1)
    const nameEnd = skipString(text, at)
    const name: unknown = JSON.parse(text.slice(at, nameEnd))
    const start = skipSpace(text, skipSpace(text, nameEnd) + 1)
    memberEnd = skipValue(text, start)
    if (name === MESSAGES && text[start] === '[') {
      const inner = skipSpace(text, start + 1)
      const ours = messages.map((message) => quote(message)).join(', ')
      return `${text.slice(0, start)}[ ${ours}${text[inner] === ']' ? ' ' : ', '}${text.slice(inner)}`
    }
    if (typeof name === 'string' && byCodePoint(name, MESSAGES) > 0) {
      return `${text.slice(0, at)}${member},${gap}${text.slice(at)}`
    }
    at = memberEnd
  }
  const comma = memberEnd === first ? '' : `,${gap}`
  return `${text.slice(0, memberEnd)}${comma}${member}${text.slice(memberEnd)}`
}

/** Puts a member in front of all others of a JSON object that hasn't it; every other byte stays as it came. */
export function putMember(text: string, name: string, value: JsonValue): string {
  const at = text.indexOf('{') + 1
  const comma = text[skipSpace(text, at)] === '}' ? '' : ','
  return `${text.slice(0, at)}${JSON.stringify(name)}:${JSON.stringify(value)}${comma}${text.slice(at)}`
}

/** Makes one newline of two or more adjacent ones, and drops those at the end. */
export function squeezeNewlines(text: string): string {
  const squeezed = text.replace(/\n(?:\r*\n)+/g, '\n')
  let end = squeezed.length
  while (end > 0 && (squeezed[end - 1] === '\n' || squeezed[end - 1] === '\r')) end--
  return squeezed.slice(0, end)
}

// The scanner below runs over valid JSON only, so it looks at brackets, quotes and commas and at nothing else.

function elementEnds(text: string, open: number): readonly number[] {
  const ends: number[] = []
  for (let at = skipSpace(text, open + 1); text[at] !== ']'; at = skipSpace(text, at)) {
    if (text[at] === ',') at = skipSpace(text, at + 1)
    at = skipValue(text, at)
    ends.push(at)
  }
  return ends
}

function skipValue(text: string, start: number): number {
  let depth = 0
  for (let at = start; ; at++) {
    const char = text.charCodeAt(at)
    if (char === QUOTE) at = skipString(text, at) - 1
    else if (char === OPEN_BRACE || char === OPEN_BRACKET) depth++
    else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) depth--
    else if (depth > 0 || !endsScalar(text, at + 1)) continue
    if (depth === 0) return at + 1
  }
}

function endsScalar(text: string, at: number): boolean {
  return at >= text.length || ' \t\r\n,]}'.includes(text.charAt(at))
}

function skipString(text: string, start: number): number {
  let at = start + 1
  for (let char = text.charCodeAt(at); char !== QUOTE; char = text.charCodeAt(at))
    at += char === BACKSLASH ? 2 : 1
  return at + 1
}

function skipSpace(text: string, start: number): number {
  let at = start
  while (at < text.length && text.charCodeAt(at) <= SPACE) at++
  return at
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false // The parser's own message would quote the text.
  }
}

function notABody(): ProviderFailed {
  return new ProviderFailed('The places provider did not answer with a list of places.', 'UNKNOWN_ERROR')
}
