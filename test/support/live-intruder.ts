/** Somebody who talks to a server as if they were its neighbor, by hand. */
import { randomBytes } from 'node:crypto'
import {
  type Challenge,
  type Greeting,
  greetLine,
  NONCE_BYTES,
  proofLine,
  readHandshakeLine,
} from '../../src/replication/handshake.ts'
import type { LineClient } from './live-client.ts'

/** A greeting with fresh random parts, and whatever else is given. */
export function greetingOf(parts: Pick<Greeting, 'herd' | 'from' | 'to'> & Partial<Greeting>): Greeting {
  const [run, nonce] = [randomBytes(NONCE_BYTES).toString('hex'), randomBytes(NONCE_BYTES).toString('hex')]
  return { run, nonce, ...parts }
}

/** Greets and reads the challenge; `undefined` when the answer is anything else. */
export async function greetByHand(client: LineClient, greeting: Greeting): Promise<Challenge | undefined> {
  await client.send(greetLine(greeting))
  const answer = readHandshakeLine(await client.line())
  return answer.type === 'challenge' ? answer.challenge : undefined
}

/** Greets, proves the secret given, and returns the server's last line of the handshake. */
export async function handshakeByHand(
  client: LineClient,
  greeting: Greeting,
  secret: string,
): Promise<string> {
  const challenge = await greetByHand(client, greeting)
  if (challenge === undefined) return 'no challenge'
  await client.send(proofLine(Buffer.from(secret), greeting, challenge))
  return client.line()
}
