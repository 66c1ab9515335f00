/** Times as people and programs write them, exact to the nanosecond; inside they are POSIX seconds as text. */
import { formatTime, type Nanotime } from '../../protocol/index.ts'
import { CallRefused } from '../calls/call-refused.ts'

const RFC_3339 = /^(\d{4}-\d{2}-\d{2})[Tt ](\d{2}:\d{2}:\d{2})(?:\.(\d{1,}))?([Zz]|[+-]\d{2}:\d{2})$/
const POSIX = /^\d+(?:\.\d+)?$/

/** RFC 3339 in UTC, with nine digits of the second. */
export function rfc3339({ seconds, nanoseconds }: Readonly<Nanotime>): string {
  const whole = new Date(seconds * 1000).toISOString().slice(0, -'.000Z'.length)
  return `${whole}.${String(nanoseconds).padStart(9, '0')}Z`
}

/**
 * Reads a time as POSIX seconds in decimal text: RFC 3339, seconds as text, or seconds as a number (whose last digits a double
 * may have lost).
 *
 * @throws {CallRefused} when it is none of these.
 */
export function posixText(time: string | number): string {
  if (typeof time === 'number') return secondsText(time)
  if (POSIX.test(time)) return time
  const parts = RFC_3339.exec(time)
  const [, day, clock, fraction = '', zone = ''] = parts ?? []
  const ms =
    parts === null || !isCivil(`${day}T${clock}`)
      ? Number.NaN
      : Date.parse(`${day}T${clock}${zone.toUpperCase()}`)
  if (Number.isNaN(ms) || ms < 0) {
    throw new CallRefused(
      'invalid',
      `${JSON.stringify(time)} is no time: RFC 3339 such as 2026-11-21T12:00:00Z, or seconds since 1970`,
    )
  }
  return formatTime({ seconds: ms / 1000, nanoseconds: Number(fraction.padEnd(9, '0').slice(0, 9)) })
}

/** Whether there is such a day, and such a second in it: `Date.parse` takes the 30th of February for the 1st of March. */
function isCivil(local: string): boolean {
  const ms = Date.parse(`${local}Z`)
  return !Number.isNaN(ms) && new Date(ms).toISOString().startsWith(local)
}

/** Seconds since 1970 as POSIX seconds in decimal text; to the microsecond. @throws {CallRefused} when that is no time. */
export function secondsText(seconds: number): string {
  return microsecondsText(seconds * 1000 * 1000, `${seconds} is no time in seconds since 1970`)
}

/** Milliseconds since 1970 as POSIX seconds in decimal text; to the microsecond. @throws {CallRefused} when that is no time. */
export function millisecondsText(ms: number): string {
  return microsecondsText(ms * 1000, `${ms} is no time in milliseconds since 1970`)
}

function microsecondsText(exact: number, complaint: string): string {
  const microseconds = Math.round(exact)
  if (!Number.isSafeInteger(microseconds) || microseconds < 0) throw new CallRefused('invalid', complaint)
  return formatTime({
    seconds: Math.floor(microseconds / 1e6),
    nanoseconds: (microseconds % 1e6) * 1000,
  })
}
