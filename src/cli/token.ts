/** `herd token`: makes, lists and removes client tokens. */
import { mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { nearestName } from '../config.ts'
import {
  CLIENT_PATTERN,
  hashOf,
  makeToken,
  TOKEN_NAME,
  type TokenEntry,
  TokensInvalid,
} from '../gateways/access/tokens.ts'
import { readTokens, tokensFileOf, writeTokens } from '../token-file.ts'
import { addFolderOptions, addHerdOption, type FolderOptions, herdOf } from './herd-options.ts'
import { columns, EXIT, type ExitCode, print, type Terminal, UsageError } from './terminal.ts'

interface TokenOptions extends FolderOptions {
  readonly herd?: string
  readonly json?: boolean
  readonly report?: readonly string[]
  readonly read?: readonly string[]
}

/** Adds `herd token` and what belongs to it. */
export function addToken(program: Command, terminal: Terminal, finish: (code: ExitCode) => void): void {
  const token = program
    .command('token')
    .summary('make, list and remove client tokens')
    .description(
      'Client tokens say who may report as which clients, and read which. As soon as there is one, every client must show one, by ' +
        'whichever protocol. Servers that run notice by themselves, within a second or so.',
    )
    .addHelpText(
      'after',
      `
Examples:
  herd token create dispatcher --read '*'
  herd token create anna --report 'anna/*' --read 'anna/*,ben/*'
  herd token list
  herd token remove anna

Exit code: 0 done, 1 the file of tokens can't be used, 2 usage or no such token.`,
    )
  withOptions(token.command('create'))
    .summary('make a token, and print it once')
    .description('Makes a token and prints it, this once: only its hash is kept.')
    .argument('<name>', 'who has it, for people')
    .option(
      '--report <clients>',
      "clients that it may report as, with commas between: IDs, beginnings such as 'anna/*', or '*'",
      list,
    )
    .option('--read <clients>', 'clients that it may read, likewise', list)
    .addHelpText('after', "\nExample:\n  herd token create anna --report 'anna/*' --read '*'")
    .action(async (name: string, options: TokenOptions) => finish(await create(terminal, name, options)))
  withOptions(token.command('list'))
    .summary('list the tokens')
    .description('Lists who has a token, and what it is for.')
    .addHelpText('after', '\nExample:\n  herd token list')
    .action(async (options: TokenOptions) => finish(await listTokens(terminal, options)))
  withOptions(token.command('remove'))
    .summary('remove a token')
    .description('Removes a token. Connections that were admitted by it stay open until they end.')
    .argument('<name>', 'whose')
    .addHelpText('after', '\nExample:\n  herd token remove anna')
    .action(async (name: string, options: TokenOptions) => finish(await remove(terminal, name, options)))
}

function withOptions(command: Command): Command {
  return addHerdOption(addFolderOptions(command)).option('--json', 'print an object')
}

async function create(terminal: Terminal, name: string, options: TokenOptions): Promise<ExitCode> {
  if (!TOKEN_NAME.test(name)) {
    throw new UsageError(
      `${JSON.stringify(name)} is no name: letters, digits, '.', '_', '@' and '-', 64 at most`,
    )
  }
  const { report = [], read = report } = options
  if (report.length === 0 && read.length === 0) {
    throw new UsageError("a token is for something: --report 'anna/*', --read '*', or both")
  }
  return change(terminal, options, async (tokens, write) => {
    if (tokens.some((token) => token.name === name)) {
      throw new UsageError(`there is a token ${name} already; herd token remove ${name} removes it`)
    }
    const token = makeToken()
    await write([...tokens, { name, sha256: hashOf(token), report, read }])
    await print(
      terminal.output,
      options.json ? `${JSON.stringify({ name, token, report, read })}\n` : `${token}\n`,
    )
    if (tokens.length === 0) {
      await print(terminal.errors, 'herd: this is the first token: from now on every client must show one\n')
    }
  })
}

async function listTokens(terminal: Terminal, options: TokenOptions): Promise<ExitCode> {
  return change(terminal, options, async (tokens) => {
    const rows = tokens.map(({ name, report, read }) => ({ name, report, read }))
    if (options.json) {
      await print(terminal.output, `${JSON.stringify({ tokens: rows })}\n`)
      return
    }
    const lines = rows.map(({ name, report, read }) => [
      name,
      `reports ${report.join(',') || 'nothing'}`,
      `reads ${read.join(',') || 'nothing'}`,
    ])
    const text = lines.length === 0 ? 'no tokens: herd token create makes one' : columns(lines).join('\n')
    await print(terminal.output, `${text}\n`)
  })
}

async function remove(terminal: Terminal, name: string, options: TokenOptions): Promise<ExitCode> {
  return change(terminal, options, async (tokens, write) => {
    const names = tokens.map((token) => token.name)
    if (!names.includes(name)) {
      const nearest = nearestName(name, names)
      const hint = nearest === undefined ? '' : `; did you mean ${nearest}?`
      throw new UsageError(`there is no token ${name}${hint}`)
    }
    await write(tokens.filter((token) => token.name !== name))
    await print(
      terminal.output,
      options.json ? `${JSON.stringify({ removed: name })}\n` : `removed ${name}\n`,
    )
    if (tokens.length === 1) {
      await print(
        terminal.errors,
        'herd: that was the last token: now clients on this machine need none, and others are turned away\n',
      )
    }
  })
}

/** Reads the tokens for a command, and tells what is wrong with their file. */
async function change(
  terminal: Terminal,
  options: TokenOptions,
  command: (
    tokens: readonly TokenEntry[],
    write: (tokens: readonly TokenEntry[]) => Promise<void>,
  ) => Promise<void>,
): Promise<ExitCode> {
  const file = tokensFileOf(await herdOf(terminal, options.herd, options))
  try {
    await command(await readTokens(file), async (tokens) => {
      await mkdir(dirname(file), { recursive: true, mode: 0o700 })
      await writeTokens(file, tokens)
    })
    return EXIT.ok
  } catch (error) {
    if (!(error instanceof TokensInvalid)) throw error
    await print(terminal.errors, `herd: ${error.message}\n`)
    return EXIT.failed
  }
}

function list(text: string): readonly string[] {
  const clients = text.split(',').map((client) => client.trim())
  const wrong = clients.find((client) => client === '' || !CLIENT_PATTERN.test(client))
  if (wrong !== undefined) {
    throw new InvalidArgumentError(
      `${JSON.stringify(wrong)} is no ID of a client, no beginning of some such as 'anna/*', and not '*'.`,
    )
  }
  return clients
}
