/** One connection of a client: sends lines, hands back replies, ends. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import type { Target } from './herd-options.ts'
import { CommandSpotter, type Reply, ReplySplitter } from './reply-splitter.ts'
import { addressText, Unreachable } from './terminal.ts'

/** How a conversation goes. */
export interface ConversationOptions {
  /** How long a connection or a reply may be waited for. */
  readonly timeoutMs: number
  /** Whether to close our side after the last line and read to the end, or to end with the last reply. */
  readonly halfClose: boolean
  /** The client token to show first; its reply is only handed back if it is refused, and then is all. */
  readonly token?: string | undefined
  /** Whether to go on after the last reply, with what the server says by itself, until it ends. */
  readonly follow?: boolean
}

/**
 * Sends lines as they come and yields each reply when it is whole.
 *
 * @throws {Unreachable} when there is no connection, or it ends or falls silent before all replies are in
 */
export async function* converse(
  target: Target,
  lines: AsyncIterable<Buffer>,
  options: ConversationOptions,
): AsyncGenerator<Reply> {
  const replies = new ReplySplitter()
  const socket = connect({ host: target.host, port: target.port, allowHalfOpen: true, noDelay: true })
  const ended = new AbortController()
  limitSilence(socket, options.timeoutMs, () => socket.connecting || replies.waiting > 0)
  let sent = false
  let isAdmitted = options.token === undefined
  try {
    await once(socket, 'connect')
    if (options.token !== undefined) {
      replies.expect(['line'])
      socket.write(`TOKEN ${options.token}\n`)
    }
    sendAll(socket, lines, replies, options.halfClose, ended.signal).then(
      () => {
        sent = true
      },
      (error: unknown) => socket.destroy(error instanceof Error ? error : new Error(String(error))),
    )
    for await (const chunk of socket as AsyncIterable<Buffer>) {
      for (const reply of replies.push(chunk)) {
        if (isAdmitted || !reply.ok) yield reply
        if (!isAdmitted && !reply.ok) return
        isAdmitted = true
      }
      if (sent && !options.halfClose && options.follow !== true && replies.waiting === 0) return
    }
  } catch (error) {
    throw new Unreachable(`no answer from ${nameOf(target)}: ${reasonOf(error)}`, { cause: error })
  } finally {
    ended.abort()
    socket.destroy()
  }
  if (!sent || replies.waiting > 0 || options.follow === true) {
    throw new Unreachable(
      `${nameOf(target)} closed the connection${options.follow === true ? '' : ' before it had answered everything'}`,
    )
  }
}

async function sendAll(
  socket: Socket,
  lines: AsyncIterable<Buffer>,
  replies: ReplySplitter,
  halfClose: boolean,
  signal: AbortSignal,
): Promise<void> {
  const commands = new CommandSpotter()
  const send = async (bytes: Buffer) => {
    replies.expect(commands.push(bytes))
    if (!socket.write(bytes)) await once(socket, 'drain', { signal })
  }
  for await (const bytes of lines) {
    if (signal.aborted) return
    await send(bytes)
  }
  // What stands on a line without an end was meant as a command.
  if (commands.open) await send(Buffer.from('\n'))
  if (halfClose) socket.end()
}

// Silence only counts while something is awaited: whoever types may think for as long as they like.
function limitSilence(socket: Socket, timeoutMs: number, awaiting: () => boolean): void {
  socket.setTimeout(timeoutMs, () => {
    if (awaiting()) socket.destroy(new Error(`nothing came within ${timeoutMs} ms`))
    else socket.setTimeout(timeoutMs)
  })
}

function nameOf(target: Target): string {
  const address = addressText(target)
  return target.label === address ? address : `${target.label} (${address})`
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  if ('code' in error && error.code === 'ECONNREFUSED') return 'nothing listens there'
  return error.message || ('code' in error ? String(error.code) : error.name)
}
