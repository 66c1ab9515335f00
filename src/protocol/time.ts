import { DIGIT_0, DOT, isDigit, MINUS, PLUS } from './byte-classes.ts'

/**
 * A point in time or a difference of two, exact to the nanosecond: `seconds + nanoseconds / 10⁹`. Never one
 * double, which would lose the last digits. `nanoseconds` is always 0 … 999,999,999, also when the whole is
 * negative (−0.25 s is −1 s + 750,000,000 ns), so that comparing is comparing field by field.
 */
export interface Nanotime {
  seconds: number
  nanoseconds: number
}

/** A client's time is below this many seconds (the year 5138): sums and differences stay exact in a double. */
export const TIME_SECONDS_END = 100_000_000_000
/** A difference read from an AT line is within this many seconds of zero. */
export const SKEW_SECONDS_END = 1_000_000_000_000
/** A difference has no more bytes than this, whoever wrote it. */
const SKEW_TEXT_BYTES_MAX = 64

const NANOSECONDS_IN_SECOND = 1_000_000_000
const FRACTION_DIGITS = 9
const INT32_MAX = 2 ** 31 - 1
const FRACTION_SCALE = Array.from(
  { length: FRACTION_DIGITS + 1 },
  (_, digits) => 10 ** (FRACTION_DIGITS - digits),
)

/**
 * Reads unsigned decimal seconds with an optional fraction. Nine digits of the fraction count; more are
 * allowed, and belong to the text that is echoed.
 *
 * @returns one past its last byte, or −1 if there is no time at `start`; only otherwise `time` holds it.
 */
export function readTime(buffer: Buffer, start: number, end: number, time: Nanotime): number {
  return readUnsigned(buffer, start, end, TIME_SECONDS_END, time)
}

/**
 * Reads the difference of an AT line: a sign, then as a time. Text with other than nine digits in the fraction
 * comes from servers of the old kind.
 *
 * @returns one past its last byte, or −1 if there is none at `start`; only otherwise `skew` holds it.
 */
export function readSkew(buffer: Buffer, start: number, end: number, skew: Nanotime): number {
  const sign = buffer[start]
  if (start >= end || (sign !== PLUS && sign !== MINUS)) return -1
  const stop = readUnsigned(buffer, start + 1, end, SKEW_SECONDS_END, skew)
  if (stop === -1 || stop - start > SKEW_TEXT_BYTES_MAX) return -1
  if (sign === MINUS) setDifference(skew, 0, 0, skew.seconds, skew.nanoseconds)
  return stop
}

/** Sets `result` to `seconds.nanoseconds − otherSeconds.otherNanoseconds`. */
export function setDifference(
  result: Nanotime,
  seconds: number,
  nanoseconds: number,
  otherSeconds: number,
  otherNanoseconds: number,
): void {
  const difference = nanoseconds - otherNanoseconds
  const borrow = difference < 0 ? 1 : 0
  result.seconds = seconds - otherSeconds - borrow
  result.nanoseconds = difference + borrow * NANOSECONDS_IN_SECOND
}

/** Compares two times: negative, 0 or positive as the first is before, at or after the second. */
export function compareTimes(a: Nanotime, b: Nanotime): number {
  return a.seconds - b.seconds || a.nanoseconds - b.nanoseconds
}

/** The longest text that `writeSkew` makes: a sign, 12 digits, a dot, nine digits. */
export const SKEW_BYTES_MAX = 23

/**
 * Writes a difference as AT lines carry it: always a sign, always nine digits; zero is positive.
 *
 * @returns one past the last byte written; there must be room for `SKEW_BYTES_MAX`.
 */
export function writeSkew(target: Buffer, at: number, skew: Nanotime): number {
  const negative = skew.seconds < 0
  let seconds = skew.seconds
  let nanoseconds = skew.nanoseconds
  if (negative) {
    // −1 s + 750,000,000 ns is written −0.250000000.
    const borrow = nanoseconds > 0 ? 1 : 0
    seconds = -seconds - borrow
    nanoseconds = borrow * NANOSECONDS_IN_SECOND - nanoseconds
  }
  target[at++] = negative ? MINUS : PLUS
  at = writeDigits(target, at, seconds, countDigits(seconds))
  target[at++] = DOT
  return writeDigits(target, at, nanoseconds, FRACTION_DIGITS)
}

/** Writes a time as unsigned decimal seconds with nine fractional digits, as a client would. */
export function formatTime(time: Nanotime): string {
  return `${time.seconds}.${String(time.nanoseconds).padStart(FRACTION_DIGITS, '0')}`
}

function readUnsigned(
  buffer: Buffer,
  start: number,
  end: number,
  secondsEnd: number,
  time: Nanotime,
): number {
  let at = start
  let seconds = 0
  for (; at < end && isDigit(buffer[at] as number); at++) {
    seconds = seconds * 10 + ((buffer[at] as number) - DIGIT_0)
    if (seconds >= secondsEnd) return -1
  }
  if (at === start) return -1
  let fraction = 0
  let counted = 0
  if (at < end && buffer[at] === DOT) {
    const fractionStart = ++at
    const countedEnd = Math.min(end, fractionStart + FRACTION_DIGITS)
    for (; at < countedEnd && isDigit(buffer[at] as number); at++) {
      fraction = (fraction * 10 + ((buffer[at] as number) - DIGIT_0)) | 0
    }
    counted = at - fractionStart
    if (counted === 0) return -1
    while (at < end && isDigit(buffer[at] as number)) at++
  }
  time.seconds = seconds
  time.nanoseconds = fraction * (FRACTION_SCALE[counted] as number)
  return at
}

/** How many decimal digits a whole number has. */
export function countDigits(value: number): number {
  let digits = 1
  for (let bound = 10; value >= bound; bound *= 10) digits++
  return digits
}

/** Writes the last `digits` decimal digits of a whole number. @returns one past the last. */
export function writeDigits(target: Buffer, at: number, value: number, digits: number): number {
  let place = at + digits - 1
  let rest = value
  for (; rest > INT32_MAX; place--) {
    target[place] = DIGIT_0 + (rest % 10)
    rest = Math.floor(rest / 10)
  }
  // Integer division, which is several times as fast, does for all but enormous differences.
  for (; place >= at; place--) {
    const quotient = (rest / 10) | 0
    target[place] = DIGIT_0 + rest - quotient * 10
    rest = quotient
  }
  return at + digits
}
