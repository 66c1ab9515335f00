import { createHmac, timingSafeEqual } from 'node:crypto'
import { formatTime, type Nanotime, readTime } from '../protocol/index.ts'
import { type ListenAddress, readAddress, writeAddress } from './addresses.ts'
import type { LinkKey, LinkKeys } from './link-keys.ts'

/** The version of the greeting, and the link protocol that this server prefers. */
export const LINK_VERSION = 2
/** In the place of a server's name: whoever greets is the `herd` command, not a neighbor. */
export const OPERATOR = '*'
/** Random bytes in a nonce or a run id. */
export const NONCE_BYTES = 16

/** Versions of the link protocol that a server speaks, from the first to the last. */
export interface VersionRange {
  readonly min: number
  readonly max: number
}

/** What this server speaks. */
export const VERSIONS: VersionRange = { min: LINK_VERSION, max: LINK_VERSION }

/** What either side says of itself first. */
interface Introduction {
  /** New at each start of the server, in hex. */
  readonly run: string
  /** New at each greeting, in hex. */
  readonly nonce: string
  readonly versions: VersionRange
  /** The wall clock at the time of saying so. */
  readonly clock: Nanotime
  /** After how many seconds fixes are forgotten there; infinity: never. */
  readonly forgetAfterSeconds: number
}

/** The greeting of the dialing side. */
export interface Greeting extends Introduction {
  readonly herd: string
  /** Who dialed: a server's name or `OPERATOR`. */
  readonly from: string
  /** Who was dialed; an operator that doesn't know the name says `OPERATOR` here too. */
  readonly to: string
  /** Where the dialing server listens, if it says so. */
  readonly at?: ListenAddress
}

/** The answer to a greeting. */
export interface Challenge extends Introduction {}

/** What both sides have said and are on: each proof covers all of it, byte by byte. */
export interface Transcript {
  /** The greeting's line as it was sent, without its line end. */
  readonly greet: string
  /** The challenge's line as it was sent, without its line end. */
  readonly challenge: string
  /** What both ends of one TLS connection know and nobody else; empty without TLS. */
  readonly binding: Buffer
}

/** Who proves: the dialing side or the dialed one. */
export type ProofRole = 'proof' | 'welcome'

/** `HERD 2 greet …`, without its line end: the first line of a link, from whoever dialed. */
export function greetLine(greeting: Greeting): string {
  const { herd, from, to, at } = greeting
  const where = at === undefined ? '' : ` ${AT}${writeAddress(at)}`
  return `HERD ${LINK_VERSION} greet ${herd} ${from} ${to} ${introductionText(greeting)}${where}`
}

/** `HERD 2 challenge …`, without its line end: the dialed server's answer. */
export function challengeLine(challenge: Challenge): string {
  return `HERD ${LINK_VERSION} challenge ${introductionText(challenge)}`
}

/** `HERD 2 proof …` or `HERD 2 welcome …`, without its line end: this side holds the secret. */
export function proofLine(key: LinkKey, role: ProofRole, transcript: Transcript): string {
  return `HERD ${LINK_VERSION} ${role} ${prove(key, role, transcript)}`
}

/** `HERD 2 refused …`, without its line end: the last line before the dialed server closes. The reason is for people. */
export function refusedLine(reason: string): string {
  return `HERD ${LINK_VERSION} refused ${reason}`
}

/** A range as the greeting has it: `2-3`. */
export function versionsText({ min, max }: VersionRange): string {
  return `${min}-${max}`
}

/** `forgetAfter` as the greeting has it: whole seconds, or `never`. */
export function forgetAfterText(seconds: number): string {
  return seconds === Number.POSITIVE_INFINITY ? 'never' : String(seconds)
}

/** The highest version that both speak, or `null`. */
export function commonVersion(ours: VersionRange, theirs: VersionRange): number | null {
  const highest = Math.min(ours.max, theirs.max)
  return highest >= Math.max(ours.min, theirs.min) ? highest : null
}

/** A line of the handshake, read. */
export type HandshakeLine =
  | { readonly type: 'greet'; readonly greeting: Greeting }
  | { readonly type: 'challenge'; readonly challenge: Challenge }
  | { readonly type: ProofRole; readonly proof: string }
  | { readonly type: 'refused'; readonly reason: string }
  | { readonly type: 'version'; readonly version: string }
  | { readonly type: 'malformed' }

const MALFORMED: HandshakeLine = { type: 'malformed' }
const HEX = /^[0-9a-f]{32}$/
const PROOF = /^[0-9a-f]{64}$/
const RANGE = /^([1-9]\d{0,8})-([1-9]\d{0,8})$/
const SECONDS = /^\d{1,12}$/
const FORGET_AFTER = 'forgetAfter='
const AT = 'at='

