/** `herd whatsat`: what is around a client. */
import { type Command, Option } from 'commander'
import { targetOf } from './herd-options.ts'
import { addClientOptions, ask, type ClientOptions } from './send.ts'
import { type ExitCode, type Terminal, UsageError } from './terminal.ts'

/** The options of the commands that ask about a client. */
export interface QueryOptions extends ClientOptions {
  readonly server?: string
}

/** Which places. */
interface PlacesOptions {
  readonly type?: string
  readonly keyword?: string
  readonly rank?: string
}

/** Adds `herd whatsat`. */
export function addWhatsat(program: Command, terminal: Terminal, finish: (code: ExitCode) => void): void {
  addClientOptions(program.command('whatsat'))
    .summary('ask where a client is and which places are near')
    .description('Asks for the last position of a client and for the places around it.')
    .argument('<client>', 'the ID of a client')
    .argument('[radius]', 'kilometres, at most 50', '10')
    .argument('[items]', 'how many places, at most 20', '5')
    .option('--type <type>', 'only places of this Google type, such as museum')
    .option('--keyword <words>', 'only places with these words')
    .addOption(
      new Option('--rank <order>', 'what comes first: what is best known, or what is nearest').choices([
        'prominence',
        'distance',
      ]),
    )
    .option('--server <name>', "a server of the herd, or host:port (default: the herd's first)")
    .addHelpText(
      'after',
      `
Examples:
  herd whatsat kiwi.cs.ucla.edu 10 5 --server Holiday
  herd whatsat kiwi.cs.ucla.edu 2 --type cafe --keyword 'flat white' --rank distance

Exit code: 0 answered, 1 the answer begins with ?, 2 usage, 3 no connection or no answer.`,
    )
    .action(async (client: string, radius: string, items: string, options: QueryOptions & PlacesOptions) => {
      const fields = ['WHATSAT', client, radius, items, ...placesOperands(options)]
      finish(await query(terminal, fields, options))
    })
}

/** The operands that say which places. */
export function placesOperands({ type, keyword, rank }: PlacesOptions): string[] {
  return [
    type === undefined ? [] : [`type=${type}`],
    keyword === undefined ? [] : [`keyword=${encodeURIComponent(keyword.toWellFormed())}`],
    rank === undefined ? [] : [`rank=${rank}`],
  ].flat()
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
