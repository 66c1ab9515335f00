/** `herd join`: adds a server to a herd that runs, and runs it. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join as joinPath } from 'node:path'
import { type Command, InvalidArgumentError } from 'commander'
import { HerdFileNotFound, loadHerd } from '../config.ts'
import { writeAddress } from '../replication/addresses.ts'
import { askHerd, type HerdAnswer } from '../replication/status-client.ts'
import { freePort } from './free-port.ts'
import { type AccessOptions, accessOf, addAccessOptions, type HerdAccess, targetAt } from './herd-access.ts'
import { addFolderOptions, type FolderOptions, milliseconds } from './herd-options.ts'
import { chooseNeighbors, joinFileText, joinObjection, type NamedAddress } from './join-plan.ts'
import { runServer } from './start.ts'
import { EXIT, type ExitCode, print, type Terminal, UsageError } from './terminal.ts'

interface JoinOptions extends FolderOptions, AccessOptions {
  readonly name: string
  readonly port?: number
  readonly host?: string
  readonly links: number
  readonly timeout: number
  readonly json?: boolean
}

const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/
const LINKS_MAX = 16

/** Adds `herd join`. */
export function addJoin(program: Command, terminal: Terminal, finish: (code: ExitCode) => void): void {
  addAccessOptions(addFolderOptions(program.command('join')))
    .summary('add a server to a herd that runs')
    .description(
      'Adds a server to a herd that runs, and runs it in this process until Ctrl-C. It takes the herd’s secret, and ' +
        'the address of any server. What it decides stands in a herd file in the state folder: the same command, or ' +
        '`herd start` with that file, brings the server back.',
    )
    .argument('<host:port>', 'a server of the herd')
    .requiredOption('--name <server>', 'the name of the new server')
    .option('--port <port>', 'where it listens (default: a free one)', portOf)
    .option('--host <host>', 'where it listens (default: the address that reaches the herd from here)')
    .option('--links <count>', 'how many servers it has a link with', linksOf, 2)
    .option('--timeout <ms>', 'how long to wait for the server that is asked', milliseconds, 5000)
    .option('--json', 'print each event as an object in one line')
    .addHelpText(
      'after',
      `
Example:
  herd join 127.0.0.1:12000 --name Newton

Exit code: 0 stopped, 1 it can't join or start, 2 usage, 3 no answer, 130 ended at once by a second Ctrl-C.`,
    )
    .action(async (address: string, options: JoinOptions) => finish(await join(terminal, address, options)))
}

async function join(terminal: Terminal, address: string, options: JoinOptions): Promise<ExitCode> {
  const { name, links, timeout, json } = options
  if (!NAME.test(name)) {
    throw new UsageError(
      `${JSON.stringify(name)} is no name: a letter, then at most 63 letters, digits, _ . -`,
    )
  }
  const access = await accessOf(terminal, options)
  const asked = targetAt(access, address, timeout)
  const herd = await askHerd(asked)
  const file = joinPath(access.stateFolder, 'joined', herd.herd, `${name}.yaml`)
  const self = await placeOf(terminal, file, herd, options)
  const objection = joinObjection(herd, name, self)
  if (objection !== null) {
    await print(terminal.errors, `herd: ${objection}\n`)
    return EXIT.failed
  }
  const neighbors = chooseNeighbors(herd, name, asked, links)
  await mkdir(dirname(file), { recursive: true, mode: 0o700 })
  await writeFile(file, joinFileText(herd, self, neighbors, access))
  await announce(terminal, { herd: herd.herd, self, neighbors, file }, access, json === true)
  return runServer(terminal, name, { ...options, herd: file })
}

/** Where the new server listens: as it is told, as it did before, or where there is room. */
async function placeOf(
  terminal: Terminal,
  file: string,
  herd: HerdAnswer,
  { name, host, port }: JoinOptions,
): Promise<NamedAddress> {
  const before = await loadHerd(file, { cwd: terminal.cwd, env: {} }).catch((error: unknown) => {
    if (error instanceof HerdFileNotFound) return undefined
    throw error
  })
  const known = before?.servers.find((server) => server.name === name)
  const where = host ?? known?.host ?? herd.localAddress
  const taken = new Set(herd.members.map((member) => member.port))
  return { name, host: where, port: port ?? known?.port ?? (await freePort(where, taken)) }
}

async function announce(
  terminal: Terminal,
  plan: {
    readonly herd: string
    readonly self: NamedAddress
    readonly neighbors: readonly NamedAddress[]
    readonly file: string
  },
  { from }: HerdAccess,
  json: boolean,
): Promise<void> {
  const { herd, self, neighbors, file } = plan
  if (json) {
    await print(terminal.output, `${JSON.stringify({ event: 'joining', ...plan })}\n`)
    return
  }
  const by = neighbors.map((neighbor) => `${neighbor.name} (${writeAddress(neighbor)})`).join(' and ')
  const again = from === 'HERD_SECRET' ? 'HERD_SECRET=… herd start' : 'herd start'
  const lines = [
    `${self.name}  joins herd ${herd} at ${writeAddress(self)}, by ${by}`,
    `${self.name}  later again: ${again} ${self.name} --herd ${file}`,
  ]
  await print(terminal.output, `${lines.join('\n')}\n`)
}

function portOf(text: string): number {
  const port = Number(text)
  if (Number.isSafeInteger(port) && port >= 1 && port <= 65_535) return port
  throw new InvalidArgumentError('It is a whole number from 1 to 65535; for example 12005.')
}

function linksOf(text: string): number {
  const links = Number(text)
  if (Number.isSafeInteger(links) && links >= 1 && links <= LINKS_MAX) return links
  throw new InvalidArgumentError(`It is a whole number from 1 to ${LINKS_MAX}; for example 2.`)
}
