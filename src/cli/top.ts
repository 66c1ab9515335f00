/** `herd top`: the servers of a herd, live. */
import { styleText } from 'node:util'
import { type Command, Option } from 'commander'
import { askStatus, type StatusTarget } from '../replication/status-client.ts'
import { type AccessOptions, accessOf, addAccessOptions, targetAt } from './herd-access.ts'
import { addFolderOptions, addHerdOption, type FolderOptions, herdOf, milliseconds } from './herd-options.ts'
import { operatorTargets } from './operator-targets.ts'
import { onStopSignals } from './stop-signals.ts'
import { EXIT, type ExitCode, print, type Terminal } from './terminal.ts'
import { type TopAnswer, type TopHerd, topHerd } from './top-herd.ts'
import { Screen } from './top-screen.ts'
import { SORTS, type TopLayout, type TopSort, topText } from './top-text.ts'

interface TopOptions extends FolderOptions, AccessOptions {
  readonly herd?: string
  readonly server?: string
  readonly once?: boolean
  readonly json?: boolean
  readonly sort: TopSort
  readonly reverse?: boolean
  readonly interval: number
  readonly timeout: number
}

/** A pipe has no width of its own. */
const PIPE_WIDTH = 120
const KEYS =
  'q quit · n name · c clients · f fixes · a own · w watchers · b behind · p busy · u up · r reverse · ↑↓ scroll'
const SCROLL: Readonly<Record<string, number>> = {
  ...{ '\u001B[A': -1, '\u001B[B': 1, '\u001B[5~': -10, '\u001B[6~': 10, k: -1, j: 1 },
}

/** Adds `herd top`. */
export function addTop(program: Command, terminal: Terminal, finish: (code: ExitCode) => void): void {
  const names = Object.keys(SORTS)
  addAccessOptions(addHerdOption(addFolderOptions(program.command('top'))))
    .summary('watch the servers, live')
    .description(
      'Shows servers, links and rates, and whether tables agree, live in the terminal until q or Ctrl-C; into a pipe it prints ' +
        "what is so now. Asks each server, with the herd's secret, as herd status does; with --server one about all.",
    )
    .option('--server <host:port>', 'the herd as this one server sees it, instead of a herd file')
    .option('--once', 'print what is so now')
    .option('--json', 'print what is so now as an object')
    .addOption(new Option('--sort <column>', 'by what servers are sorted').choices(names).default('name'))
    .option('--reverse', 'sort the other way round')
    .option('--interval <ms>', 'how often servers are asked', milliseconds, 2000)
    .option('--timeout <ms>', 'how long to wait for a server', milliseconds, 2000)
    .addHelpText(
      'after',
      `
Examples:
  herd top --herd herds/lakers.yaml
  herd top --once --sort fixes

Exit code: 0 ended by q or Ctrl-C, or printed; 2 usage, 3 no server answers (with --once or --json).`,
    )
    .action(async (options: TopOptions) => finish(await top(terminal, options)))
}

async function top(terminal: Terminal, options: TopOptions): Promise<ExitCode> {
  const ask = await askerOf(terminal, options)
  if (options.once !== true && options.json !== true) {
    const code = await live(terminal, options, ask)
    if (code !== null) return code
  }
  const herd = await ask()
  const layout = {
    ...layoutOf(terminal, options),
    width: widthOf(terminal),
    height: Number.POSITIVE_INFINITY,
  }
  const text = options.json ? JSON.stringify(herd) : topText(herd, layout).join('\n')
  await print(terminal.output, `${text}\n`)
  return herd.servers.some(({ state }) => state !== 'down') ? EXIT.ok : EXIT.unreachable
}

/** How the herd is asked how it is. */
async function askerOf(terminal: Terminal, options: TopOptions): Promise<() => Promise<TopHerd>> {
  if (options.server !== undefined) {
    const access = await accessOf(terminal, options)
    const target = targetAt(access, options.server, options.timeout)
    return async () => {
      const answer = await answerOf(target)
      // Who answers there it says itself.
      return topHerd(access.herd, [
        'server' in answer.answer ? { ...answer, name: answer.answer.server } : answer,
      ])
    }
  }
  const config = await herdOf(terminal, options.herd, options)
  const targets = await operatorTargets(config, terminal.env, options.timeout)
  return async () => topHerd(config.name, await Promise.all(targets.map(answerOf)))
}

async function answerOf(target: StatusTarget): Promise<TopAnswer> {
  const { name, host, port } = target
  try {
    return { name, host, port, answer: await askStatus(target) }
  } catch (error) {
    return { name, host, port, answer: { reason: error instanceof Error ? error.message : String(error) } }
  }
}

/** Until q; `null`: there is no screen. */
async function live(
  terminal: Terminal,
  options: TopOptions,
  ask: () => Promise<TopHerd>,
): Promise<ExitCode | null> {
  const stopped = Promise.withResolvers<void>()
  let layout = layoutOf(terminal, options)
  let herd: TopHerd | null = null
  const draw = (isWhole = false): void => {
    if (screen === null || herd === null) return
    screen.show(topText(herd, { ...layout, width: screen.width, height: screen.height, keys: KEYS }), isWhole)
  }
  const screen: Screen | null = Screen.open(terminal, {
    key: (keys) => {
      if (keys === 'q' || keys === 'Q' || keys === '\u0003') stopped.resolve()
      layout = pressed(keys, layout)
      draw()
    },
    resized: () => draw(true),
  })
  if (screen === null) return null
  const ignoreSignals = onStopSignals({ stop: stopped.resolve, stopNow: stopped.resolve })
  try {
    let isStopped = false
    void stopped.promise.then(() => {
      isStopped = true
    })
    screen.show(['asking the servers …'], true)
    while (!isStopped) {
      const askedMs = performance.now()
      herd = (await Promise.race([ask(), stopped.promise])) ?? herd
      draw()
      const waited = waitFor(Math.max(100, options.interval - (performance.now() - askedMs)))
      await Promise.race([waited.promise, stopped.promise])
      waited.cancel()
    }
  } finally {
    ignoreSignals()
    screen.close()
  }
  return EXIT.ok
}

function pressed(keys: string, layout: TopLayout): TopLayout {
  const scroll = SCROLL[keys]
  if (scroll !== undefined) return { ...layout, skipped: Math.max(0, layout.skipped + scroll) }
  if (keys === 'r') return { ...layout, isReversed: !layout.isReversed }
  const [sort] = sortNames.filter((name) => SORTS[name] === keys)
  return sort === undefined ? layout : { ...layout, sort, isReversed: false }
}

const sortNames: readonly TopSort[] = [
  'name',
  'clients',
  'fixes',
  'accepted',
  'watchers',
  'behind',
  'busy',
  'up',
]

function layoutOf(terminal: Terminal, { sort, reverse }: TopOptions): TopLayout {
  return {
    ...{ sort, isReversed: reverse === true, skipped: 0, keys: null, width: 80, height: 24 },
    paint: (style, text) => styleText(style, text, { stream: terminal.output }),
  }
}

function widthOf({ output, env }: Terminal): number {
  if ('columns' in output && typeof output.columns === 'number') return output.columns
  const { COLUMNS } = env
  const asked = Number(COLUMNS)
  return Number.isSafeInteger(asked) && asked >= 20 ? asked : PIPE_WIDTH
}

function waitFor(ms: number): { readonly promise: Promise<void>; cancel(): void } {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, ms)
  return {
    promise,
    cancel: () => {
      clearTimeout(timer)
      resolve()
    },
  }
}
