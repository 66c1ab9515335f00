import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { LineFramer } from '../protocol/index.ts'
import { realSystem } from '../system.ts'
import { plainAddress, writeAddress } from './addresses.ts'
import { connected, secureAndGreet } from './dial.ts'
import type { Identity } from './greet.ts'
import { LINK_VERSION, NONCE_BYTES, OPERATOR } from './handshake.ts'
import { makeLinkKeys } from './link-keys.ts'
import { type LinkEncryption, LinkSecurity } from './link-security.ts'
import type { HerdStatus, ServerStatus } from './status.ts'

/** A server could not be asked for its status, or told to do something. The message says why, and is for people. */
export class StatusUnavailable extends Error {
  override readonly name = 'StatusUnavailable'
}

/** Whom to ask, and what proves that we may. */
export interface StatusTarget {
  readonly host: string
  readonly port: number
  /** `OPERATOR`, `*`, where it isn't known who answers there. */
  readonly name: string
  readonly herd: string
  readonly secret: Buffer
  /** How its links are encrypted; `psk` if nothing is said. */
  readonly encryption?: LinkEncryption
  readonly timeoutMs: number
}

/** What a server says of its herd, and by which of our addresses it was asked. */
export interface HerdAnswer extends HerdStatus {
  readonly localAddress: string
}

const ANSWER_BYTES_MAX = 64 * 1024 * 1024
const HANDSHAKE_LINE_BYTES_MAX = 1024

/**
 * Asks a server how it is, over its one port: greets it as an operator, which takes the herd's secret.
 *
 * @throws {StatusUnavailable}
 */
export async function askStatus(target: StatusTarget): Promise<ServerStatus> {
  const { text } = await ask(target, 'status', 'status')
  return JSON.parse(text) as ServerStatus
}

/** Asks a server who is in its herd. @throws {StatusUnavailable} */
export async function askHerd(target: StatusTarget): Promise<HerdAnswer> {
  const { text, localAddress } = await ask(target, 'members', 'members')
  return { ...(JSON.parse(text) as HerdStatus), localAddress }
}

/** Tells a server to leave its herd; resolves when all that it owed was handed on. @throws {StatusUnavailable} */
export async function askToLeave(target: StatusTarget): Promise<void> {
  await ask(target, 'leave', 'left')
}

/**
 * Lets a server say, in the place of a member that is gone for good, that it has left.
 *
 * @returns `false` when the member is reached from there, or not known. @throws {StatusUnavailable}
 */
export async function askToGiveUp(target: StatusTarget, member: string): Promise<boolean> {
  const { text } = await ask(target, `gone ${member}`, 'gone')
  return text === member
}

/** Says one line, and reads the line that answers it. @param answer its word; what is behind it is returned. */
async function ask(
  target: StatusTarget,
  words: string,
  answer: string,
): Promise<{ readonly text: string; readonly localAddress: string }> {
  const { host, port, name, herd, secret, encryption = { mode: 'psk' }, timeoutMs } = target
  const signal = AbortSignal.timeout(timeoutMs)
  const raw = connect({ host, port, noDelay: true })
  signal.addEventListener('abort', () => raw.destroy(new Error(`no answer within ${timeoutMs} ms`)))
  try {
    const trouble = await connected(raw, timeoutMs)
    if (trouble !== null) throw new Error(trouble)
    const localAddress = plainAddress(raw.localAddress ?? '')
    const { randomBytes, readClock } = realSystem
    const run = randomBytes(NONCE_BYTES).toString('hex')
    const keys = makeLinkKeys([secret], herd)
    const identity: Identity = {
      ...{ herd, name: OPERATOR, run, keys, randomBytes, readClock },
      forgetAfterSeconds: Number.POSITIVE_INFINITY,
    }
    const limits = { handshakeLineBytesMax: HANDSHAKE_LINE_BYTES_MAX, handshakeMsMax: timeoutMs }
    const security = new LinkSecurity(encryption, herd, OPERATOR, keys)
    const { socket, greeted } = await secureAndGreet(raw, security, identity, name, limits)
    if (greeted.outcome !== 'open') throw new Error(greeted.reason)
    socket.write(`HERD ${LINK_VERSION} ${words}\n`)
    return { text: await readAnswer(socket, greeted.rest, answer), localAddress }
  } catch (error) {
    const late = signal.aborted ? `no answer within ${timeoutMs} ms` : undefined
    const why = late ?? (error instanceof Error ? error.message : String(error))
    const who = name === OPERATOR ? 'the server' : name
    throw new StatusUnavailable(`${who} at ${writeAddress({ host, port })} doesn't say how it is: ${why}`, {
      cause: error,
    })
  } finally {
    raw.destroy()
  }
}

async function readAnswer(socket: Socket, rest: Buffer, word: string): Promise<string> {
  const framer = new LineFramer(ANSWER_BYTES_MAX)
  const prefix = `HERD ${LINK_VERSION} ${word}`
  framer.push(rest)
  socket.resume()
  for (;;) {
    const framed = framer.next()
    if (framed === 'line') {
      const line = framer.buffer.toString('utf8', framer.start, framer.end)
      if (line === prefix || line.startsWith(`${prefix} `)) return line.slice(prefix.length + 1)
      continue
    }
    if (framed === 'too-long') throw new Error('its answer is too long')
    const [chunk] = (await Promise.race([once(socket, 'data'), once(socket, 'close').then(() => [])])) as [
      Buffer?,
    ]
    if (chunk === undefined) throw new Error('it closed the connection')
    framer.push(chunk)
  }
}
