import { randomBytes } from 'node:crypto'
import type { Nanotime } from './protocol/index.ts'

/** The doors to the real world: clock, timers, randomness. Everything else gets them handed in. */
export interface System {
  /** Reads the system's clock, with its corrections, into `time`: POSIX time, to the nanosecond or near it. */
  readonly readClock: (time: Nanotime) => void
  /** The same clock in whole milliseconds since 1970: cheaper, for logs. */
  readonly wallMs: () => number
  /** Milliseconds that only ever go on, whatever happens to the clock: for durations. */
  readonly nowMs: () => number
  /** Calls back once after some milliseconds; the returned function cancels it. Doesn't keep the process up. */
  readonly after: (ms: number, callback: () => void) => () => void
  /** A number from [0, 1). */
  readonly random: () => number
  readonly randomBytes: (bytes: number) => Buffer
}

/** The real one. */
export const realSystem: System = {
  readClock: makeQuickClock(
    typeof Temporal === 'object'
      ? readTemporalClock
      : makeDisciplinedClock(Date.now, () => process.hrtime.bigint()),
    () => performance.now(),
  ),
  wallMs: () => Date.now(),
  nowMs: () => performance.now(),
  after: (ms, callback) => {
    const timer = setTimeout(callback, ms).unref()
    return () => clearTimeout(timer)
  },
  random: Math.random,
  randomBytes,
}

const NANOSECONDS_IN_SECOND = 1_000_000_000n
const NANOSECONDS_IN_MS = 1_000_000n
/** The system's clock is read anew when the last reading is older than this. */
const READ_AGAIN_MS = 1

/** Node 26 and newer give the system's clock in nanoseconds. */
function readTemporalClock(time: Nanotime): void {
  setNanotime(time, Temporal.Now.instant().epochNanoseconds)
}

/**
 * A clock ten times as quick to read: the system's is read once in a millisecond, and between, what the monotonic
 * clock has gone on is added. Corrections slower than 1 in 1,000 are below a microsecond of that, and a step of the
 * system's clock is followed within the millisecond.
 *
 * @param monotonicMs a clock in milliseconds, with a fraction, that only goes on.
 */
export function makeQuickClock(
  readSystem: (time: Nanotime) => void,
  monotonicMs: () => number,
): (time: Nanotime) => void {
  const last: Nanotime = { seconds: 0, nanoseconds: 0 }
  let lastMs = Number.NEGATIVE_INFINITY
  return (time) => {
    const nowMs = monotonicMs()
    if (nowMs - lastMs >= READ_AGAIN_MS) {
      readSystem(last)
      lastMs = nowMs
    }
    const nanoseconds = last.nanoseconds + Math.floor((nowMs - lastMs) * 1e6)
    const carry = nanoseconds >= 1e9 ? 1 : 0
    time.seconds = last.seconds + carry
    time.nanoseconds = nanoseconds - carry * 1e9
  }
}

/**
 * A clock for Node 24, where the system's clock is read in whole milliseconds only: the monotonic clock gives the
 * digits below, and is moved whenever it would leave the millisecond that the system's clock is in. So it is never
 * off by more than one millisecond and follows steps and slews at once.
 */
export function makeDisciplinedClock(
  systemMs: () => number,
  monotonicNanoseconds: () => bigint,
): (time: Nanotime) => void {
  let offset = BigInt(systemMs()) * NANOSECONDS_IN_MS - monotonicNanoseconds()
  return (time) => {
    const monotonic = monotonicNanoseconds()
    const earliest = BigInt(systemMs()) * NANOSECONDS_IN_MS
    const latest = earliest + NANOSECONDS_IN_MS - 1n
    const guess = monotonic + offset
    const now = guess < earliest ? earliest : guess > latest ? latest : guess
    offset = now - monotonic
    setNanotime(time, now)
  }
}

function setNanotime(time: Nanotime, nanoseconds: bigint): void {
  const seconds = nanoseconds / NANOSECONDS_IN_SECOND
  time.seconds = Number(seconds)
  time.nanoseconds = Number(nanoseconds - seconds * NANOSECONDS_IN_SECOND)
}
