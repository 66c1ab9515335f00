import type { Socket } from 'node:net'
import {
  type Challenge,
  challengeLine,
  type Greeting,
  greetLine,
  LINK_VERSION,
  NONCE_BYTES,
  OPERATOR,
  proofHolds,
  proofLine,
  readHandshakeLine,
  refusedLine,
  welcomeLine,
} from './handshake.ts'
import { HandshakeSocket } from './handshake-socket.ts'

/** Who this server is, as its greetings say it. */
export interface Identity {
  readonly herd: string
  readonly name: string
  /** New at each start, in hex. */
  readonly run: string
  readonly secret: Buffer
  readonly randomBytes: (bytes: number) => Buffer
}

/** Bounds of a conversation before it is authenticated. */
export interface GreetLimits {
  readonly handshakeLineBytesMax: number
  readonly handshakeMsMax: number
}

/** How a greeting ended; it never throws. When it is `open`, both sides have proved that they hold the secret. */
export type Greeted =
  | { readonly outcome: 'open'; readonly peer: string; readonly peerRun: string; readonly rest: Buffer }
  | { readonly outcome: 'refused'; readonly reason: string }
  | { readonly outcome: 'lost'; readonly reason: string }

/** Greets the server `to` on a socket that we dialed. The socket is left paused when the outcome is `open`. */
export async function greet(
  socket: Socket,
  identity: Omit<Identity, 'run'> & { readonly run: string },
  to: string,
  limits: GreetLimits,
): Promise<Greeted> {
  const conversation = new HandshakeSocket(socket, limits, Buffer.alloc(0))
  const { herd, name, run, secret } = identity
  const nonce = identity.randomBytes(NONCE_BYTES).toString('hex')
  const greeting: Greeting = { herd, from: name, to, run, nonce }
  conversation.write(greetLine(greeting))
  const challenged = await readAnswer(conversation, 'challenge')
  if (challenged.type !== 'challenge') return lose(conversation, challenged)
  const { challenge } = challenged
  conversation.write(proofLine(secret, greeting, challenge))
  const welcomed = await readAnswer(conversation, 'welcome')
  if (welcomed.type !== 'welcome') return lose(conversation, welcomed)
  if (!proofHolds(secret, 'welcome', greeting, challenge, welcomed.proof)) {
    conversation.close()
    return { outcome: 'refused', reason: `${to} does not hold the secret of herd ${herd}` }
  }
  return { outcome: 'open', peer: to, peerRun: challenge.run, rest: conversation.release() }
}

/**
 * Answers a greeting on a socket that was accepted.
 *
 * @param greeting what the first line said. @param rest bytes that came behind it.
 * @param admit says why a peer that has proved the secret is still not welcome, or `null` if it is; called once,
 *   right before the welcome goes out.
 */
export async function answerGreeting(
  socket: Socket,
  greeting: Greeting,
  rest: Buffer,
  identity: Identity,
  limits: GreetLimits,
  admit: (peer: string, peerRun: string) => string | null,
): Promise<Greeted> {
  const conversation = new HandshakeSocket(socket, limits, rest)
  const { herd, name, secret } = identity
  if (greeting.herd !== herd) return refuse(conversation, `this is herd ${herd}`)
  if (greeting.to !== name) return refuse(conversation, `this is ${name}`)
  const challenge: Challenge = { run: identity.run, nonce: identity.randomBytes(NONCE_BYTES).toString('hex') }
  conversation.write(challengeLine(challenge))
  const proved = await readAnswer(conversation, 'proof')
  if (proved.type !== 'proof') return lose(conversation, proved)
  if (!proofHolds(secret, 'proof', greeting, challenge, proved.proof)) {
    return refuse(conversation, `that is not the secret of herd ${herd}`)
  }
  const objection = greeting.from === OPERATOR ? null : admit(greeting.from, greeting.run)
  if (objection !== null) return refuse(conversation, objection)
  conversation.write(welcomeLine(secret, greeting, challenge))
  return { outcome: 'open', peer: greeting.from, peerRun: greeting.run, rest: conversation.release() }
}

type Answer = ReturnType<typeof readHandshakeLine> | { readonly type: 'none' }

async function readAnswer(conversation: HandshakeSocket, wanted: Answer['type']): Promise<Answer> {
  const line = await conversation.readLine()
  if (line === null) return { type: 'none' }
  const answer = readHandshakeLine(line)
  return answer.type === wanted || answer.type === 'refused' || answer.type === 'version'
    ? answer
    : { type: 'malformed' }
}

function lose(conversation: HandshakeSocket, answer: Answer): Greeted {
  conversation.close()
  if (answer.type === 'refused') return { outcome: 'refused', reason: answer.reason }
  if (answer.type === 'version') {
    const reason = `it speaks version ${answer.version} of the link protocol, we ${LINK_VERSION}`
    return { outcome: 'refused', reason }
  }
  const silent = answer.type === 'none'
  const reason = silent ? 'it closed, or took too long, in the greeting' : 'it did not answer the greeting'
  return { outcome: 'lost', reason }
}

function refuse(conversation: HandshakeSocket, reason: string): Greeted {
  conversation.close(refusedLine(reason))
  return { outcome: 'refused', reason }
}
