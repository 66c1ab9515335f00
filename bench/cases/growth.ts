import { join } from 'node:path'
import { startHerd, whyNoHerd } from '../servers/herd-server.ts'
import { assertClients, readHerdInventory } from '../servers/inventory.ts'
import { measureAndStop } from '../servers/running-server.ts'
import { formatBars, formatMicroseconds } from '../support/bars.ts'
import { readCoreWait } from '../support/cpu-time.ts'
import {
  type Bucket,
  FILE_VARIABLE,
  type LoopDelay,
  readLoopDelay,
  type Spread,
} from '../support/loop-delay.ts'
import { present, summarize } from '../support/statistics.ts'
import { type Column, formatCount, formatTable } from '../support/table.ts'
import type { BenchContext, Benchmark, BenchmarkReport } from './contender.ts'
import { tellFleet } from './fleet-load.ts'
import { formatSpread, type Measurable, measureRounds, toData } from './rounds.ts'

const PRELOAD = new URL('../support/loop-delay-preload.ts', import.meta.url).href
const ROUNDS_MAX = 3
/** They report over and over before it begins, so that compiling isn't taken for growth. */
const WARM_CLIENTS = 1000
const IN_FLIGHT = 64

/** A server while it grew. */
interface GrowthSample {
  readonly newClients: number
  readonly reports: number
  readonly seconds: number
  readonly delay: LoopDelay
  /** Share of the time in which others had the core of the server; missing where the system does not tell. */
  readonly serverWait: number | undefined
}

const herd: Measurable<GrowthSample> = {
  name: 'herd',
  title: 'herd',
  missing: whyNoHerd,
  measure: async (context) => {
    const file = join(context.folder, 'loop-delay.json')
    const running = await startHerd(
      'herd',
      {
        logLevel: 'events',
        limits: { clientsMax: context.clients },
        nodeArgs: ['--import', PRELOAD],
        env: { [FILE_VARIABLE]: file },
      },
      context,
    )
    return measureAndStop(running, async () => {
      const { clients, warmUpSeconds } = context
      const { pid } = running.server
      await tellFleet(running, 'herd', { feed: 'update', end: WARM_CLIENTS, seconds: warmUpSeconds }, context)
      await readLoopDelay(pid, file)
      const order = { feed: 'grow', first: WARM_CLIENTS, end: clients, inFlight: IN_FLIGHT } as const
      const waitBefore = readCoreWait(pid)
      const told = await tellFleet(running, 'herd', order, context)
      const waitAfter = readCoreWait(pid)
      const delay = await readLoopDelay(pid, file)
      assertClients('herd', (await readHerdInventory(running)).clients, clients)
      const serverWait =
        waitBefore === undefined || waitAfter === undefined
          ? undefined
          : (waitAfter - waitBefore) / told.seconds
      return { newClients: clients - WARM_CLIENTS, ...told, delay, serverWait }
    })
  },
}

/** The longest time for which a server answers nobody while it grows from nothing. */
export const growth: Benchmark = { name: 'growth', contenders: [herd], run }

async function run(context: BenchContext): Promise<BenchmarkReport> {
  const count = Math.min(context.rounds, ROUNDS_MAX)
  const rounds = await measureRounds('growth', [herd], count, context, ({ delay, newClients, seconds }) => {
    const rate = Math.round(newClients / seconds)
    return `longest turn ${delay.turns.max.toFixed(1)} ms, ${rate} new clients/s`
  })
  const samples = rounds.samples.get(herd) ?? []
  const title = `Turns of the event loop while herd grows to ${formatCount(context.clients)} clients, as many moves between (${count} rounds)`
  return { text: [title, ...formatSamples(samples), ...rounds.notes].join('\n\n'), data: toData(rounds) }
}

const COLUMNS: readonly Column[] = [
  { title: 'of the rounds', align: 'left' },
  { title: 'median', align: 'right' },
  { title: 'min – max', align: 'right' },
]

function formatSamples(samples: readonly GrowthSample[]): string[] {
  const row = (
    title: string,
    figure: (sample: GrowthSample) => number | undefined,
    format: number | ((value: number) => string),
  ): string[] => [title, ...formatSpread(summarize(present(samples.map(figure))), format)]
  const turns = (figure: (spread: Spread) => number) => (sample: GrowthSample) => figure(sample.delay.turns)
  const garbage = (figure: (kind: LoopDelay['garbage'][string]) => number) => (sample: GrowthSample) =>
    Math.max(0, ...Object.values(sample.delay.garbage).map(figure))
  const rows = [
    row('new clients/s', ({ newClients, seconds }) => newClients / seconds, formatCount),
    row('reports/s', ({ reports, seconds }) => reports / seconds, formatCount),
    row(
      'turn p50 ms',
      turns(({ p50 }) => p50),
      2,
    ),
    row(
      'turn p90 ms',
      turns(({ p90 }) => p90),
      2,
    ),
    row(
      'turn p99 ms',
      turns(({ p99 }) => p99),
      2,
    ),
    row(
      'turn p99.9 ms',
      turns(({ p999 }) => p999),
      2,
    ),
    row(
      'longest turn ms',
      turns(({ max }) => max),
      1,
    ),
    row('longest wait of a 1 ms timer', ({ delay }) => delay.timer.max, 1),
    row(
      'longest pause for garbage ms',
      garbage(({ maxMs }) => maxMs),
      1,
    ),
    row(
      'garbage, % of the time',
      ({ delay, seconds }) =>
        Object.values(delay.garbage).reduce((sum, { totalMs }) => sum + totalMs, 0) / seconds / 10,
      1,
    ),
    row(
      'others had the core, % of the time',
      ({ serverWait }) => (serverWait === undefined ? undefined : serverWait * 100),
      1,
    ),
  ]
  const buckets = addBuckets(samples.map(({ delay }) => delay.turns.buckets))
  const bars = buckets.map(({ belowUs, count }) => ({ title: `< ${formatMicroseconds(belowUs)}`, count }))
  const histogram = `Turns of all rounds, by their length (bars: logarithm)\n\n${formatBars(bars)}`
  return samples.length === 0 ? [] : [formatTable(COLUMNS, rows), histogram]
}

function addBuckets(rounds: readonly (readonly Bucket[])[]): Bucket[] {
  const all = rounds.flat()
  const limits = [...new Set(all.map(({ belowUs }) => belowUs))].toSorted((left, right) => left - right)
  return limits.map((belowUs) => ({
    belowUs,
    count: all.reduce((sum, bucket) => sum + (bucket.belowUs === belowUs ? bucket.count : 0), 0),
  }))
}
