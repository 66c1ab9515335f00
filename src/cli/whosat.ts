/** `herd whosat`: who else is around a client. */
import type { Command } from 'commander'
import { addClientOptions } from './send.ts'
import type { ExitCode, Terminal } from './terminal.ts'
import { type QueryOptions, query } from './whatsat.ts'

/** Adds `herd whosat`. */
export function addWhosat(program: Command, terminal: Terminal, finish: (code: ExitCode) => void): void {
  addClientOptions(program.command('whosat'))
    .summary('ask which other clients are near a client')
    .description('Asks for the nearest other clients, as one AT line each.')
    .argument('<client>', 'the ID of a client')
    .argument('[radius]', 'kilometres', '10')
    .argument('[items]', 'how many clients', '5')
    .option('--server <name>', "a server of the herd, or host:port (default: the herd's first)")
    .addHelpText(
      'after',
      `
Example:
  herd whosat kiwi.cs.ucla.edu 10 5 --server Holiday

Exit code: 0 answered, 1 the answer begins with ?, 2 usage, 3 no connection or no answer.`,
    )
    .action(async (client: string, radius: string, items: string, options: QueryOptions) => {
      finish(await query(terminal, ['WHOSAT', client, radius, items], options))
    })
}
