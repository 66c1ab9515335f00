/** The options that choose a herd, the same for every command, and the server that they name. */
import { type Command, InvalidArgumentError } from 'commander'
import { type HerdConfig, HerdFileInvalid, HerdFileNotFound, loadHerd, nearestName } from '../config.ts'
import { type Terminal, UsageError } from './terminal.ts'

/** What stands before the herd file. */
export interface FolderOptions {
  readonly stateFolder?: string
  readonly logFolder?: string
  readonly logLevel?: string
}

/** A place to connect to, and what to call it. */
export interface Target {
  readonly host: string
  readonly port: number
  readonly label: string
}

/** Adds --state-folder, --log-folder and --log-level. */
export function addFolderOptions(command: Command): Command {
  return command
    .option('--state-folder <path>', 'where what must last is kept (HERD_STATE_FOLDER)')
    .option('--log-folder <path>', 'where the logs go (HERD_LOG_FOLDER)')
    .option('--log-level <level>', 'traffic or events (HERD_LOG_LEVEL)')
}

/** Adds --herd. */
export function addHerdOption(command: Command): Command {
  return command.option(
    '--herd <file>',
    'a herd that comes with Herd, or the path of a herd file (default: ucla)',
  )
}

/** Loads the herd that a command names. */
export function herdOf(
  terminal: Terminal,
  herd: string | undefined,
  options: FolderOptions = {},
): Promise<HerdConfig> {
  return loadHerd(herd, { cwd: terminal.cwd, env: terminal.env, options })
}

/**
 * Returns where to connect to for `host:port`, or for the name of a server of the herd; without either, the
 * herd's first server that is ours.
 *
 * @throws {UsageError} also for an invalid herd file: here it is only a name for an address
 */
export async function targetOf(
  terminal: Terminal,
  server: string | undefined,
  herd: string | undefined,
): Promise<Target> {
  const [, host, port] = server?.match(/^(\[[^\]\s]+\]|[^:\s]+):(\d{1,5})$/) ?? []
  if (host !== undefined && port !== undefined) {
    return { host: host.replace(/^\[|\]$/g, ''), port: Number(port), label: `${host}:${port}` }
  }
  try {
    const config = await herdOf(terminal, herd)
    const ours = config.servers.find(({ classic }) => !classic)?.name ?? ''
    const found = serverOf(config, server ?? ours)
    return { host: found.host, port: found.port, label: found.name }
  } catch (error) {
    if (error instanceof HerdFileInvalid) throw new UsageError(error.message, { cause: error })
    throw error
  }
}

/** Returns a server of a herd by its name. @throws {UsageError} naming those that there are */
export function serverOf(config: HerdConfig, name: string): HerdConfig['servers'][number] {
  const found = config.servers.find((server) => server.name === name)
  if (found !== undefined) return found
  const names = config.servers.map((server) => server.name)
  const nearest = nearestName(name, names)
  const hint = nearest === undefined ? '' : `. Did you mean ${nearest}?`
  throw new UsageError(`no server ${name} in ${config.name}; there are ${names.join(', ')}${hint}`)
}

/** Parses the milliseconds of an option. */
export function milliseconds(text: string): number {
  const value = Number(text)
  if (Number.isSafeInteger(value) && value >= 1 && value <= 86_400_000) return value
  throw new InvalidArgumentError(
    'It is a whole number of milliseconds from 1 to 86400000; for example 10000.',
  )
}

/** Whether an error is told in one line, because it is the world's or the user's and not ours. */
export function isUsageError(error: unknown): error is Error {
  return error instanceof UsageError || error instanceof HerdFileNotFound
}