/**
 * Reads a line of the handshake; `version` when it is one of a greeting that we don't speak.
 *
 * @param line one character a byte (Latin-1), without its LF.
 */
export function readHandshakeLine(line: string): HandshakeLine {
  const [word, version, type, ...rest] = line.split(/[ \t\r\f\v]+/).filter((field) => field !== '')
  if (word !== 'HERD' || version === undefined || type === undefined) return MALFORMED
  if (version !== String(LINK_VERSION)) {
    return /^\d{1,9}$/.test(version) ? { type: 'version', version } : MALFORMED
  }
  const [first = '', second = '', third = ''] = rest
  switch (type) {
    case 'refused':
      return { type, reason: rest.join(' ') }
    case 'greet': {
      const introduction = readIntroduction(rest.slice(3))
      const at = readAt(rest.slice(3))
      if (introduction === null || at === null) return MALFORMED
      const greeting = { herd: first, from: second, to: third, ...introduction }
      return { type, greeting: at === undefined ? greeting : { ...greeting, at } }
    }
    case 'challenge': {
      const challenge = readIntroduction(rest)
      return challenge === null ? MALFORMED : { type, challenge }
    }
    case 'proof':
    case 'welcome':
      return rest.length === 1 && PROOF.test(first) ? { type, proof: first } : MALFORMED
    default:
      return MALFORMED
  }
}

/** The key among ours that a proof was made with, or `null`: only a holder of its secret can have made it. */
export function keyOfProof(
  keys: LinkKeys,
  role: ProofRole,
  transcript: Transcript,
  proof: string,
): LinkKey | null {
  const given = Buffer.from(proof)
  const holds = (key: LinkKey): boolean => {
    const expected = Buffer.from(prove(key, role, transcript))
    return given.length === expected.length && timingSafeEqual(given, expected)
  }
  return keys.find(holds) ?? null
}

function introductionText(introduction: Introduction): string {
  const { run, nonce, versions, clock, forgetAfterSeconds } = introduction
  const forgetAfter = `${FORGET_AFTER}${forgetAfterText(forgetAfterSeconds)}`
  return `${run} ${nonce} ${versionsText(versions)} ${formatTime(clock)} ${forgetAfter}`
}

/** Run, nonce, versions and clock by their place; then fields by their name, of which later versions have more. */
function readIntroduction(fields: readonly string[]): Introduction | null {
  const [run = '', nonce = '', range = '', time = '', ...named] = fields
  const versions = readRange(range)
  const clock = readClock(time)
  const forgetAfterSeconds = readForgetAfter(named)
  if (!HEX.test(run) || !HEX.test(nonce)) return null
  if (versions === null || clock === null || forgetAfterSeconds === null) return null
  return { run, nonce, versions, clock, forgetAfterSeconds }
}

function readRange(text: string): VersionRange | null {
  const [, min, max] = RANGE.exec(text) ?? []
  const range = { min: Number(min), max: Number(max) }
  return range.min <= range.max ? range : null
}

function readClock(text: string): Nanotime | null {
  const clock = { seconds: 0, nanoseconds: 0 }
  const bytes = Buffer.from(text, 'latin1')
  return readTime(bytes, 0, bytes.length, clock) === bytes.length ? clock : null
}

/** Whoever says nothing of it forgets nothing. */
function readForgetAfter(named: readonly string[]): number | null {
  const text = named.find((field) => field.startsWith(FORGET_AFTER))?.slice(FORGET_AFTER.length) ?? 'never'
  if (text === 'never') return Number.POSITIVE_INFINITY
  return SECONDS.test(text) ? Number(text) : null
}

/** `undefined`: nothing is said of it. `null`: it can't be read. */
function readAt(fields: readonly string[]): ListenAddress | null | undefined {
  const text = fields.find((field) => field.startsWith(AT))
  return text === undefined ? undefined : readAddress(text.slice(AT.length))
}

/**
 * HMAC-SHA-256 of everything said so far, in hex. The role is part of it, so that neither side can answer with the
 * other's own proof; both nonces are, so that no earlier conversation serves again; the TLS connection is, so that
 * nobody can stand between two.
 */
function prove(key: LinkKey, role: ProofRole, { greet, challenge, binding }: Transcript): string {
  const said = ['herd link', LINK_VERSION, role, greet, challenge, binding.toString('hex')]
  return createHmac('sha256', key.proof).update(said.join('\n'), 'latin1').digest('hex')
}
