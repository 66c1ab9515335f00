import { DOT, isDigit, MINUS, PLUS } from './byte-classes.ts'

/** A position as numbers, for distances. Its text, which is what gets copied and compared, lies elsewhere. */
export interface Position {
  /** Decimal degrees, −90 … 90. */
  latitude: number
  /** Decimal degrees, −180 … 180. */
  longitude: number
}

const LATITUDE_MAX = 90
const LONGITUDE_MAX = 180
/** Digits of the fraction that count for distances: a tenth of a millimetre on the ground. */
const FRACTION_DIGITS_MAX = 9
const POWERS_OF_TEN = Array.from({ length: FRACTION_DIGITS_MAX + 1 }, (_, power) => 10 ** power)

/** Where the last coordinate ended, or −1. A module variable rather than an object for each call. */
let coordinateEnd = -1

/**
 * Reads ISO 6709 decimal degrees as the exercise writes them, `+34.068930-118.445127`: a sign on both, digits
 * with an optional fraction, nothing else. The bounds hold for the decimal text, not for its rounding.
 *
 * @returns one past its last byte, or −1 if there is no position at `start`; only otherwise `position` holds it.
 */
export function readPosition(buffer: Buffer, start: number, end: number, position: Position): number {
  const latitude = parseCoordinate(buffer, start, end, LATITUDE_MAX)
  if (coordinateEnd === -1) return -1
  position.latitude = latitude
  position.longitude = parseCoordinate(buffer, coordinateEnd, end, LONGITUDE_MAX)
  return coordinateEnd
}

/** Reads `[+-]digits[.digits]` from `start`; leaves `coordinateEnd` behind it, or −1 if there is none. */
function parseCoordinate(buffer: Buffer, start: number, end: number, max: number): number {
  coordinateEnd = -1
  const sign = buffer[start]
  if (start >= end || (sign !== PLUS && sign !== MINUS)) return 0
  let at = start + 1
  let whole = 0
  const wholeStart = at
  for (; at < end && isDigit(buffer[at] as number); at++) {
    whole = (whole * 10 + digit(buffer, at)) | 0
    if (whole > max) return 0
  }
  if (at === wholeStart) return 0
  let fraction = 0
  let fractionDigits = 0
  let beyondWhole = false
  if (at < end && buffer[at] === DOT) {
    const fractionStart = ++at
    const countedEnd = Math.min(end, fractionStart + FRACTION_DIGITS_MAX)
    for (; at < countedEnd && isDigit(buffer[at] as number); at++)
      fraction = (fraction * 10 + digit(buffer, at)) | 0
    fractionDigits = at - fractionStart
    if (fractionDigits === 0) return 0
    beyondWhole = fraction !== 0
    for (; at < end && isDigit(buffer[at] as number); at++) if (digit(buffer, at) !== 0) beyondWhole = true
  }
  if (whole === max && beyondWhole) return 0
  coordinateEnd = at
  const scale = POWERS_OF_TEN[fractionDigits] as number
  // Both are exact, so the quotient is the double nearest to the decimal text.
  const degrees = (whole * scale + fraction) / scale
  return sign === MINUS ? -degrees : degrees
}

function digit(buffer: Buffer, at: number): number {
  return (buffer[at] as number) - 0x30
}
