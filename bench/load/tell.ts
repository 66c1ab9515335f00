import { connect } from 'node:net'
import { LOOPBACK } from '../support/ports.ts'
import { ReplyCounter } from './reply-counter.ts'

const TELL_MS_MAX = 60_000

/** Sends all commands over one connection, and resolves when each is answered by a line that begins as it must. */
export async function tell(port: number, commands: readonly string[], firstByte: number): Promise<void> {
  const counter = new ReplyCounter(firstByte)
  const socket = connect({ port, host: LOOPBACK, signal: AbortSignal.timeout(TELL_MS_MAX) })
  socket.write(commands.join(''), 'latin1')
  let answered = 0
  for await (const chunk of socket) {
    const bytes = Buffer.from(chunk)
    answered += counter.push(bytes, bytes.length)
    if (answered >= commands.length) return
  }
  throw new Error(`the server answered ${answered} of ${commands.length} commands and closed the connection`)
}
