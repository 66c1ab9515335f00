/** What fixes look like under their topics, in and out. */
import { Compile } from 'typebox/compile'
import { CallRefused } from '../calls/call-refused.ts'
import type { Report } from '../calls/report.ts'
import { fixJson, reportOf } from '../http/fix-json.ts'
import { reportSchema } from '../http/schemas.ts'
import type { ReportJson } from '../http/shapes.ts'
import { readOwnTracks, writeOwnTracksLocation } from '../owntracks/location.ts'
import type { FixFormat } from '../watch/watched-fix.ts'
import { writePublish } from './publish-packet.ts'
import { type ClientTopic, herdTopic, ownTracksTopic } from './topics.ts'

const NOTHING = Buffer.alloc(0)
const schema = Compile(reportSchema)

/**
 * Reads what was published under a topic; `null`: it is no report, and no fault: OwnTracks publishes other things there too.
 *
 * @throws {CallRefused} when it is broken.
 */
export function readReport({ family, client }: ClientTopic, payload: Buffer): Report | null {
  // Nothing under a topic is what one publishes to have it retained no longer.
  if (family === 'beside' || payload.length === 0) return null
  return family === 'owntracks'
    ? (readOwnTracks(payload, client).report ?? null)
    : readHerdReport(payload, client)
}

function readHerdReport(payload: Buffer, client: string): Report {
  const members = parsed(payload)
  if (typeof members !== 'object' || members === null || Array.isArray(members)) {
    throw new CallRefused('invalid', 'it is no report: a JSON object such as {"lat":34.07,"lon":-118.45}')
  }
  const report: unknown = { ...members, client }
  if (isReport(report)) return reportOf(report)
  const [error] = schema.Errors(report)
  throw new CallRefused(
    'invalid',
    `it is no report: ${error?.instancePath ?? ''} ${error?.message ?? ''}; /docs has all members`,
  )
}

function isReport(value: unknown): value is ReportJson {
  return schema.Check(value)
}

function parsed(payload: Buffer): unknown {
  try {
    return JSON.parse(payload.toString('utf8'))
  } catch {
    return null
  }
}

/** Fixes as messages of QoS 0: empty where a client has no such topic. */
export interface FixMessages {
  readonly live: FixFormat
  readonly retained: FixFormat
}

/** Locations as OwnTracks has them. */
export const OWNTRACKS_MESSAGES: FixMessages = {
  live: { encode: (fix) => ownTracksMessage(fix, false) },
  retained: { encode: (fix) => ownTracksMessage(fix, true) },
}

/** Fixes as the HTTP API has them. */
export const HERD_MESSAGES: FixMessages = {
  live: {
    encode: (fix, now) => writePublish(herdTopic(fix.client), JSON.stringify(fixJson(fix, now)), false),
  },
  retained: {
    encode: (fix, now) => writePublish(herdTopic(fix.client), JSON.stringify(fixJson(fix, now)), true),
  },
}

function ownTracksMessage(fix: Parameters<FixFormat['encode']>[0], isRetained: boolean): Buffer {
  const topic = ownTracksTopic(fix.client)
  if (topic === null) return NOTHING
  return writePublish(topic, JSON.stringify(writeOwnTracksLocation(fix)), isRetained)
}
