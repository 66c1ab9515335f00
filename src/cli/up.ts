/** `herd up`: every server of a herd, each its own process, until Ctrl-C. */
import { type ChildProcess, fork } from 'node:child_process'
import { relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Command } from 'commander'
import type { HerdConfig } from '../config.ts'
import { loadOrMakeSecret, loadPlacesSecrets, SecretUnusable, secretNotice } from '../secret.ts'
import { addDemoOptions, type DemoSettings, demoArguments } from './demo-options.ts'
import { addFolderOptions, type FolderOptions, herdOf } from './herd-options.ts'
import { ServerKeeper } from './server-keeper.ts'
import { onStopSignals } from './stop-signals.ts'
import { EXIT, type ExitCode, type Terminal, UsageError } from './terminal.ts'
import { jsonReport, textReport, type UpReport } from './up-report.ts'

// The same two steps up from src/cli/ and, in the published package, from dist/cli/.
const HERD_COMMAND = fileURLToPath(new URL('../../bin/herd.js', import.meta.url))

interface UpOptions extends FolderOptions {
  readonly json?: boolean
  readonly demo?: boolean
  readonly demoClients: number
  readonly demoRate: number
}

/** Adds `herd up`. */
export function addUp(program: Command, terminal: Terminal, finish: (code: ExitCode) => void): void {
  addDemoOptions(addFolderOptions(program.command('up')))
    .summary('start a herd')
    .description(
      'Starts every server of a herd, each in its own process, and keeps them running: one that ends by ' +
        'itself is started again. Ctrl-C stops them all, a second Ctrl-C ends them at once.',
    )
    .argument('[herd file]', 'a herd that comes with Herd (ucla, lakers), or the path of a herd file', 'ucla')
    .option('--json', 'print each event as an object in one line')
    .addHelpText(
      'after',
      `
Examples:
  herd up herds/lakers.yaml
  herd up --demo

Exit code: 0 stopped, 1 it can't start, 2 usage, 130 ended at once by a second Ctrl-C.`,
    )
    .action(async (herd: string, options: UpOptions) => finish(await up(terminal, herd, options)))
}

async function up(terminal: Terminal, herd: string, options: UpOptions): Promise<ExitCode> {
  const config = await herdOf(terminal, herd, options)
  const report = options.json
    ? jsonReport(terminal, config)
    : textReport(terminal, config, commandText(terminal))
  report.starting()
  for (const warning of config.warnings) report.warning(warning)
  // Read here too, so that what is wrong with them is said once and not by every server.
  const secret = await loadOrMakeSecret(config, terminal.env, report.warning)
  // Each server would have one of its own, and no link.
  if (secret.source === 'unavailable') throw new SecretUnusable(secret.from)
  const names = config.servers.filter(({ classic }) => !classic).map(({ name }) => name)
  const notice = secretNotice(secret, config, names)
  if (notice !== undefined) report.warning(notice)
  await loadPlacesSecrets(config, terminal.env, report.warning)
  const keepers = keepersOf(terminal, config, options, report)
  const stopAsked = Promise.withResolvers<void>()
  let demo: ServerKeeper | null = null
  let isStopAsked = false
  const ignoreSignals = onStopSignals({
    stop: () => {
      isStopAsked = true
      stopAsked.resolve()
    },
    stopNow: () => {
      for (const keeper of keepers.values()) keeper.stopNow()
      demo?.stopNow()
      process.exit(EXIT.interrupted)
    },
  })
  const started = startAll(keepers, report)
  // A stop that comes while they start is not a start that failed.
  const code = await Promise.race([started, stopAsked.promise.then(() => EXIT.ok)])
  const isUp = code === EXIT.ok && !isStopAsked
  if (isUp && options.demo) demo = demoKeeper(terminal, config, options, report)
  // What it can't do it says itself.
  void demo?.start().catch(() => {})
  if (code === EXIT.ok) await stopAsked.promise
  report.stopping()
  await demo?.stop()
  await Promise.all(Array.from(keepers.values(), (keeper) => keeper.stop()))
  report.stopped()
  ignoreSignals()
  return code
}

function keepersOf(
  terminal: Terminal,
  config: HerdConfig,
  options: UpOptions,
  report: UpReport,
): ReadonlyMap<string, ServerKeeper> {
  const servers = config.servers.filter(({ classic }) => !classic)
  if (servers.length === 0) {
    throw new UsageError(`${config.name} has only classic servers, which are started by their own program`)
  }
  return new Map(
    servers.map(({ name }) => {
      const launch = () => launchServer(terminal, config, name, options)
      return [name, new ServerKeeper(launch, (event) => report.server(name, event))]
    }),
  )
}

function demoKeeper(
  terminal: Terminal,
  config: HerdConfig,
  options: UpOptions,
  report: UpReport,
): ServerKeeper {
  const settings: DemoSettings = { clients: options.demoClients, rate: options.demoRate }
  const args = ['demo', config.file, '--supervised', ...demoArguments(settings)]
  return new ServerKeeper(
    () => forkCommand(terminal, args),
    (event) => report.demo(settings, event),
  )
}

// All are waited for, also when one has failed: when five ports are taken, five are named.
async function startAll(keepers: ReadonlyMap<string, ServerKeeper>, report: UpReport): Promise<ExitCode> {
  const names = [...keepers.keys()]
  const starts = await Promise.allSettled(Array.from(keepers.values(), (keeper) => keeper.start()))
  const failures = starts.flatMap((start, index) => {
    if (start.status === 'fulfilled') return []
    const reason: unknown = start.reason
    return [{ name: names[index] ?? '', reason: reason instanceof Error ? reason.message : String(reason) }]
  })
  for (const { name, reason } of failures) report.failed(name, reason)
  if (failures.length > 0) return EXIT.failed
  report.up()
  return EXIT.ok
}

function launchServer(
  terminal: Terminal,
  config: HerdConfig,
  name: string,
  options: UpOptions,
): ChildProcess {
  const folders = [
    ['--state-folder', options.stateFolder],
    ['--log-folder', options.logFolder],
    ['--log-level', options.logLevel],
  ].flatMap(([flag, value]) => (flag === undefined || value === undefined ? [] : [flag, value]))
  return forkCommand(terminal, ['start', name, '--supervised', '--herd', config.file, ...folders])
}

function forkCommand(terminal: Terminal, args: readonly string[]): ChildProcess {
  return fork(HERD_COMMAND, args, {
    cwd: terminal.cwd,
    env: terminal.env,
    execArgv: [],
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
}

// How to call us again from where we are: by path in a checkout, by name where we are installed.
function commandText(terminal: Terminal): string {
  const script = process.argv[1] ?? ''
  return script.endsWith('.js') ? `node ${relative(terminal.cwd, script)}` : 'herd'
}
