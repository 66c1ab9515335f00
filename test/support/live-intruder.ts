/** Somebody who talks to a server as if they were its neighbor, by hand. */
import { randomBytes } from 'node:crypto'
import type { TestContext } from 'node:test'
import type { Channel } from '../../src/replication/greet.ts'
import {
  type Challenge,
  type Greeting,
  greetLine,
  NONCE_BYTES,
  proofLine,
  readHandshakeLine,
  type Transcript,
  VERSIONS,
} from '../../src/replication/handshake.ts'
import { makeLinkKeys } from '../../src/replication/link-keys.ts'
import { type LinkEncryption, LinkSecurity } from '../../src/replication/link-security.ts'
import { realSystem } from '../../src/system.ts'
import { LineClient } from './live-client.ts'
import type { LiveHerd } from './live-herd.ts'

const TLS_MS_MAX = 10_000

/** A greeting with fresh random parts, and whatever else is given. */
export function greetingOf(parts: Pick<Greeting, 'herd' | 'from' | 'to'> & Partial<Greeting>): Greeting {
  const [run, nonce] = [randomBytes(NONCE_BYTES).toString('hex'), randomBytes(NONCE_BYTES).toString('hex')]
  const clock = { seconds: 0, nanoseconds: 0 }
  realSystem.readClock(clock)
  return { run, nonce, versions: VERSIONS, clock, forgetAfterSeconds: Number.POSITIVE_INFINITY, ...parts }
}

/** A challenge that came, and all that a proof covers. */
export interface Challenged {
  readonly challenge: Challenge
  readonly transcript: Transcript
}

/** Greets and reads the challenge; `undefined` when the answer is anything else. @param more further fields. */
export async function greetByHand(
  client: LineClient,
  greeting: Greeting,
  binding: Buffer = Buffer.alloc(0),
  more = '',
): Promise<Challenged | undefined> {
  const greet = greetLine(greeting) + more
  await client.send(`${greet}\n`)
  const challenge = await client.line()
  const answer = readHandshakeLine(challenge)
  if (answer.type !== 'challenge') return undefined
  return { challenge: answer.challenge, transcript: { greet, challenge, binding } }
}

/** Greets, proves the secret given, and returns the server's last line of the handshake. */
export async function handshakeByHand(
  client: LineClient,
  greeting: Greeting,
  secret: string,
  binding?: Buffer,
): Promise<string> {
  const challenged = await greetByHand(client, greeting, binding)
  if (challenged === undefined) return 'no challenge'
  const [key] = makeLinkKeys([Buffer.from(secret)], greeting.herd)
  await client.send(`${proofLine(key, 'proof', challenged.transcript)}\n`)
  return client.line()
}

/** What somebody says of themselves to TLS. */
export interface TlsCaller {
  readonly from: string
  readonly herd?: string
  readonly secret?: string
  readonly encryption?: LinkEncryption
  /** The server that they believe to talk with. */
  readonly to?: string
}

/** Connects to a server with TLS; nothing is said in it yet. Fails with the reason when there is no TLS. */
export async function connectTls(
  t: TestContext,
  herd: LiveHerd,
  port: number,
  caller: TlsCaller,
): Promise<{ readonly client: LineClient; readonly channel: Channel }> {
  const { from, herd: name = herd.name, secret = herd.secret, encryption = { mode: 'psk' }, to } = caller
  const raw = await LineClient.connect(t, { port, deaf: true })
  const security = new LinkSecurity(encryption, name, from, makeLinkKeys([Buffer.from(secret)], name))
  const secured = await security.dial(raw.socket, to ?? 'Alford', TLS_MS_MAX)
  if (secured.outcome !== 'secure') throw new Error(secured.reason)
  return { client: LineClient.over(secured.channel.socket), channel: secured.channel }
}
