/** `herd watch`: where clients are, as they report it. */
import { type Command, Option } from 'commander'
import { targetOf } from './herd-options.ts'
import { addClientOptions, follow } from './send.ts'
import { type ExitCode, type Terminal, UsageError } from './terminal.ts'
import type { QueryOptions } from './whatsat.ts'

interface WatchOptions extends QueryOptions {
  readonly near?: string
  readonly radius: string
}

/** Adds `herd watch`. */
export function addWatch(program: Command, terminal: Terminal, finish: (code: ExitCode) => void): void {
  addClientOptions(program.command('watch'))
    .summary('print where clients are, as they report it')
    .description(
      'Prints the last position of a client, or of all, and then each new one as it comes, one AT line each, until Ctrl-C. With ' +
        '--near only within a circle; the line of a client that leaves it shows where it is then.',
    )
    .argument('[client]', 'the ID of a client; * or nothing for all', '*')
    .option('--near <position>', 'only around a position, such as +34.07-118.44')
    .addOption(new Option('--radius <kilometres>', 'how far around it, at most 50').default('10'))
    .option('--server <name>', "a server of the herd, or host:port (default: the herd's first)")
    .addHelpText(
      'after',
      `
Examples:
  herd watch
  herd watch kiwi.cs.ucla.edu --server Holiday
  herd watch --near=+34.07-118.44 --radius 5 --json

Exit code: 0 nobody reads on, 1 the answer begins with ?, 2 usage, 3 no connection, or the server has ended it.`,
    )
    .action(async (client: string, options: WatchOptions) => {
      const target = await targetOf(terminal, options.server, options.herd)
      finish(await follow(terminal, target, watchLine(client, options), options))
    })
}

/** The line that the options stand for. @throws {UsageError} when one is not one field. */
export function watchLine(client: string, { near, radius }: Pick<WatchOptions, 'near' | 'radius'>): string {
  const fields = near === undefined ? [client] : [client, radius, near]
  const odd = fields.find((field) => !/^\S+$/.test(field))
  if (odd !== undefined)
    throw new UsageError(`${JSON.stringify(odd)} is not one field: it is empty or has white space`)
  return ['WATCH', ...fields].join(' ')
}
