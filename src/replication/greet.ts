import type { Socket } from 'node:net'
import type { Nanotime } from '../protocol/index.ts'
import type { ListenAddress } from './addresses.ts'
import { clockOffsetMs } from './clock-offset.ts'
import {
  type Challenge,
  challengeLine,
  commonVersion,
  forgetAfterText,
  type Greeting,
  greetLine,
  keyOfProof,
  NONCE_BYTES,
  OPERATOR,
  proofLine,
  readHandshakeLine,
  refusedLine,
  VERSIONS,
  type VersionRange,
  versionsText,
} from './handshake.ts'
import { HandshakeSocket } from './handshake-socket.ts'
import type { LinkKeys } from './link-keys.ts'

/** Who this server is, as its greetings say it. */
export interface Identity {
  readonly herd: string
  readonly name: string
  /** New at each start, in hex. */
  readonly run: string
  readonly keys: LinkKeys
  /** After how many seconds fixes are forgotten here; infinity: never. */
  readonly forgetAfterSeconds: number
  /** Where this server listens; an operator doesn't. */
  readonly at?: ListenAddress
  readonly randomBytes: (bytes: number) => Buffer
  readonly readClock: (time: Nanotime) => void
}

/** Bounds of a conversation before it is authenticated. */
export interface GreetLimits {
  readonly handshakeLineBytesMax: number
  readonly handshakeMsMax: number
}

/** What is left of the time for a greeting when some of it went into TLS. */
export function limitsLeft(limits: GreetLimits, spentMs: number): GreetLimits {
  const { handshakeLineBytesMax, handshakeMsMax } = limits
  return { handshakeLineBytesMax, handshakeMsMax: Math.max(1, handshakeMsMax - spentMs) }
}

/** A connection that two sides can greet each other on, encrypted or not. */
export interface Channel {
  readonly socket: Socket
  /** What both ends of this one TLS connection know and nobody else; empty without TLS. */
  readonly binding: Buffer
  /** Says why the other end can't be the one of this name, by what it proved to TLS; `null` if it can. */
  readonly objection: (name: string) => string | null
}

/** Says why a peer that has proved the secret is still not welcome, or `null` if it is. @param at where it listens. */
export type Admit = (peer: string, peerRun: string, at: ListenAddress | undefined) => string | null

/** How a greeting ended; it never throws. When it is `open`, both sides have proved that they hold the secret. */
export type Greeted =
  | {
      readonly outcome: 'open'
      readonly peer: string
      readonly peerRun: string
      /** The version of the link protocol that both speak. */
      readonly version: number
      /** How far the peer's clock is ahead of ours, in milliseconds. */
      readonly clockOffsetMs: number
      /** Where the peer that dialed says that it listens. */
      readonly at?: ListenAddress
      readonly rest: Buffer
    }
  | { readonly outcome: 'refused' | 'lost'; readonly reason: string }

/** Greets the server `to` on a connection that we dialed. The socket is left paused when the outcome is `open`. */
export async function greet(
  channel: Channel,
  identity: Identity,
  to: string,
  limits: GreetLimits,
): Promise<Greeted> {
  const conversation = new HandshakeSocket(channel.socket, limits, Buffer.alloc(0))
  const { herd, name, keys, at } = identity
  const greeting: Greeting = { herd, from: name, to, ...introduction(identity), ...(at && { at }) }
  const said = greetLine(greeting)
  conversation.writeLine(said)
  const { line, answer } = await readAnswer(conversation, 'challenge')
  if (answer.type !== 'challenge') return lose(conversation, answer)
  const heard = readClock(identity)
  const { challenge } = answer
  const version = commonVersion(VERSIONS, challenge.versions)
  if (version === null) return give(conversation, noVersion(challenge.versions))
  const transcript = { greet: said, challenge: line, binding: channel.binding }
  conversation.writeLine(proofLine(keys[0], 'proof', transcript))
  const { answer: welcomed } = await readAnswer(conversation, 'welcome')
  if (welcomed.type !== 'welcome') return lose(conversation, welcomed)
  if (keyOfProof([keys[0]], 'welcome', transcript, welcomed.proof) === null) {
    return give(conversation, `${to} does not hold the secret of herd ${herd}`)
  }
  const difference = name === OPERATOR ? null : forgettingDiffers(identity, challenge)
  if (difference !== null) return give(conversation, difference)
  const clockOffset = clockOffsetMs(challenge.clock, greeting.clock, heard)
  const rest = conversation.release()
  return { outcome: 'open', peer: to, peerRun: challenge.run, version, clockOffsetMs: clockOffset, rest }
}

/** Reads a greeting as the first line of a connection, and answers it as `answerGreeting` does. */
export async function awaitGreeting(
  channel: Channel,
  identity: Identity,
  limits: GreetLimits,
  admit: Admit,
): Promise<Greeted> {
  const conversation = new HandshakeSocket(channel.socket, limits, Buffer.alloc(0))
  const { line, answer } = await readAnswer(conversation, 'greet')
  if (answer.type === 'version') return refuse(conversation, wrongGreeting())
  if (answer.type !== 'greet') return lose(conversation, answer)
  return answerIn(conversation, channel, { line, greeting: answer.greeting }, identity, admit)
}

/** A greeting, with its line as it came, without its LF. */
export interface HeardGreeting {
  readonly line: string
  readonly greeting: Greeting
}

/**
 * Answers a greeting on a connection that was accepted.
 *
 * @param heard what the first line said. @param rest bytes that came behind it.
 * @param admit says why a peer that has proved the secret is still not welcome, or `null` if it is; called once,
 *   right before the welcome goes out.
 */
