/**
 * The rules of lines, written a second time as they read: strings, regular expressions, BigInt. Slow, and nothing
 * like the parser that is tested against it, so that the same mistake is not made twice. Bytes are Latin-1
 * characters here.
 */

/** What a line is, with every operand that means something. */
export type NaiveCommand =
  | { readonly kind: 'invalid' | 'herd' }
  | { readonly kind: 'iamat'; readonly fields: readonly string[]; readonly fix: NaiveFixNumbers }
  | {
      readonly kind: 'at'
      readonly fields: readonly string[]
      readonly fix: NaiveFixNumbers
      /** Nanoseconds. */
      readonly skew: bigint
      readonly stamp: { readonly alias: number; readonly seq: number } | null
    }
  | {
      readonly kind: 'whatsat'
      readonly fields: readonly string[]
      readonly radiusMetres: number
      readonly items: number
      /** What it says of the places. */
      readonly places: NaivePlacesOperands
    }
  | {
      readonly kind: 'ack'
      readonly fields: readonly string[]
      readonly disk: boolean
      readonly peers: number
    }
  | { readonly kind: 'watch' | 'unwatch' | 'token'; readonly fields: readonly string[] }
  | {
      readonly kind: 'watch-near'
      readonly fields: readonly string[]
      readonly radiusMetres: number
      readonly place: NaivePlace
    }
  | NaiveWhosat

/** What a WHATSAT may say of the places: the keyword decoded. */
export interface NaivePlacesOperands {
  readonly type?: string
  readonly keyword?: string
  readonly rank?: string
}

/** WHOSAT, in any of its forms; what a form doesn't have is `null`. */
export interface NaiveWhosat {
  readonly kind: 'whosat' | 'whosat-near' | 'whosat-box' | 'whosat-polygon'
  readonly fields: readonly string[]
  /** The middle, or two corners. */
  readonly places: readonly NaivePlace[]
  readonly radiusMetres: number | null
  /** −1: all. */
  readonly items: number
  /** Nanoseconds. */
  readonly age: bigint | null
}

/** Degrees to the ninth digit, which is as far as distances heed them. */
export interface NaivePlace {
  readonly latitude: string
  readonly longitude: string
}

/** The numbers in a fix. */
export interface NaiveFixNumbers extends NaivePlace {
  /** Nanoseconds since 1970. */
  readonly time: bigint
}

const INVALID: NaiveCommand = { kind: 'invalid' }
/** Not `\s`, which knows more kinds of white space than the exercise does. */
const WHITE = /[ \t\r\n\f\v]+/
const NUMBER = /^(\d+)(?:\.(\d+))?$/
const SIGNED = /^([+-])(\d+(?:\.\d+)?)$/
const POSITION = /^([+-]\d+(?:\.\d+)?)([+-]\d+(?:\.\d+)?)$/

/** Cuts a stream into its lines; what has no LF behind it is the rest. */
export function naiveLines(stream: string): { lines: string[]; rest: string } {
  const lines = stream.split('\n')
  return { rest: lines.pop() ?? '', lines }
}

