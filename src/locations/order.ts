import { compareTimes, type Nanotime } from '../protocol/index.ts'

/**
 * A client's clock may run ahead of the origin's by this much before it stops to count: a phone that is a year
 * ahead must not freeze itself for a year.
 */
export const AHEAD_SECONDS_MAX = 60

/**
 * Everything of an AT line that decides which of two fixes of one client is the newer. Read through this
 * interface so that a fix on its way in and a record of the table compare without copies.
 */
export interface Ordered {
  readonly time: Nanotime
  readonly skew: Nanotime
  /** The origin's name. */
  readonly serverName: Uint8Array
  /** `<position>` as it came. */
  readonly positionText: Uint8Array
  /** `<time>` as it came. */
  readonly timeText: Uint8Array
  /** `<skew>` as it came. */
  readonly skewText: Uint8Array
  /** The attributes as they came; empty without any. */
  readonly attributesText: Uint8Array
}

/**
 * The time by which fixes are ordered first: min(client time, receive time + 60 s), where receive time is
 * client time + skew. So it is the client time, unless that is more than 60 s ahead.
 */
export function effectiveTime(time: Nanotime, skew: Nanotime, result: Nanotime): void {
  result.seconds = time.seconds
  result.nanoseconds = time.nanoseconds
  if (skew.seconds >= -AHEAD_SECONDS_MAX) return
  result.seconds += skew.seconds + AHEAD_SECONDS_MAX
  result.nanoseconds += skew.nanoseconds
  if (result.nanoseconds >= 1_000_000_000) {
    result.seconds++
    result.nanoseconds -= 1_000_000_000
  }
}

const effectiveA: Nanotime = { seconds: 0, nanoseconds: 0 }
const effectiveB: Nanotime = { seconds: 0, nanoseconds: 0 }

/**
 * The order of fixes: a pure function of the two AT lines, so that every server agrees, a classic one too. By
 * effective time, client time, server name, skew, position text; then, so that only identical lines are equal,
 * by the text of time and skew (`1.5` and `1.50` are the same time in different lines) and the attributes.
 *
 * @returns negative, 0 or positive as `a` is older than, identical to or newer than `b`.
 */
export function compareFixes(a: Ordered, b: Ordered): number {
  return compareNumbers(a, b) || compareTexts(a, b)
}

/** The order as far as the times decide, which they nearly always do. */
export function compareNumbers(
  a: { readonly time: Nanotime; readonly skew: Nanotime },
  b: { readonly time: Nanotime; readonly skew: Nanotime },
): number {
  effectiveTime(a.time, a.skew, effectiveA)
  effectiveTime(b.time, b.skew, effectiveB)
  return compareTimes(effectiveA, effectiveB) || compareTimes(a.time, b.time)
}

/** The rest of the order, for two fixes with equal times. */
export function compareTexts(a: Ordered, b: Ordered): number {
  return (
    Buffer.compare(a.serverName, b.serverName) ||
    compareTimes(a.skew, b.skew) ||
    Buffer.compare(a.positionText, b.positionText) ||
    Buffer.compare(a.timeText, b.timeText) ||
    Buffer.compare(a.skewText, b.skewText) ||
    Buffer.compare(a.attributesText, b.attributesText)
  )
}
