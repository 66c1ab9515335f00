import { isUtf8 } from 'node:buffer'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { CallRefused } from '../calls/call-refused.ts'
import type { Caller, Calls } from '../calls/calls.ts'
import type { ClientFix } from '../calls/client-fix.ts'
import type { Report } from '../calls/report.ts'
import {
  messageOf,
  type OwnTracksLocation,
  type OwnTracksMembers,
  type OwnTracksMessage,
  readMembers,
  writeOwnTracksLocation,
} from '../owntracks/location.ts'
import { clientOf, type PhoneNames } from '../owntracks/phone.ts'
import { callerOf } from './caller.ts'
import type { HttpContext } from './http-context.ts'
import { bodyOf, queryOf, takeBodiesAsTheyAre } from './phone-requests.ts'
import { sendProblem } from './problem.ts'
import { problemSchema } from './schemas.ts'

/** Friends that a phone is told of when it doesn't say how many. */
const FRIENDS = 25
/** Friends that a phone is told of at most. */
export const FRIENDS_MAX = 100
/** Of so many of the nearest clients, those that may be read are told to a phone that may not read all. */
const FRIENDS_LOOKED_MAX = 1000
/** All of Earth. */
const EARTH_METRES = 21_000_000
const UNREAD_HEADER = 'herd-left-out'

/** What a friend is called: the apps show it in place of two characters. */
interface Card {
  readonly _type: 'card'
  readonly tid: string
  readonly name: string
}

const SCHEMA = {
  summary: 'Report as the OwnTracks apps do in HTTP mode',
  description: `One OwnTracks message, as https://owntracks.org/booklet/tech/json/ has it. User and device: of the path, else X-Limit-U and X-Limit-D, else u and d of the query, else the topic of the body, else the user of Basic authentication. The answer to a location are those of the nearest clients, with their cards: as many as \`friends\` says (${FRIENDS}; at most ${FRIENDS_MAX}).`,
  querystring: {
    type: 'object',
    properties: {
      u: { type: 'string', description: 'User.' },
      d: { type: 'string', description: 'Device.' },
      friends: {
        type: 'string',
        description: `How many of the nearest clients to tell of, 0 to ${FRIENDS_MAX}.`,
      },
    },
  },
  response: { default: problemSchema },
}

/**
 * Adds what the OwnTracks apps post to in HTTP mode. Whatever the settings of a phone can mend, or time, is no 2xx: the phone keeps
 * what it has and tries again. A single message that makes no sense is left out with a 2xx, for it would come again for ever, and
 * before all that wait behind it.
 */
export function addOwnTracksRoutes(app: FastifyInstance, context: HttpContext): void {
  const phones = new OwnTracksPhones(context)
  void app.register((scope, _options, done) => {
    takeBodiesAsTheyAre(scope)
    for (const path of ['/pub', '/owntracks', '/owntracks/:user/:device']) {
      scope.post<{ Params: { user?: string; device?: string } }>(path, { schema: SCHEMA }, (request, reply) =>
        phones.answer(request, request.params, reply),
      )
    }
    done()
  })
}

class OwnTracksPhones {
  readonly #context: HttpContext

  constructor(context: HttpContext) {
    this.#context = context
  }

