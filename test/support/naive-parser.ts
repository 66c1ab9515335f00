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
    }
  | {
      readonly kind: 'whatsat' | 'whosat'
      readonly fields: readonly string[]
      readonly radiusMetres: number
      readonly items: number
    }

/** The numbers in a fix. */
export interface NaiveFixNumbers {
  /** Degrees to the ninth digit, which is as far as distances heed them. */
  readonly latitude: string
  readonly longitude: string
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
  if (word === 'AT' && operands.length === 5) {
    const fix = readFix(operands[3], operands[4])
    const skew = naiveSkew(operands[1] ?? '')
    return fix === null || skew === null ? INVALID : { kind: 'at', fields, fix, skew }
  }
  if ((word === 'WHATSAT' || word === 'WHOSAT') && operands.length === 3) {
    const radiusMetres = readRadius(operands[1] ?? '')
    const items = operands[2] ?? ''
    if (radiusMetres === null || !/^\d+$/.test(items) || BigInt(items) > 20n) return INVALID
    return { kind: word === 'WHATSAT' ? 'whatsat' : 'whosat', fields, radiusMetres, items: Number(items) }
  }
  return INVALID
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
  const [, latitude, longitude] = POSITION.exec(position) ?? []
  const time = naiveTime(timeText)
  if (latitude === undefined || longitude === undefined || time === null) return null
  if (!isAtMost(latitude.slice(1), 90n) || !isAtMost(longitude.slice(1), 180n)) return null
  return { latitude: naiveDegrees(latitude), longitude: naiveDegrees(longitude), time }
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
