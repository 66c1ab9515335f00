/** Which client a phone is, by what its request says. */
import { IS_WHITE } from '../../protocol/index.ts'
import { CallRefused } from '../calls/call-refused.ts'
import { CLIENT_BYTES_MAX } from '../calls/report.ts'
import { clientOfTopic, type OwnTracksMembers } from './location.ts'

/** Where a request may say whose it is; what is empty isn't said. */
export interface PhoneNames {
  readonly user?: string | null | undefined
  readonly device?: string | null | undefined
}

/**
 * The client of a phone, `user/device`: each of both by the first that says it.
 *
 * @param sources from the path, the headers, the query; behind these comes the topic that the body says. @param members the
 *   body. @param basicUser the user of Basic authentication, the last to be asked; `null`: there is none.
 * @throws {CallRefused} when nobody says it, or it can be no client; settings of the phone can mend both.
 */
export function clientOf(
  sources: readonly PhoneNames[],
  members: OwnTracksMembers,
  basicUser: string | null,
): string {
  const topic = members.get('topic')
  const [topicUser, topicDevice] = (typeof topic === 'string' ? clientOfTopic(topic) : null)?.split('/') ?? []
  const tid = members.get('tid')
  const user = first(...sources.map(({ user }) => user), topicUser, basicUser)
  // Apps without a name for the device have these two characters all the same.
  const device = first(
    ...sources.map(({ device }) => device),
    topicDevice,
    typeof tid === 'string' ? tid : null,
  )
  if (user === undefined || device === undefined) {
    const missing = user === undefined ? 'user (Username, UserID)' : 'device (Device ID)'
    throw invalid(`the phone doesn't say its ${missing}: in its settings, or as ?u=jane&d=phone in the URL`)
  }
  for (const name of [user, device]) {
    if (Buffer.from(name).some((byte) => IS_WHITE[byte] === 1) || /[/+#]/.test(name)) {
      throw invalid(`${JSON.stringify(name)} can be no user or device here: no white space and none of / + #`)
    }
  }
  const client = `${user}/${device}`
  if (Buffer.byteLength(client) > CLIENT_BYTES_MAX) {
    throw invalid(`user and device are too long: together they may have ${CLIENT_BYTES_MAX - 1} bytes`)
  }
  return client
}

function first(...names: readonly (string | null | undefined)[]): string | undefined {
  return names.find((name) => typeof name === 'string' && name !== '') ?? undefined
}

function invalid(message: string): CallRefused {
  return new CallRefused('invalid', message)
}
