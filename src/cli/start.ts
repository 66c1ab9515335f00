/** `herd start`: one server, in this process. */
import { type Command, Option } from 'commander'
import type { HerdConfig } from '../config.ts'
import {
  loadClientCertificate,
  loadLinkCertificates,
  loadMqttBridgeSecrets,
  loadOrMakeSecret,
  loadPlacesSecrets,
  secretNotice,
  type Warn,
} from '../secret.ts'
import type { RunningServer, ServerEvent } from '../server/options.ts'
import { startServer } from '../server/server.ts'
import { addFolderOptions, addHerdOption, type FolderOptions, herdOf, serverOf } from './herd-options.ts'
import { tellParent } from './server-messages.ts'
import { parentSaysStop, peopleSayStop } from './stop-signals.ts'
import {
  addressesText,
  addressText,
  EXIT,
  type ExitCode,
  print,
  printable,
  type Terminal,
  UsageError,
} from './terminal.ts'

/** What `herd start` may be told. */
export interface StartOptions extends FolderOptions {
  readonly herd?: string
  readonly json?: boolean
  readonly supervised?: boolean
}

/** To whom a server speaks: to people, to a program, or to the `herd up` that started it. */
interface Listener {
  readonly event: (event: ServerEvent) => void
  readonly listening: (server: RunningServer) => void
  readonly left: () => void
  readonly failed: (code: string, text: string) => void
}

/** Adds `herd start`. */
export function addStart(program: Command, terminal: Terminal, finish: (code: ExitCode) => void): void {
  addHerdOption(addFolderOptions(program.command('start')))
    .summary('run one server in the foreground')
    .description('Runs one server of a herd in this process, until Ctrl-C. Its neighbors may be anywhere.')
    .argument('<server>', 'a server of the herd')
    .option('--json', 'print each event as an object in one line')
    .addOption(new Option('--supervised', 'obey and report to the parent process').hideHelp())
    .addHelpText(
      'after',
      `
Example:
  herd start Alford --herd herds/ucla.yaml

Exit code: 0 stopped, 1 it can't start, 2 usage, 130 ended at once by a second Ctrl-C.`,
    )
    .action(async (server: string, options: StartOptions) => {
      finish(await runServer(terminal, server, options))
    })
}

/** Runs one server in this process until it is told to stop. */
export async function runServer(terminal: Terminal, name: string, options: StartOptions): Promise<ExitCode> {
  const stopping = options.supervised ? parentSaysStop() : peopleSayStop()
  const listener = options.supervised ? parentListener() : printing(terminal, name, options.json === true)
  const config = await herdOf(terminal, options.herd, options)
  if (serverOf(config, name).classic) {
    throw new UsageError(`${name} is a classic server: it is started by its own program, not by this one`)
  }
  // A parent has said this once, for all of its servers.
  const warn = (text: string) => {
    if (!options.supervised) listener.event({ level: 'warning', event: 'warning', text })
  }
  for (const warning of config.warnings) warn(warning)
  const server = await launch(terminal, config, name, listener, warn)
  if (server === undefined) return EXIT.failed
  listener.listening(server)
  await Promise.race([stopping, server.left.then(listener.left)])
  await server.stop()
  return EXIT.ok
}

async function launch(
  terminal: Terminal,
  config: HerdConfig,
  name: string,
  listener: Listener,
  warn: Warn,
): Promise<RunningServer | undefined> {
  try {
    const secret = await loadOrMakeSecret(config, terminal.env, warn)
    const notice = secretNotice(secret, config, [name])
    if (notice !== undefined) warn(notice)
    const certificates = await loadLinkCertificates(config, name, warn)
    const clientCertificate = await loadClientCertificate(config, name, warn)
    const placesSecrets = await loadPlacesSecrets(config, terminal.env, warn)
    const mqttBridgeSecrets = await loadMqttBridgeSecrets(config, terminal.env, name, warn)
    const report = listener.event
    return await startServer(config, name, secret, {
      ...{ placesSecrets, certificates, clientCertificate, mqttBridgeSecrets, report },
    })
  } catch (error) {
    if (!(error instanceof Error)) throw error
    const code = 'code' in error ? String(error.code) : error.name
    const { host, ...self } = serverOf(config, name)
    const port = 'port' in error && typeof error.port === 'number' ? error.port : self.port
    const setting = `servers.${name}.${port === self.port ? 'port' : 'alsoPorts'}`
    const inUse = `${addressText({ host, port })} is in use already; end what has it, or change ${setting} in ${config.file}`
    listener.failed(code, code === 'EADDRINUSE' ? inUse : error.message)
    return undefined
  }
}

function parentListener(): Listener {
  return {
    event: (event) => tellParent({ type: 'event', event }),
    listening: ({ address }) => tellParent({ type: 'listening', ...address }),
    left: () => tellParent({ type: 'left' }),
    failed: (code, text) => tellParent({ type: 'failed', code, text }),
  }
}

function printing(terminal: Terminal, name: string, json: boolean): Listener {
  const say = (level: string, event: string, text: string) => {
    const line = json ? JSON.stringify({ level, event, server: name, text }) : `${name}  ${printable(text)}`
    void print(level === 'error' ? terminal.errors : terminal.output, `${line}\n`)
  }
  return {
    event: ({ level, event, text }) => say(level, event, text),
    listening: ({ address }) =>
      say('info', 'listening', `listening on ${addressesText(address)}; Ctrl-C stops it`),
    left: () => say('info', 'left', 'has left the herd'),
    failed: (_code, text) => say('error', 'failed', `can't start: ${text}`),
  }
}
