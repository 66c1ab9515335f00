/** `herd demo`: simulated phones report to a herd that runs. */
import { type Command, Option } from 'commander'
import type { HerdConfig } from '../config.ts'
import { runDemo } from '../demo/demo.ts'
import { DemoNews } from '../demo/news.ts'
import { isAnyHost } from '../replication/addresses.ts'
import { addDemoSettings, type DemoSettings, demoText, mapAddress } from './demo-options.ts'
import { herdOf } from './herd-options.ts'
import { addTokenOption, tokenOf } from './send.ts'
import { tellParent } from './server-messages.ts'
import { parentSaysStop, peopleSayStop } from './stop-signals.ts'
import { EXIT, type ExitCode, print, printable, type Terminal, UsageError } from './terminal.ts'

interface DemoOptions extends DemoSettings {
  readonly seed: number
  readonly token?: string
  readonly supervised?: boolean
}

/** To whom it speaks: to people, or to the `herd up` that started it. */
interface Listener {
  readonly began: () => void
  readonly news: (level: 'info' | 'warning', text: string) => void
}

const NEWS_MS = 2000

/** Adds `herd demo`. */
export function addDemo(program: Command, terminal: Terminal, finish: (code: ExitCode) => void): void {
  addTokenOption(addDemoSettings(program.command('demo')))
    .summary('let simulated phones report')
    .description(
      'Lets simulated phones report to the servers of a herd that runs: people, bicycles, buses, trains, planes and a ship, each ' +
        'by its protocol to any server. One whose server is gone goes on with another. `herd up --demo` starts both. In a herd with client tokens they show ' +
        'one that may report as all of them.',
    )
    .argument('[herd file]', 'a herd that comes with Herd (ucla, lakers), or the path of a herd file', 'ucla')
    .addOption(new Option('--seed <number>', 'who moves where').default(1).argParser(Number))
    .addOption(new Option('--supervised', 'obey and report to the parent process').hideHelp())
    .addHelpText(
      'after',
      `
Examples:
  herd demo --clients 1000 --rate 0.2
  HERD_TOKEN="$(herd token create demo --report '*')" herd demo

Exit code: 0 stopped, 2 usage, 130 ended at once by a second Ctrl-C.`,
    )
    .action(async (herd: string, options: DemoOptions) => finish(await demo(terminal, herd, options)))
}

async function demo(terminal: Terminal, herd: string, options: DemoOptions): Promise<ExitCode> {
  const stopping = options.supervised ? parentSaysStop() : peopleSayStop()
  const token = tokenOf(terminal, options)
  const config = await herdOf(terminal, herd)
  const servers = config.servers
    .filter(({ classic }) => !classic)
    .map(({ name, host, port }) => ({ name, host: isAnyHost(host) ? 'localhost' : host, port, token }))
  if (servers.length === 0) throw new UsageError(`${config.name} has no server of ours`)
  const listener = options.supervised ? parentListener(config) : printing(terminal, config, options)
  const news = new DemoNews(options.clients)
  let hasBegun = false
  const running = runDemo({
    ...{ servers, clients: options.clients, rate: options.rate, seed: options.seed },
    onTurn: (turn) => {
      news.note(turn)
      // One that is refused until it has a token is there all the same: its parent isn't to take it for one that hangs.
      const isRefused = turn.outcome === 'failed' && turn.isNotAllowed && options.supervised === true
      if (hasBegun || (turn.outcome !== 'reported' && !isRefused)) return
      hasBegun = true
      listener.began()
    },
  })
  const timer = setInterval(() => {
    for (const { level, text } of news.take()) listener.news(level, text)
  }, NEWS_MS)
  await stopping
  clearInterval(timer)
  running.stop()
  return EXIT.ok
}

function parentListener({ servers }: HerdConfig): Listener {
  const { host = '', port = 0 } = servers.find(({ classic }) => !classic) ?? {}
  return {
    began: () => tellParent({ type: 'listening', host, port, alsoPorts: [] }),
    news: (level, text) => tellParent({ type: 'event', event: { level, event: 'demo', text } }),
  }
}

function printing(terminal: Terminal, config: HerdConfig, settings: DemoSettings): Listener {
  const say = (text: string): void => void print(terminal.output, `${printable(text)}\n`)
  say(`${demoText(settings)}; Ctrl-C stops it`)
  return {
    began: () => say(`open ${mapAddress(config)} and watch them move`),
    news: (_level, text) => say(text),
  }
}