/** Reads a line, given without its LF. */
export function naiveParse(line: string): NaiveCommand {
  const fields = line.split(WHITE).filter((field) => field !== '')
  const [word, ...operands] = fields
  if (word === 'HERD') return { kind: 'herd' }
  if (word === 'IAMAT' && operands.length === 3) {
    const fix = readFix(operands[1], operands[2])
    return fix === null ? INVALID : { kind: 'iamat', fields, fix }
  }
  if (word === 'AT') {
    const stamp = operands.length > 5 ? readStamp(operands.at(-1)) : null
    const rest = stamp === null ? operands : operands.slice(0, -1)
    if (rest.length !== 5 && !(rest.length === 6 && isAttributes(rest[5]))) return INVALID
    const fix = readFix(operands[3], operands[4])
    const skew = naiveSkew(operands[1] ?? '')
    return fix === null || skew === null ? INVALID : { kind: 'at', fields: ['AT', ...rest], fix, skew, stamp }
  }
  if (word === 'WHATSAT' && operands.length >= 3) {
    const radiusMetres = readRadius(operands[1] ?? '')
    const items = readItems(operands[2] ?? '')
    const places = readPlaces(operands.slice(3))
    if (radiusMetres === null || items === null || places === null) return INVALID
    return { kind: 'whatsat', fields, radiusMetres, items, places }
  }
  if (word === 'ACK' && operands.length === 1) {
    const [parts, last] = [
      new Set((operands[0] ?? '').split('+')),
      (operands[0] ?? '').split('+').at(-1) ?? '',
    ]
    const peers = /^peers:([1-9][0-9]?)$/.exec(last)?.[1] ?? null
    if (operands[0] === 'memory') return { kind: 'ack', fields, disk: false, peers: 0 }
    if (operands[0] === 'disk') return { kind: 'ack', fields, disk: true, peers: 0 }
    const isRight = peers !== null && (parts.size === 1 || operands[0] === `disk+${last}`)
    return isRight ? { kind: 'ack', fields, disk: parts.has('disk'), peers: Number(peers) } : INVALID
  }
  if (word === 'WATCH' && operands.length === 1) return { kind: 'watch', fields }
  if (word === 'WATCH' && operands.length === 3) {
    const [radiusMetres, place] = [readRadius(operands[1] ?? ''), readPlace(operands[2] ?? '')]
    if (radiusMetres === null || place === null) return INVALID
    return { kind: 'watch-near', fields, radiusMetres, place }
  }
  if (word === 'UNWATCH' && operands.length === 0) return { kind: 'unwatch', fields }
  if (word === 'TOKEN' && operands.length === 1) return { kind: 'token', fields }
  if (word === 'WHOSAT') return naiveWhosat(fields) ?? INVALID
  return INVALID
}

/** Each at most once, in any order; everything else makes the line invalid. */
function readPlaces(operands: readonly string[]): NaivePlacesOperands | null {
  const said = new Map<string, string>()
  for (const operand of operands) {
    const [, name, value] = /^(type|keyword|rank)=(.+)$/s.exec(operand) ?? []
    if (name === undefined || value === undefined || said.has(name)) return null
    const fits = { type: isType, keyword: isKeyword, rank: isRank }[name]
    if (fits?.(value) !== true) return null
    said.set(name, name === 'keyword' ? String(percentDecoded(value)) : value)
  }
  return Object.fromEntries(said)
}

function isType(text: string): boolean {
  return /^[a-z]/.test(text) && /^[a-z0-9_]+$/.test(text) && text.length <= 64
}

function isRank(text: string): boolean {
  return ['prominence', 'distance'].includes(text)
}

function isKeyword(text: string): boolean {
  const words = percentDecoded(text)
  if (words === null || !/\S/.test(words)) return false
  const codes = Array.from(words, (character) => character.codePointAt(0) ?? 0)
  return codes.length <= 128 && codes.every((code) => code >= 32 && !(code >= 127 && code < 160))
}

function percentDecoded(text: string): string | null {
  const bytes: number[] = []
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code <= 32 || code >= 127) return null
    if (text[at] !== '%') bytes.push(code)
    else {
      const hex = text.slice(at + 1, at + 3)
      if (!/^[0-9a-fA-F]{2}$/.test(hex)) return null
      bytes.push(Number(`0x${hex}`))
      at += 2
    }
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(Uint8Array.from(bytes))
  } catch {
    return null
  }
}

function readStamp(text: string | undefined): { alias: number; seq: number } | null {
  const [, alias, seq] = /^@(\d+)\.(\d+)$/.exec(text ?? '') ?? []
  if (alias === undefined || seq === undefined) return null
  if (BigInt(alias) >= 4096n || BigInt(seq) >= 2n ** 41n) return null
  return { alias: Number(alias), seq: Number(seq) }
}

