import { createHmac, timingSafeEqual } from 'node:crypto'

/** The version of the link protocol that this server speaks. */
export const LINK_VERSION = 1
/** In the place of a server's name: whoever greets is the `herd` command, not a neighbor. */
export const OPERATOR = '*'
/** Random bytes in a nonce or a run id. */
export const NONCE_BYTES = 16

/** What both sides know once the greeting and the challenge are said; each proof covers all of it. */
export interface Greeting {
  readonly herd: string
  /** Who dialed: a server's name or `OPERATOR`. */
  readonly from: string
  /** Who was dialed. */
  readonly to: string
  /** New at each start of the dialing server, in hex. */
  readonly run: string
  /** The dialing side's nonce, in hex. */
  readonly nonce: string
}

/** The answer to a greeting. */
export interface Challenge {
  /** New at each start of the dialed server, in hex. */
  readonly run: string
  /** The dialed side's nonce, in hex. */
  readonly nonce: string
}

/** `HERD 1 greet …`: the first line of a link, from whoever dialed. */
export function greetLine(greeting: Greeting): string {
  const { herd, from, to, run, nonce } = greeting
  return `HERD ${LINK_VERSION} greet ${herd} ${from} ${to} ${run} ${nonce}\n`
}

/** `HERD 1 challenge …`: the dialed server's answer. */
export function challengeLine(challenge: Challenge): string {
  return `HERD ${LINK_VERSION} challenge ${challenge.run} ${challenge.nonce}\n`
}

/** `HERD 1 proof …`, by which the dialing side proves that it holds the secret. */
export function proofLine(secret: Buffer, greeting: Greeting, challenge: Challenge): string {
  return `HERD ${LINK_VERSION} proof ${prove(secret, 'proof', greeting, challenge)}\n`
}

/** `HERD 1 welcome …`, by which the dialed side proves it too: the link is open. */
export function welcomeLine(secret: Buffer, greeting: Greeting, challenge: Challenge): string {
  return `HERD ${LINK_VERSION} welcome ${prove(secret, 'welcome', greeting, challenge)}\n`
}

/** `HERD 1 refused …`: the last line before the dialed server closes. The reason is for people. */
export function refusedLine(reason: string): string {
  return `HERD ${LINK_VERSION} refused ${reason}\n`
}

/** A line of the handshake, read. */
export type HandshakeLine =
  | { readonly type: 'greet'; readonly greeting: Greeting }
  | { readonly type: 'challenge'; readonly challenge: Challenge }
  | { readonly type: 'proof' | 'welcome'; readonly proof: string }
  | { readonly type: 'refused'; readonly reason: string }
  | { readonly type: 'version'; readonly version: string }
  | { readonly type: 'malformed' }

const HEX = /^[0-9a-f]{32}$/
const PROOF = /^[0-9a-f]{64}$/

/** Reads a line of the handshake; `version` when it is one of a version that we don't speak. */
export function readHandshakeLine(line: string): HandshakeLine {
  const [word, version, type, ...rest] = line.split(/[ \t\r\f\v]+/).filter((field) => field !== '')
  if (word !== 'HERD' || version === undefined || type === undefined) return { type: 'malformed' }
  if (version !== String(LINK_VERSION)) {
    return /^\d{1,9}$/.test(version) ? { type: 'version', version } : { type: 'malformed' }
  }
  if (type === 'refused') return { type, reason: rest.join(' ') }
  if (type === 'greet' && rest.length === 5) return readGreeting(rest)
  const [first = '', second = ''] = rest
  if (type === 'challenge' && rest.length === 2 && HEX.test(first) && HEX.test(second)) {
    return { type, challenge: { run: first, nonce: second } }
  }
  if ((type === 'proof' || type === 'welcome') && rest.length === 1 && PROOF.test(first)) {
    return { type, proof: first }
  }
  return { type: 'malformed' }
}

function readGreeting(fields: readonly string[]): HandshakeLine {
  const [herd = '', from = '', to = '', run = '', nonce = ''] = fields
  if (!HEX.test(run) || !HEX.test(nonce)) return { type: 'malformed' }
  return { type: 'greet', greeting: { herd, from, to, run, nonce } }
}

/** Says whether a proof is the one that only a holder of the secret can give. */
export function proofHolds(
  secret: Buffer,
  role: 'proof' | 'welcome',
  greeting: Greeting,
  challenge: Challenge,
  proof: string,
): boolean {
  const expected = Buffer.from(prove(secret, role, greeting, challenge))
  const given = Buffer.from(proof)
  return given.length === expected.length && timingSafeEqual(given, expected)
}

/**
 * HMAC-SHA-256, keyed by the secret, of everything said so far. The role is part of it, so that neither side can
 * answer with the other's own proof; both nonces are, so that no earlier conversation serves again.
 */
function prove(secret: Buffer, role: 'proof' | 'welcome', greeting: Greeting, challenge: Challenge): string {
  const { herd, from, to, run, nonce } = greeting
  const said = ['herd link', LINK_VERSION, role, herd, from, to, run, nonce, challenge.run, challenge.nonce]
  return createHmac('sha256', secret).update(said.join('\n')).digest('hex')
}
