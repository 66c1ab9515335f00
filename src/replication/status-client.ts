import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { LineFramer } from '../protocol/index.ts'
import { realSystem } from '../system.ts'
import { connected, secureAndGreet } from './dial.ts'
import type { Identity } from './greet.ts'
import { LINK_VERSION, NONCE_BYTES, OPERATOR } from './handshake.ts'
import { makeLinkKeys } from './link-keys.ts'
import { type LinkEncryption, LinkSecurity } from './link-security.ts'
import type { ServerStatus } from './status.ts'

/** A server could not be asked for its status. The message says why, and is for people. */
export class StatusUnavailable extends Error {
  override readonly name = 'StatusUnavailable'
}

/** Whom to ask, and what proves that we may. */
export interface StatusTarget {
  readonly host: string
  readonly port: number
  readonly name: string
  readonly herd: string
  readonly secret: Buffer
  /** How its links are encrypted; `psk` if nothing is said. */
  readonly encryption?: LinkEncryption
  readonly timeoutMs: number
}

const STATUS_BYTES_MAX = 1024 * 1024
const HANDSHAKE_LINE_BYTES_MAX = 1024

/**
 * Asks a server how it is, over its one port: greets it as an operator, which takes the herd's secret.
 *
 * @throws {StatusUnavailable}
 */
export async function askStatus(target: StatusTarget): Promise<ServerStatus> {
  const { host, port, name, herd, secret, encryption = { mode: 'psk' }, timeoutMs } = target
  const signal = AbortSignal.timeout(timeoutMs)
  const raw = connect({ host, port, noDelay: true })
  signal.addEventListener('abort', () => raw.destroy(new Error(`no answer within ${timeoutMs} ms`)))
  try {
    const trouble = await connected(raw, timeoutMs)
    if (trouble !== null) throw new Error(trouble)
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
    socket.write(`HERD ${LINK_VERSION} status\n`)
    return JSON.parse(await readStatusLine(socket, greeted.rest)) as ServerStatus
  } catch (error) {
    const late = signal.aborted ? `no answer within ${timeoutMs} ms` : undefined
    const why = late ?? (error instanceof Error ? error.message : String(error))
    throw new StatusUnavailable(`${name} at ${host}:${port} doesn't say how it is: ${why}`, { cause: error })
  } finally {
    raw.destroy()
  }
}

async function readStatusLine(socket: Socket, rest: Buffer): Promise<string> {
  const framer = new LineFramer(STATUS_BYTES_MAX)
  const prefix = `HERD ${LINK_VERSION} status `
  framer.push(rest)
  socket.resume()
  for (;;) {
    const framed = framer.next()
    if (framed === 'line') {
      const line = framer.buffer.toString('utf8', framer.start, framer.end)
      if (line.startsWith(prefix)) return line.slice(prefix.length)
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
