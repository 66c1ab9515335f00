/** The `herd` command: its program, and how errors and exit codes leave it. */
import type { Writable } from 'node:stream'
import { Command, CommanderError } from 'commander'
import { HerdFileInvalid } from '../config.ts'
import { PACKAGE_VERSION } from '../package-version.ts'
import { StatusUnavailable } from '../replication/status-client.ts'
import { SecretUnusable } from '../secret.ts'
import { addCheck } from './check.ts'
import { addDemo } from './demo.ts'
import { isUsageError } from './herd-options.ts'
import { addJoin } from './join.ts'
import { addLeave } from './leave.ts'
import { addPlaces } from './places.ts'
import { addSend } from './send.ts'
import { addStart } from './start.ts'
import { addStatus } from './status.ts'
import { EXIT, type ExitCode, print, type Terminal, Unreachable } from './terminal.ts'
import { addToken } from './token.ts'
import { addTop } from './top.ts'
import { addUp } from './up.ts'
import { addWatch } from './watch.ts'
import { addWhatsat } from './whatsat.ts'
import { addWhosat } from './whosat.ts'

/** Runs the command of this process and ends it. */
export async function main(): Promise<void> {
  const { env, stdin, stdout, stderr } = process
  for (const stream of [stdout, stderr]) ignoreClosedPipe(stream)
  const terminal = { cwd: process.cwd(), env, input: stdin, output: stdout, errors: stderr }
  const code = await runCommand(process.argv.slice(2), terminal)
  // Whatever still runs (a read of stdin, a socket) is of no use any more; what was said is let out first.
  await Promise.all([print(stdout, ''), print(stderr, '')])
  process.exit(code)
}

/** Runs a command line; returns its exit code. Errors that aren't ours are told on `terminal.errors`. */
export async function runCommand(args: readonly string[], terminal: Terminal): Promise<ExitCode> {
  let code: ExitCode = EXIT.ok
  const program = programOf(terminal, (result) => {
    code = result
  })
  try {
    await program.parseAsync(args, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage
    const known = exitCodeOf(error)
    if (known === undefined || !(error instanceof Error)) throw error
    await print(terminal.errors, `herd: ${error.message}\n`)
    return known
  }
}

function programOf(terminal: Terminal, finish: (code: ExitCode) => void): Command {
  const program = new Command('herd')
    .description('Herd: report a location to any server, ask any server about it.')
    .version(PACKAGE_VERSION)
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError('(--help tells more)')
    .configureOutput({
      writeOut: (text) => void print(terminal.output, text),
      writeErr: (text) => void print(terminal.errors, text),
    })
    .addHelpText(
      'after',
      `
Example:
  herd up

Exit codes:
  0    all went well
  1    it did not: an answer that begins with ?, a server that is down or can't start, an invalid herd file
  2    the command can't be understood, or names a herd or a server that isn't there
  3    no connection, or no answer
  130  ended at once by a second Ctrl-C`,
    )
  for (const add of [
    addUp,
    addStart,
    addJoin,
    addLeave,
    addSend,
    addWhatsat,
    addWhosat,
    addWatch,
    addStatus,
    addTop,
    addDemo,
    addPlaces,
    addToken,
    addCheck,
  ]) {
    add(program, terminal, finish)
  }
  return program
}

// Undefined: a mistake of ours, which is not caught.
function exitCodeOf(error: unknown): ExitCode | undefined {
  if (isUsageError(error)) return EXIT.usage
  if (error instanceof Unreachable || error instanceof StatusUnavailable) return EXIT.unreachable
  return error instanceof HerdFileInvalid || error instanceof SecretUnusable ? EXIT.failed : undefined
}

// `herd check | head -1`: that nobody reads on is no error, and a herd goes on without its audience.
function ignoreClosedPipe(stream: Writable): void {
  stream.on('error', (error) => {
    if (!('code' in error) || error.code !== 'EPIPE') throw error
  })
}
