import { existsSync } from 'node:fs'
import { parseFigures } from '../load/figures.ts'
import { startHerd, whyNoHerd } from '../servers/herd-server.ts'
import { measureAndStop } from '../servers/running-server.ts'
import { summarize } from '../support/statistics.ts'
import { type Column, formatCount, formatTable } from '../support/table.ts'
import type { BenchContext, Benchmark, BenchmarkReport } from './contender.ts'
import { runLoad, startLoad } from './load-process.ts'
import { formatSpread, type Measurable, measureRounds, type Rounds, toData } from './rounds.ts'

const BROWSER = '/usr/bin/chromium'
const PAGE = new URL('../../dist/web/index.html', import.meta.url)
const MOVERS = 10_000
const SECONDS_MIN = 10
const ROUNDS_MAX = 3
/** Chromium starts, and all movers come. */
const MORE_MS = 90_000

/** Frames of the map while everybody moves. */
interface MapSample {
  readonly frames: number
  readonly seconds: number
  /** Between one frame and the next. */
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

const chromium: Measurable<MapSample> = {
  name: 'chromium',
  title: 'the map in headless Chromium',
  missing: () => whyNoHerd() ?? whyNoMap(),
  measure: async (context) =>
    measureAndStop(await startHerd('herd', { logLevel: 'events' }, context), async ({ port }) => {
      const movers = await startLoad('movers-load.ts', { port, clients: MOVERS }, context)
      try {
        const seconds = Math.max(SECONDS_MIN, context.seconds)
        const options = { url: `http://127.0.0.1:${port}/`, browser: BROWSER, movers: MOVERS, seconds }
        const stdout = await runLoad('map-frames.ts', options, seconds * 1000 + MORE_MS, context, 'any')
        return parseFigures(stdout, ['frames', 'seconds', 'p50Ms', 'p99Ms', 'maxMs'])
      } finally {
        await movers.stop()
      }
    }),
}

function whyNoMap(): string | undefined {
  if (!existsSync(BROWSER)) return 'chromium is not installed'
  return existsSync(PAGE) ? undefined : 'the map is not built: npm run build:web'
}

/** The live map while ten thousand clients report once a second. */
export const map: Benchmark = { name: 'map', contenders: [chromium], run }

async function run(context: BenchContext): Promise<BenchmarkReport> {
  const count = Math.min(context.rounds, ROUNDS_MAX)
  const tell = (sample: MapSample): string =>
    `${rateOf(sample).toFixed(1)} frames/s, longest ${sample.maxMs.toFixed(0)} ms`
  const rounds = await measureRounds('map', [chromium], count, context, tell)
  return { text: formatReport(rounds, count), data: toData(rounds) }
}

function rateOf({ frames, seconds }: MapSample): number {
  return frames / seconds
}

const COLUMNS: readonly Column[] = [
  { title: 'of the rounds', align: 'left' },
  { title: 'median', align: 'right' },
  { title: 'min – max', align: 'right' },
]

function formatReport(rounds: Rounds<MapSample>, count: number): string {
  const samples = [...rounds.samples.values()].flat()
  const row = (title: string, figure: (sample: MapSample) => number): string[] => [
    title,
    ...formatSpread(summarize(samples.map(figure)), 1),
  ]
  return [
    `The map with ${formatCount(MOVERS)} clients that report once a second, headless Chromium, drawn by the CPU (${count} rounds)`,
    formatTable(COLUMNS, [
      row('frames/s', rateOf),
      row('frame p50 ms', ({ p50Ms }) => p50Ms),
      row('frame p99 ms', ({ p99Ms }) => p99Ms),
      row('longest frame ms', ({ maxMs }) => maxMs),
    ]),
    ...rounds.notes,
  ].join('\n\n')
}
