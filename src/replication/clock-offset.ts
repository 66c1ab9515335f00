import type { Nanotime } from '../protocol/index.ts'

const MS_IN_SECOND = 1000
const NS_IN_MS = 1e6

/**
 * How far a peer's clock is ahead of ours, in milliseconds: what it said, against our clock in the middle of the
 * round trip in which it said so. It is off by half of that round trip at most.
 *
 * @param began our clock at one end of the round trip. @param ended our clock at the other end.
 */
export function clockOffsetMs(theirs: Nanotime, began: Nanotime, ended: Nanotime): number {
  return (differenceMs(theirs, began) + differenceMs(theirs, ended)) / 2
}

/** The first time minus the second, in milliseconds. Differences first: whole times lose digits in a double. */
function differenceMs(one: Nanotime, other: Nanotime): number {
  return (one.seconds - other.seconds) * MS_IN_SECOND + (one.nanoseconds - other.nanoseconds) / NS_IN_MS
}
