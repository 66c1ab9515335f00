import type { FanFigures } from '../load/fan-delays.ts'
import { parseFigures } from '../load/figures.ts'
import type { WatchKind } from '../load/watchers.ts'
import { startHerd, whyNoHerd } from '../servers/herd-server.ts'
import { measureAndStop } from '../servers/running-server.ts'
import { readMemory } from '../support/memory.ts'
import { present, summarize } from '../support/statistics.ts'
import { type Column, formatCount, formatShare, formatTable } from '../support/table.ts'
import type { BenchContext, Benchmark, BenchmarkReport } from './contender.ts'
import { runLoad } from './load-process.ts'
import { formatSpread, type Measurable, measureRounds, type Rounds, toData } from './rounds.ts'

const PRELOAD = new URL('../support/collect-preload.ts', import.meta.url).href
/** As for the memory of clients: the C library gives back what was freed. */
const ENVIRONMENT = { MALLOC_MMAP_THRESHOLD_: '16384', MALLOC_TRIM_THRESHOLD_: '16384' } as const
const WATCHERS = 1000
const RATES = [1, 10, 100] as const
const ROUNDS_MAX = 3
const SECONDS_MIN = 5
/** Watchers come, and memory settles four times. */
const MORE_MS = 150_000

/** One server whom all watch. */
interface FanoutSample {
  readonly watchers: number
  /** Of them, those that came between the two readings of memory. */
  readonly counted: number
  readonly residentBefore: number
  readonly residentAfter: number
  /** After all fixes were told, when what they needed was freed. */
  readonly residentBusy: number
  readonly rates: readonly RateSample[]
}

interface RateSample extends FanFigures {
  /** Fixes a second. */
  readonly rate: number
  /** Of all times that a watcher was to be told, those in which it was within 15 s. */
  readonly told: number
  readonly serverCpu?: number
  readonly loadCpu?: number
}

const CONTENDERS = [contender('sse', 'server-sent events'), contender('socket', 'WebSockets')]

/** One fix to a thousand who watch: how long until each of them and the last has it, and what memory each takes. */
export const fanout: Benchmark = { name: 'fanout', contenders: CONTENDERS, run }

async function run(context: BenchContext): Promise<BenchmarkReport> {
  const count = Math.min(context.rounds, ROUNDS_MAX)
  const tell = ({ rates }: FanoutSample): string =>
    rates.map(({ rate, lastP99Ms }) => `${rate}/s: last p99 ${lastP99Ms.toFixed(1)} ms`).join(', ')
  const rounds = await measureRounds('fanout', CONTENDERS, count, context, tell)
  return { text: formatReport(rounds, count), data: toData(rounds) }
}

function contender(kind: WatchKind, title: string): Measurable<FanoutSample> {
  return {
    name: kind,
    title,
    missing: () =>
      whyNoHerd() ??
      (readMemory(process.pid) === undefined
        ? 'the system does not tell the memory of a process'
        : undefined),
    measure: async (context) => {
      const nodeArgs = ['--expose-gc', '--import', PRELOAD]
      const running = await startHerd('herd', { logLevel: 'events', nodeArgs, env: ENVIRONMENT }, context)
      return measureAndStop(running, async ({ server, port }) => {
        const seconds = Math.max(SECONDS_MIN, context.seconds)
        const options = {
          port,
          kind,
          watchers: WATCHERS,
          rates: RATES.join(','),
          'warm-up-seconds': context.warmUpSeconds,
          seconds,
          'server-pid': server.pid,
        }
        const msMax = (context.warmUpSeconds + RATES.length * seconds) * 1000 + MORE_MS
        const stdout = await runLoad('fanout-load.ts', options, msMax, context)
        const names = ['watchers', 'counted', 'residentBefore', 'residentAfter', 'residentBusy'] as const
        const { rates } = JSON.parse(stdout) as Pick<FanoutSample, 'rates'>
        return { ...parseFigures(stdout, names), rates }
      })
    },
  }
}

const COLUMNS: readonly Column[] = [
  { title: 'watchers by', align: 'left' },
  { title: 'fixes/s', align: 'right' },
  { title: 'each p50 ms', align: 'right' },
  { title: 'each p99 ms', align: 'right' },
  { title: 'min – max', align: 'right' },
  { title: 'last p50 ms', align: 'right' },
  { title: 'last p99 ms', align: 'right' },
  { title: 'min – max', align: 'right' },
  { title: 'told', align: 'right' },
  { title: 'server CPU', align: 'right' },
  { title: 'load CPU', align: 'right' },
]

const MEMORY_COLUMNS: readonly Column[] = [
  { title: 'watchers by', align: 'left' },
  { title: 'bytes a watcher', align: 'right' },
  { title: 'min – max', align: 'right' },
  { title: 'after telling them', align: 'right' },
  { title: 'min – max', align: 'right' },
]

function formatReport(rounds: Rounds<FanoutSample>, count: number): string {
  const rows = [...rounds.samples].flatMap(([{ title }, samples]) =>
    RATES.map((rate) => formatRow(title, rate, present(samples.map((one) => ofRate(one, rate))))),
  )
  const memory = [...rounds.samples].map(([{ title }, samples]) => [
    title,
    ...formatSpread(
      summarize(samples.map((one) => (one.residentAfter - one.residentBefore) / one.counted)),
      formatCount,
    ),
    ...formatSpread(
      summarize(samples.map((one) => (one.residentBusy - one.residentBefore) / one.counted)),
      formatCount,
    ),
  ])
  return [
    `${formatCount(WATCHERS)} who watch everybody, from the POST to each of them and to the last (medians of ${count} rounds)`,
    formatTable(COLUMNS, rows),
    formatTable(MEMORY_COLUMNS, memory),
    ...rounds.notes,
  ].join('\n\n')
}

function formatRow(title: string, rate: number, samples: readonly RateSample[]): string[] {
  const spread = (figure: (sample: RateSample) => number | undefined, decimals: number) =>
    formatSpread(summarize(present(samples.map(figure))), decimals)
  return [
    title,
    String(rate),
    spread(({ eachP50Ms }) => eachP50Ms, 1)[0],
    ...spread(({ eachP99Ms }) => eachP99Ms, 1),
    spread(({ lastP50Ms }) => lastP50Ms, 1)[0],
    ...spread(({ lastP99Ms }) => lastP99Ms, 1),
    formatShare(summarize(samples.map(({ told }) => told))?.min),
    spread(({ serverCpu }) => serverCpu, 2)[0],
    spread(({ loadCpu }) => loadCpu, 2)[0],
  ]
}

function ofRate({ rates }: FanoutSample, rate: number): RateSample | undefined {
  return rates.find((sample) => sample.rate === rate)
}
