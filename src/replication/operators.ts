import type { Socket } from 'node:net'
import { LineFramer } from '../protocol/index.ts'
import type { System } from '../system.ts'
import { LINK_VERSION } from './handshake.ts'
import type { HerdStatus, ServerStatus } from './status.ts'

/** An operator asks little and stays briefly. */
const OPERATOR_LINES_MAX = 100
/** Whoever asked a server to leave has this long to read that it has. */
const LAST_WORD_MS_MAX = 1000
const PREFIX = `HERD ${LINK_VERSION} `

/** What a server answers to an operator, who has proved that they hold the secret. */
export interface OperatorAnswers {
  readonly status: () => ServerStatus
  readonly members: () => HerdStatus
  /** Says in the place of a member that is gone for good that it has left; `false` if it is reached, or unknown. */
  readonly giveUp: (name: string) => boolean
  /** Leaves the herd in order; resolves when all that was owed was handed on. */
  readonly leave: () => Promise<void>
  /** The operator knows that this server has left: it may end. */
  readonly left: () => void
}

/** Bounds of a conversation. */
export interface OperatorContext {
  readonly limits: { readonly handshakeLineBytesMax: number; readonly silenceMsMax: number }
  readonly system: Pick<System, 'after'>
}

/** Answers the `herd` command. @param rest bytes that came behind the greeting. */
export function serveOperator(
  socket: Socket,
  rest: Buffer,
  { limits, system }: OperatorContext,
  answers: OperatorAnswers,
): void {
  const framer = new LineFramer(limits.handshakeLineBytesMax)
  const cancel = system.after(limits.silenceMsMax, () => socket.destroy())
  let lines = 0
  const leave = async (): Promise<void> => {
    // It takes as long as neighbors take.
    cancel()
    await answers.leave()
    if (socket.destroyed) return answers.left()
    const forget = system.after(LAST_WORD_MS_MAX, () => socket.destroy())
    socket.once('close', () => {
      forget()
      answers.left()
    })
    socket.end(`${PREFIX}left\n`)
  }
  const take = (chunk: Buffer): void => {
    if (socket.destroyed) return
    framer.push(chunk)
    for (let framed = framer.next(); framed !== 'need-more'; framed = framer.next()) {
      if (framed === 'too-long' || ++lines > OPERATOR_LINES_MAX) {
        socket.destroy()
        return
      }
      const line = framer.buffer.toString('utf8', framer.start, framer.end).trim()
      if (line === `${PREFIX}leave`) void leave()
      else socket.write(`${answerTo(line, answers)}\n`)
    }
  }
  socket.on('close', cancel)
  socket.on('end', () => socket.end())
  socket.on('data', take)
  take(rest)
  socket.resume()
}

function answerTo(line: string, answers: OperatorAnswers): string {
  if (line === `${PREFIX}status`) return `${line} ${JSON.stringify(answers.status())}`
  if (line === `${PREFIX}members`) return `${line} ${JSON.stringify(answers.members())}`
  const [, name] = /^HERD \d+ gone (\S+)$/.exec(line) ?? []
  if (name === undefined || !line.startsWith(PREFIX)) return `? ${line}`
  return `${PREFIX}gone ${answers.giveUp(name) ? name : '-'}`
}