  async answer(request: FastifyRequest, path: PhoneNames, reply: FastifyReply): Promise<FastifyReply> {
    const caller = callerOf(request, this.#context.gatekeeper)
    void reply.type('application/json')
    const body = bodyOf(request)
    // A phone that deletes a friend posts nothing at all.
    if (body.length === 0) return reply.send('[]')
    // What is no message at all, no app has sent: whoever did may know.
    const members = readMembers(body)
    const query = queryOf(request)
    const message = this.#read(members, request, path, query)
    if (message instanceof CallRefused) return this.#leaveOut(reply, message)
    if (message.type === 'encrypted') {
      const detail =
        'this herd has no key for encrypted messages: empty the encryption key in the settings of the app'
      return sendProblem(reply, 422, 'encrypted', 'Encrypted', detail)
    }
    const { report } = message
    if (report === undefined) return reply.send('[]')
    const refused = await this.#report(report, caller)
    if (refused !== null) return this.#leaveOut(reply, refused)
    return reply.send(JSON.stringify(await friendsOf(this.#context.calls, report, caller, countOf(query))))
  }

  /** @returns why it makes no sense. @throws {CallRefused} when it doesn't say whose it is, which settings can mend. */
  #read(
    members: OwnTracksMembers,
    { headers }: FastifyRequest,
    path: PhoneNames,
    query: URLSearchParams,
  ): OwnTracksMessage | CallRefused {
    if (members.get('_type') !== 'location') return messageOf(members, '')
    const { 'x-limit-u': user, 'x-limit-d': device, authorization } = headers
    const sources = [
      path,
      { user: textOf(user), device: textOf(device) },
      { user: query.get('u'), device: query.get('d') },
    ]
    const client = clientOf(sources, members, basicUserOf(authorization))
    try {
      return messageOf(members, client)
    } catch (error) {
      if (error instanceof CallRefused) return error
      throw error
    }
  }

  /** @returns why it can't be taken, now or later. @throws {CallRefused} for what may go better, or needs other settings. */
  async #report(report: Report, caller: Caller): Promise<CallRefused | null> {
    try {
      await this.#context.calls.report(report, caller)
      return null
    } catch (error) {
      if (error instanceof CallRefused && error.code === 'invalid') return error
      throw error
    }
  }

  #leaveOut(reply: FastifyReply, { message }: CallRefused): FastifyReply {
    this.#context.counters.owntracksLeftOut++
    this.#context.log.event('warning', 'an OwnTracks message is left out', { reason: message })
    // For people who look with curl: header fields hold ASCII only.
    const reason = message.replaceAll('−', '-').replaceAll(/[^\x20-\x7e]/g, '?')
    return reply.header(UNREAD_HEADER, reason).send('[]')
  }
}

/** The clients that are nearest to a report, itself among them, as a phone reads them; nothing when the search fails. */
async function friendsOf(
  calls: Calls,
  { position }: Report,
  caller: Caller,
  count: number,
): Promise<(OwnTracksLocation | Card)[]> {
  if (count === 0) return []
  const [, latitude, longitude] = /^([+-][\d.]+)([+-][\d.]+)$/.exec(position) ?? []
  const center = { latitude: Number(latitude), longitude: Number(longitude) }
  const items = caller.grant.readsAll ? count : FRIENDS_LOOKED_MAX
  const area = { kind: 'circle', center, radiusMetres: EARTH_METRES } as const
  try {
    const fixes = await calls.search({ area, items, ageSecondsMax: null }, caller)
    return fixes.slice(0, count).flatMap(friendOf)
  } catch (error) {
    // The report has been taken: it must not come again because of this.
    if (error instanceof CallRefused) return []
    throw error
  }
}

/** In HTTP mode the apps know friends by these characters: who has none of its own goes by its whole ID. */
function friendOf(fix: ClientFix): [OwnTracksLocation, Card] {
  const { client, attributes } = fix
  const { tid = client } = attributes.tags ?? {}
  return [
    { ...writeOwnTracksLocation(fix), tid },
    { _type: 'card', tid, name: client },
  ]
}

function countOf(query: URLSearchParams): number {
  const count = Number(query.get('friends') ?? FRIENDS)
  return Number.isInteger(count) && count >= 0 ? Math.min(count, FRIENDS_MAX) : FRIENDS
}

/** A header field as text: phones write UTF-8, and Node takes each byte for a character. */
function textOf(header: string | string[] | undefined): string | undefined {
  const field = Array.isArray(header) ? header[0] : header
  const bytes = Buffer.from(field ?? '', 'latin1')
  return isUtf8(bytes) ? bytes.toString('utf8') : field
}

function basicUserOf(authorization: string | undefined): string | null {
  const basic = /^Basic +(\S+)$/i.exec(authorization ?? '')?.[1]
  const text = basic === undefined ? '' : Buffer.from(basic, 'base64').toString('utf8')
  return text.split(':')[0] || null
}
