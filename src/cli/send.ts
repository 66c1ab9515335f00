/** `herd send`: one line from the command line, or many from stdin, to a server. */
import type { Command } from 'commander'
import { type ConversationOptions, converse } from './conversation.ts'
import { addHerdOption, milliseconds, type Target, targetOf } from './herd-options.ts'
import { replyObject } from './reply-json.ts'
import { EXIT, type ExitCode, print, type Terminal, UsageError } from './terminal.ts'

/** The options of every command that talks with a server as a client does. */
export interface ClientOptions {
  readonly herd?: string
  readonly json?: boolean
  readonly timeout: number
  readonly token?: string
}

const WORDS = new Set(['IAMAT', 'WHATSAT', 'WHOSAT', 'WATCH', 'UNWATCH', 'AT', 'HERD'])

/** Adds `herd send`. */
export function addSend(program: Command, terminal: Terminal, finish: (code: ExitCode) => void): void {
  addClientOptions(program.command('send'))
    .summary('send a line to a server and print its reply')
    .description(
      'Sends a line to a server and prints its reply. The first word may be in small letters, and an iamat ' +
        'without a time gets the current one. Without words, the lines of the standard input are sent as ' +
        'they come, until all their replies are in; after a watch it goes on until Ctrl-C. Options stand before the server.',
    )
    .usage('[options] <server> [words...]')
    .argument('<server>', 'a server of the herd, or host:port')
    .argument('[words...]', 'the line')
    .passThroughOptions()
    .addHelpText(
      'after',
      `
Examples:
  herd send Alford iamat kiwi.cs.ucla.edu +34.068930-118.445127
  herd send --json localhost:12003 whatsat kiwi.cs.ucla.edu 10 5
  herd send Alford < lines.txt

Exit code: 0 answered, 1 an answer begins with ?, 2 usage, 3 no connection or no answer.`,
    )
    .action(async (server: string, words: string[], options: ClientOptions) => {
      const target = await targetOf(terminal, server, options.herd)
      const line = lineOf(words)
      if (/^WATCH\s/.test(line)) finish(await follow(terminal, target, line, options))
      else if (words.length > 0) finish(await ask(terminal, target, line, options))
      else finish(await printReplies(terminal, target, terminal.input, options, true))
    })
}

/** Adds --herd, --timeout, --token and --json. */
export function addClientOptions(command: Command): Command {
  return addTokenOption(
    addHerdOption(command).option('--timeout <ms>', 'how long to wait for an answer', milliseconds, 10_000),
  ).option('--json', 'print each reply as an object in one line')
}

/** Adds --token. */
export function addTokenOption(command: Command): Command {
  return command.option(
    '--token <token>',
    'a client token; better in HERD_TOKEN, where other users of the machine do not see it',
  )
}

/** The client token that a command shows; undefined: none. @throws {UsageError} when it is none. */
export function tokenOf(
  { env: { HERD_TOKEN } }: Pick<Terminal, 'env'>,
  { token = HERD_TOKEN }: Pick<ClientOptions, 'token'>,
): string | undefined {
  if (token === undefined || token === '') return undefined
  // What is wrong with it is not said with the token in it.
  if (!/^\S+$/.test(token))
    throw new UsageError('a client token is one word: --token or HERD_TOKEN has white space in it')
  return token
}

/** Sends one line and prints its reply. @throws {Unreachable} */
export function ask(
  terminal: Terminal,
  target: Target,
  line: string,
  options: ClientOptions,
): Promise<ExitCode> {
  return printReplies(terminal, target, only(Buffer.from(`${line}\n`)), options, false)
}

/** Sends a WATCH and prints the AT lines that come, until nobody reads them. @throws {Unreachable} when the server ends it. */
export async function follow(
  terminal: Terminal,
  target: Target,
  line: string,
  options: ClientOptions,
): Promise<ExitCode> {
  const { json, timeout: timeoutMs } = options
  const conversation = { timeoutMs, halfClose: false, token: tokenOf(terminal, options), follow: true }
  let isAnswered = false
  for await (const reply of converse(target, only(Buffer.from(`${line}\n`)), conversation)) {
    // That it is watched is shown by what comes.
    if (isAnswered || !reply.ok)
      await print(terminal.output, json ? `${JSON.stringify(replyObject(reply))}\n` : reply.bytes)
    isAnswered = true
    if (!reply.ok) return EXIT.failed
    if (!terminal.output.writable) return EXIT.ok
  }
  return EXIT.ok
}

/** Returns the line that words stand for. @throws {UsageError} when they are more than one line */
export function lineOf(words: readonly string[], nowMs: number = clockMs()): string {
  const line = words.join(' ')
  if (/[\r\n]/.test(line))
    throw new UsageError('a line must not have a line end in it; send many lines from stdin')
  const [word = '', ...operands] = line.trim().split(/\s+/)
  const command = word.toUpperCase()
  if (!WORDS.has(command)) return line
  if (command === 'IAMAT' && operands.length === 2) operands.push(timeText(nowMs))
  return [command, ...operands].join(' ')
}

async function printReplies(
  terminal: Terminal,
  target: Target,
  lines: AsyncIterable<Buffer>,
  options: ClientOptions,
  halfClose: boolean,
): Promise<ExitCode> {
  const { json, timeout: timeoutMs } = options
  const conversation: ConversationOptions = { timeoutMs, halfClose, token: tokenOf(terminal, options) }
  let code: ExitCode = EXIT.ok
  for await (const reply of converse(target, lines, conversation)) {
    await print(terminal.output, json ? `${JSON.stringify(replyObject(reply))}\n` : reply.bytes)
    if (!reply.ok) code = EXIT.failed
  }
  return code
}

async function* only(bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

// Better than a millisecond; a command is too short-lived for a correction of the clock to matter.
function clockMs(): number {
  return performance.timeOrigin + performance.now()
}

// POSIX seconds with nine digits, from what a double can hold: microseconds.
function timeText(nowMs: number): string {
  const microseconds = BigInt(Math.round(nowMs * 1000))
  const fraction = String(microseconds % 1_000_000n).padStart(6, '0')
  return `${microseconds / 1_000_000n}.${fraction}000`
}