function naiveWhosat(fields: readonly string[]): NaiveWhosat | null {
  const [, ...operands] = fields
  const places = operands.map((operand) => readPlace(operand))
  const forms: readonly [NaiveWhosat['kind'], boolean, number][] = [
    ['whosat', readRadius(operands[1] ?? '') !== null, 2],
    [
      'whosat-near',
      operands[0] === 'NEAR' && places[1] !== null && readRadius(operands[2] ?? '') !== null,
      3,
    ],
    ['whosat-box', operands[0] === 'IN' && places[1] !== null && places[2] !== null, 3],
    ['whosat-polygon', operands[0] === 'IN' && operands[1]?.startsWith('{') === true, 2],
  ]
  for (const [kind, fits, itemsAt] of forms) {
    const items = operands[itemsAt] === '*' ? -1 : readItems(operands[itemsAt] ?? '')
    const ageText = operands[itemsAt + 1]
    const age = ageText === undefined ? null : naiveTime(ageText)
    if (!fits || items === null || (ageText !== undefined && age === null)) continue
    if (operands.length > itemsAt + 2) continue
    const isCircle = kind === 'whosat' || kind === 'whosat-near'
    return {
      kind,
      fields,
      places: places.filter((place) => place !== null).filter((_, at) => kind !== 'whosat' && at < 2),
      radiusMetres: isCircle ? readRadius(operands[itemsAt - 1] ?? '') : null,
      items,
      age,
    }
  }
  return null
}

function readItems(text: string): number | null {
  return /^\d+$/.test(text) && BigInt(text) <= 20n ? Number(text) : null
}

function isAttributes(text = ''): boolean {
  return text.startsWith('{') && text.endsWith('}') && text.length <= 2048
}

/** Nanoseconds since 1970, or `null` when it is no time. */
export function naiveTime(text: string): bigint | null {
  return nanoseconds(text, 100_000_000_000n)
}

/** A signed difference in nanoseconds, or `null` when it is none. */
export function naiveSkew(text: string): bigint | null {
  const [, sign, number = ''] = SIGNED.exec(text) ?? []
  if (sign === undefined || text.length > 64) return null
  const value = nanoseconds(number, 1_000_000_000_000n)
  return value === null || sign === '+' ? value : -value
}

/** A difference in nanoseconds as replies carry it. */
export function naiveSkewText(difference: bigint): string {
  const size = difference < 0n ? -difference : difference
  const digits = String(size).padStart(10, '0')
  return `${difference < 0n ? '-' : '+'}${digits.slice(0, -9)}.${digits.slice(-9)}`
}

function readFix(position = '', timeText = ''): NaiveFixNumbers | null {
  const place = readPlace(position)
  const time = naiveTime(timeText)
  return place === null || time === null ? null : { ...place, time }
}

function readPlace(text: string): NaivePlace | null {
  const [, latitude, longitude] = POSITION.exec(text) ?? []
  if (latitude === undefined || longitude === undefined) return null
  if (!isAtMost(latitude.slice(1), 90n) || !isAtMost(longitude.slice(1), 180n)) return null
  return { latitude: naiveDegrees(latitude), longitude: naiveDegrees(longitude) }
}

/** Degrees with nine digits behind the dot, whatever their text or number has. */
export function naiveDegrees(degrees: string | number): string {
  return Number(typeof degrees === 'string' ? cutFraction(degrees, 9) : degrees).toFixed(9)
}

function readRadius(text: string): number | null {
  if (!NUMBER.test(text) || !isAtMost(text, 50n)) return null
  return Number(`${cutFraction(text, 9)}e3`)
}

function nanoseconds(text: string, secondsEnd: bigint): bigint | null {
  const [, whole, fraction = ''] = NUMBER.exec(text) ?? []
  if (whole === undefined || BigInt(whole) >= secondsEnd) return null
  return BigInt(whole) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0').slice(0, 9))
}

/** Compares the decimal text itself, of any length. */
function isAtMost(number: string, max: bigint): boolean {
  const [whole = '', fraction = ''] = number.split('.')
  return BigInt(whole + fraction) <= max * 10n ** BigInt(fraction.length)
}

function cutFraction(number: string, digits: number): string {
  const dot = number.indexOf('.')
  return dot === -1 ? number : number.slice(0, dot + 1 + digits)
}
