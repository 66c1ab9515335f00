/** A reply as an object, for programs. Pure. */
import type { Reply } from './reply-splitter.ts'

/** The fields of an AT line, all as text: no digit is lost. */
export interface AtFields {
  readonly server: string
  readonly skew: string
  readonly client: string
  readonly position: string
  readonly time: string
}

/** What --json prints for one reply. */
export interface ReplyObject {
  readonly ok: boolean
  /** The reply's text without its last line ends. */
  readonly reply: string
  readonly at?: AtFields
  /** The body that follows the AT line of a WHATSAT; null when it isn't JSON. */
  readonly places?: unknown
  /** The AT lines of a WHOSAT. */
  readonly nearby?: readonly AtFields[]
}

/** Takes a reply apart. */
export function replyObject({ kind, bytes, ok }: Reply): ReplyObject {
  const reply = bytes.toString('utf8').replace(/\n+$/, '')
  if (!ok) return { ok, reply }
  const [first = '', ...rest] = reply.split('\n')
  if (kind === 'nearby')
    return { ok, reply, nearby: [first, ...rest].flatMap((line) => atFields(line) ?? []) }
  const at = atFields(first)
  const fields = at === undefined ? {} : { at }
  return kind === 'places'
    ? { ok, reply, ...fields, places: parsed(rest.join('\n')) }
    : { ok, reply, ...fields }
}

function atFields(line: string): AtFields | undefined {
  const [word, server, skew, client, position, time] = line.split(' ')
  if (word !== 'AT' || server === undefined || skew === undefined || client === undefined) return undefined
  return position === undefined || time === undefined ? undefined : { server, skew, client, position, time }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null // the text itself is in `reply`
  }
}
