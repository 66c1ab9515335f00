/** `herd whosat`: who is around a client or a place, or in an area. */
import type { Command } from 'commander'
import { addClientOptions } from './send.ts'
import { type ExitCode, type Terminal, UsageError } from './terminal.ts'
import { type QueryOptions, query } from './whatsat.ts'

/** Adds `herd whosat`. */
export function addWhosat(program: Command, terminal: Terminal, finish: (code: ExitCode) => void): void {
  addClientOptions(program.command('whosat'))
    .summary('ask which clients are near a client or a place, or in an area')
    .description(
      'Asks for the nearest other clients around a client, or for the clients around a place, in a box or in a ' +
        'GeoJSON polygon, as one AT line each. Items may be * for all, and an age in seconds may follow them: then ' +
        'only younger fixes count. Behind -- everything is an operand, also a position that begins with a minus.',
    )
    .usage(
      '[options] <client> [radius] [items] [age]\n' +
        '       herd whosat [options] [--] NEAR <position> [radius] [items] [age]\n' +
        '       herd whosat [options] [--] IN <south-west> <north-east> [items] [age]\n' +
        '       herd whosat [options] IN <polygon> [items] [age]',
    )
    .argument('<words...>', 'radius: kilometres (default 10); items: how many clients (default 5)')
    .option('--server <name>', "a server of the herd, or host:port (default: the herd's first)")
    .addHelpText(
      'after',
      `
Examples:
  herd whosat kiwi.cs.ucla.edu 10 5 --server Holiday
  herd whosat NEAR +34.07-118.44 2.5 '*'
  herd whosat -- IN -34.1+150.9 -33.5+151.4 20 3600
  herd whosat IN '{ "type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]] }'

Exit code: 0 answered, 1 the answer begins with ?, 2 usage, 3 no connection or no answer.`,
    )
    .action(async (words: string[], options: QueryOptions) => {
      finish(await query(terminal, ['WHOSAT', ...whosatOperands(words)], options))
    })
}

/**
 * The operands that words stand for: what may be left out is filled in, and GeoJSON loses its white space.
 *
 * @throws {UsageError} when there are too many.
 */
export function whosatOperands(words: readonly string[]): string[] {
  const [first = '', second = ''] = words
  const operands = words.map(compactJson)
  // A client may be called NEAR or IN: then a radius follows, which has no sign.
  const isNear = first === 'NEAR' && /^[+-]/.test(second)
  const isIn = first === 'IN' && /^[+{-]/.test(second.trimStart())
  const whereWords = isNear ? 2 : isIn ? (second.trimStart().startsWith('{') ? 2 : 3) : 1
  const defaults = isIn ? ['5'] : ['10', '5']
  const wordsMax = whereWords + defaults.length + 1
  if (words.length > wordsMax)
    throw new UsageError(`too many words: there may be ${wordsMax}, and an area of GeoJSON is one of them`)
  return [...operands, ...defaults.slice(Math.max(0, words.length - whereWords))]
}

/** JSON without white space between its tokens; anything else as it is. */
function compactJson(word: string): string {
  if (!word.trimStart().startsWith('{')) return word
  try {
    return JSON.stringify(JSON.parse(word))
  } catch {
    throw new UsageError(`${JSON.stringify(word.slice(0, 60))} is not JSON`)
  }
}
