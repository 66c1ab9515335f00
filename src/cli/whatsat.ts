/** `herd whatsat`: what is around a client. */
import type { Command } from 'commander'
import { targetOf } from './herd-options.ts'
import { addClientOptions, ask, type ClientOptions } from './send.ts'
import { type ExitCode, type Terminal, UsageError } from './terminal.ts'

/** The options of the commands that ask about a client. */
export interface QueryOptions extends ClientOptions {
  readonly server?: string
}

/** Adds `herd whatsat`. */
export function addWhatsat(program: Command, terminal: Terminal, finish: (code: ExitCode) => void): void {
  addClientOptions(program.command('whatsat'))
    .summary('ask where a client is and which places are near')
    .description('Asks for the last position of a client and for the places around it.')
    .argument('<client>', 'the ID of a client')
    .argument('[radius]', 'kilometres, at most 50', '10')
    .argument('[items]', 'how many places, at most 20', '5')
    .option('--server <name>', "a server of the herd, or host:port (default: the herd's first)")
    .addHelpText(
      'after',
      `
Example:
  herd whatsat kiwi.cs.ucla.edu 10 5 --server Holiday

Exit code: 0 answered, 1 the answer begins with ?, 2 usage, 3 no connection or no answer.`,
    )
    .action(async (client: string, radius: string, items: string, options: QueryOptions) => {
      finish(await query(terminal, ['WHATSAT', client, radius, items], options))
    })
}

/** Sends a question about a client and prints the reply. @throws {UsageError} @throws {Unreachable} */
export async function query(
  terminal: Terminal,
  fields: readonly string[],
  options: QueryOptions,
): Promise<ExitCode> {
  const odd = fields.find((field) => !/^\S+$/.test(field))
  if (odd !== undefined)
    throw new UsageError(`${JSON.stringify(odd)} is not one field: it is empty or has white space`)
  return ask(terminal, await targetOf(terminal, options.server, options.herd), fields.join(' '), options)
}