export function answerGreeting(
  channel: Channel,
  heard: HeardGreeting,
  rest: Buffer,
  identity: Identity,
  limits: GreetLimits,
  admit: Admit,
): Promise<Greeted> {
  return answerIn(new HandshakeSocket(channel.socket, limits, rest), channel, heard, identity, admit)
}

/** Refuses whoever greets in a version of the greeting that we don't speak. @returns what was said. */
export function wrongGreeting(): string {
  return `this server speaks versions ${versionsText(VERSIONS)} of the link protocol`
}

async function answerIn(
  conversation: HandshakeSocket,
  channel: Channel,
  { line: said, greeting }: HeardGreeting,
  identity: Identity,
  admit: Admit,
): Promise<Greeted> {
  const { herd, name, keys } = identity
  const heard = readClock(identity)
  if (greeting.herd !== herd) return refuse(conversation, `this is herd ${herd}`)
  const isOperator = greeting.from === OPERATOR
  // An operator may not know yet whom it asks.
  const isMeant = greeting.to === name || (isOperator && greeting.to === OPERATOR)
  if (!isMeant) return refuse(conversation, `this is ${name}`)
  const version = commonVersion(VERSIONS, greeting.versions)
  if (version === null) return refuse(conversation, noVersion(greeting.versions))
  const unproved = channel.objection(greeting.from)
  if (unproved !== null) return refuse(conversation, unproved)
  const challenge: Challenge = introduction(identity)
  const answered = challengeLine(challenge)
  conversation.writeLine(answered)
  const { answer: proved } = await readAnswer(conversation, 'proof')
  if (proved.type !== 'proof') return lose(conversation, proved)
  const roundTripMs = clockOffsetMs(readClock(identity), challenge.clock, challenge.clock)
  const transcript = { greet: said, challenge: answered, binding: channel.binding }
  const key = keyOfProof(keys, 'proof', transcript, proved.proof)
  if (key === null) return refuse(conversation, `that is not the secret of herd ${herd}`)
  const { from: peer, run: peerRun, at } = greeting
  const objection = isOperator ? null : (forgettingDiffers(identity, greeting) ?? admit(peer, peerRun, at))
  if (objection !== null) return refuse(conversation, objection)
  // Whoever dialed proved one secret of two; it is answered with the same.
  conversation.writeLine(proofLine(key, 'welcome', transcript))
  // What it said took half a round trip to come here.
  const clockOffset = clockOffsetMs(greeting.clock, heard, heard) + roundTripMs / 2
  const rest = conversation.release()
  const opened = { outcome: 'open', peer, peerRun, version, clockOffsetMs: clockOffset, rest } as const
  return at === undefined ? opened : { ...opened, at }
}

function introduction({ run, randomBytes, forgetAfterSeconds, ...identity }: Identity): Challenge {
  const nonce = randomBytes(NONCE_BYTES).toString('hex')
  return { run, nonce, versions: VERSIONS, clock: readClock(identity), forgetAfterSeconds }
}

function readClock({ readClock: read }: Pick<Identity, 'readClock'>): Nanotime {
  const time = { seconds: 0, nanoseconds: 0 }
  read(time)
  return time
}

function noVersion(theirs: VersionRange): string {
  const [one, other] = [versionsText(VERSIONS), versionsText(theirs)]
  return `no version of the link protocol is common to both: this server speaks ${one}, the other ${other}`
}

/** Servers that forget at different times would give different answers for good. */
function forgettingDiffers(
  ours: { readonly forgetAfterSeconds: number },
  theirs: { readonly forgetAfterSeconds: number },
): string | null {
  if (ours.forgetAfterSeconds === theirs.forgetAfterSeconds) return null
  const [one, other] = [forgetAfterText(ours.forgetAfterSeconds), forgetAfterText(theirs.forgetAfterSeconds)]
  return `forgetAfter must be the same in a herd: this server has ${one}, the other ${other} (seconds)`
}

type Answer = ReturnType<typeof readHandshakeLine> | { readonly type: 'none' }

async function readAnswer(
  conversation: HandshakeSocket,
  wanted: Answer['type'],
): Promise<{ readonly line: string; readonly answer: Answer }> {
  const line = await conversation.readLine()
  if (line === null) return { line: '', answer: { type: 'none' } }
  const answer = readHandshakeLine(line)
  const isHeeded = answer.type === wanted || answer.type === 'refused' || answer.type === 'version'
  return { line, answer: isHeeded ? answer : { type: 'malformed' } }
}

function lose(conversation: HandshakeSocket, answer: Answer): Greeted {
  if (answer.type === 'refused') return give(conversation, answer.reason)
  if (answer.type === 'version') {
    const ours = versionsText(VERSIONS)
    return give(conversation, `it speaks version ${answer.version} of the link protocol, we ${ours}`)
  }
  conversation.close()
  const silent = answer.type === 'none'
  const reason = silent
    ? 'it closed, or took too long, in the greeting'
    : 'it said something else than a greeting'
  return { outcome: 'lost', reason }
}

/** Ends a greeting that one of both sides doesn't want, without a word. */
function give(conversation: HandshakeSocket, reason: string): Greeted {
  conversation.close()
  return { outcome: 'refused', reason }
}

function refuse(conversation: HandshakeSocket, reason: string): Greeted {
  conversation.close(refusedLine(reason))
  return { outcome: 'refused', reason }
}
