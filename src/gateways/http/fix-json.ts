import type { Attributes, Nanotime } from '../../protocol/index.ts'
import { CallRefused } from '../calls/call-refused.ts'
import { ageSeconds, type ClientFix } from '../calls/client-fix.ts'
import { positionText, type Report } from '../calls/report.ts'
import type { FixFormat } from '../watch/watched-fix.ts'
import type { FixJson, ReportJson } from './shapes.ts'
import { posixText, rfc3339 } from './times.ts'

const NANOSECONDS = 1_000_000_000

/** A fix as it goes over HTTP. */
export function fixJson(fix: ClientFix, now: Readonly<Nanotime>): FixJson {
  const { client, server, latitude, longitude, positionText: position, time, skew, attributes } = fix
  return {
    client,
    server,
    lat: latitude,
    lon: longitude,
    position,
    time: rfc3339(time),
    time_ns: nanosecondsText(time),
    received_at: rfc3339(sum(time, skew)),
    skew_s: Number(fix.skewText),
    age_s: Math.round(ageSeconds(fix, now) * 1e6) / 1e6,
    ...attributesJson(attributes),
  }
}

/** Nanoseconds since 1970, exactly: a double would lose the last digits. */
function nanosecondsText({ seconds, nanoseconds }: Readonly<Nanotime>): string {
  return seconds === 0 ? String(nanoseconds) : seconds + String(nanoseconds).padStart(9, '0')
}

function attributesJson({ altitude, accuracy, speed, course, battery, tags }: Attributes): Partial<FixJson> {
  return {
    ...(altitude !== undefined && { altitude_m: altitude }),
    ...(accuracy !== undefined && { accuracy_m: accuracy }),
    ...(speed !== undefined && { speed_mps: speed }),
    ...(course !== undefined && { heading_deg: course }),
    ...(battery !== undefined && { battery_pct: Math.round(battery * 1e6) / 1e4 }),
    ...(tags !== undefined && { tags: { ...tags } }),
  }
}

/** A report out of JSON. @throws {CallRefused} when it says twice, or not at all, where the client is; or when. */
export function reportOf(json: ReportJson): Report {
  const { client, lat, lon, position, time } = json
  const hasNumbers = lat !== undefined && lon !== undefined
  if (hasNumbers === (position !== undefined) || (lat === undefined) !== (lon === undefined)) {
    throw new CallRefused('invalid', 'a report has lat and lon, or position, and not both')
  }
  return {
    client,
    position: position ?? positionText(lat ?? 0, lon ?? 0),
    time: time === undefined ? null : posixText(time),
    attributes: attributesOf(json),
  }
}

function attributesOf(json: ReportJson): Attributes {
  const { altitude_m, accuracy_m, speed_mps, heading_deg, battery_pct, tags } = json
  return {
    ...(altitude_m !== undefined && { altitude: altitude_m }),
    ...(accuracy_m !== undefined && { accuracy: accuracy_m }),
    ...(speed_mps !== undefined && { speed: speed_mps }),
    ...(heading_deg !== undefined && { course: heading_deg }),
    ...(battery_pct !== undefined && { battery: battery_pct / 100 }),
    ...(tags !== undefined && { tags }),
  }
}

/** A fix as JSON, for those who watch. */
export const JSON_FORMAT: FixFormat = {
  encode: (fix, now) => Buffer.from(JSON.stringify(fixJson(fix, now))),
}

function sum(a: Readonly<Nanotime>, b: Readonly<Nanotime>): Nanotime {
  const nanoseconds = a.nanoseconds + b.nanoseconds
  const carry = nanoseconds >= NANOSECONDS ? 1 : 0
  return { seconds: a.seconds + b.seconds + carry, nanoseconds: nanoseconds - carry * NANOSECONDS }
}
