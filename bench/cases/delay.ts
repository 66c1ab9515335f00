import { SINK_HOST } from '../load/pulse.ts'
import type { PulseResult } from '../load/pulse-result.ts'
import { type Encryption, formatTargets, type Target } from '../load/targets.ts'
import { RING_OF_FIVE } from '../servers/graphs.ts'
import { withCluster } from '../servers/herd-cluster.ts'
import { startNats, whyNoNats } from '../servers/nats-cluster.ts'
import { findFreePorts } from '../support/ports.ts'
import { present, summarize } from '../support/statistics.ts'
import { type Column, formatCount, formatTable } from '../support/table.ts'
import type { BenchContext, Benchmark, BenchmarkReport } from './contender.ts'
import { herdWithLinks } from './encrypted.ts'
import { runLoad } from './load-process.ts'
import { compare, formatSpread, type Measurable, measureRounds, type Rounds, toData } from './rounds.ts'

const UPDATES_PER_SECOND = 2000
const SECONDS_MIN = 5
/** For the stand-ins to be dialed, and for the last updates. */
const MORE_MS_MAX = 25_000

const plain = herdWithLinks('none', measureHerd)
const psk = herdWithLinks('psk', measureHerd)
const nats: Measurable<PulseResult> = {
  name: 'nats',
  title: 'NATS, 5 servers',
  missing: whyNoNats,
  measure: async (context) => {
    const cluster = await startNats(RING_OF_FIVE.names, context)
    try {
      return await measure('nats', cluster.targets, undefined, cluster.pids, context)
    } finally {
      await cluster.stop()
    }
  },
}
const CONTENDERS = [psk, plain, nats]

/** How long it takes until all five servers know of an update, at a low rate, beside a cluster of NATS. */
export const delay: Benchmark = { name: 'delay', contenders: CONTENDERS, run }

async function run(context: BenchContext): Promise<BenchmarkReport> {
  const tell = ({ everywhere }: PulseResult): string =>
    `everywhere after p50 ${everywhere?.p50Ms.toFixed(2)}, p99 ${everywhere?.p99Ms.toFixed(2)} ms`
  const rounds = await measureRounds('delay', CONTENDERS, context.rounds, context, tell)
  const ratios = listRatios(rounds)
  return { text: formatReport(rounds, ratios, context), data: { ...toData(rounds), ratios } }
}

/** Each server has a neighbor of the old kind, that the load stands in for: it is pushed an AT line of each update. */
async function measureHerd(encryption: Encryption, context: BenchContext): Promise<PulseResult> {
  const { names, links } = RING_OF_FIVE
  const sinkPorts = await findFreePorts(names.length)
  const sinkOf = (name: string): string => `Old${name}`
  const plan = {
    names,
    encryption,
    links: [...links, ...names.map((name) => [name, sinkOf(name)] as const)],
    classics: Object.fromEntries(
      names.map((name, index) => [sinkOf(name), { host: SINK_HOST, port: sinkPorts[index] ?? 0 }]),
    ),
    settings: { link: { redialMsMin: 100, redialMsMax: 500 } },
  }
  return withCluster(plan, context, ({ targets, pids }) => measure('herd', targets, sinkPorts, pids, context))
}

async function measure(
  dialect: 'herd' | 'nats',
  targets: readonly Target[],
  sinkPorts: readonly number[] | undefined,
  pids: readonly number[],
  context: BenchContext,
): Promise<PulseResult> {
  const { warmUpSeconds } = context
  const seconds = Math.max(SECONDS_MIN, context.seconds)
  const options = {
    dialect,
    targets: formatTargets(targets),
    'sink-ports': sinkPorts?.join(','),
    'server-pids': pids.join(','),
    rate: UPDATES_PER_SECOND,
    'warm-up-seconds': warmUpSeconds,
    seconds,
  }
  const msMax = (warmUpSeconds + seconds) * 1000 + MORE_MS_MAX
  const result = JSON.parse(await runLoad('pulse-load.ts', options, msMax, context, 'any')) as PulseResult
  if (result.missing > 0) throw new Error(`${result.missing} updates did not come to all servers`)
  return result
}

const ROWS: readonly (readonly [title: string, figure: (sample: PulseResult) => number | undefined])[] = [
  ['answered, p50', ({ answered }) => answered?.p50Ms],
  ['answered, p99', ({ answered }) => answered?.p99Ms],
  ['at one other, p50', ({ each }) => each?.p50Ms],
  ['at one other, p99', ({ each }) => each?.p99Ms],
  ['at all others, p50', ({ everywhere }) => everywhere?.p50Ms],
  ['at all others, p99', ({ everywhere }) => everywhere?.p99Ms],
  ['at all others, longest', ({ everywhere }) => everywhere?.maxMs],
  ['servers’ CPU, cores', ({ serverCpu }) => serverCpu],
  ['load’s CPU, cores', ({ loadCpu }) => loadCpu],
]

interface DelayRatio {
  readonly name: string
  readonly p50: ReturnType<typeof compare>
  readonly p99: ReturnType<typeof compare>
}

function listRatios(rounds: Rounds<PulseResult>): DelayRatio[] {
  const ratios = [psk, plain].map((herd) => ({
    name: `${herd.name} / nats`,
    p50: compare(rounds, herd, nats, ({ everywhere }) => everywhere?.p50Ms),
    p99: compare(rounds, herd, nats, ({ everywhere }) => everywhere?.p99Ms),
  }))
  return ratios.filter(({ p50 }) => p50 !== undefined)
}

function formatReport(
  rounds: Rounds<PulseResult>,
  ratios: readonly DelayRatio[],
  { rounds: count }: BenchContext,
): string {
  const measured = [...rounds.samples]
  const columns: Column[] = [
    { title: 'ms after sending', align: 'left' },
    ...measured.flatMap(([{ title }]): Column[] => [
      { title, align: 'right' },
      { title: 'min – max', align: 'right' },
    ]),
  ]
  const rows = ROWS.map(([title, figure]) => [
    title,
    ...measured.flatMap(([, samples]) => formatSpread(summarize(present(samples.map(figure))), 2)),
  ])
  const ratioLines = ratios.map(({ name, p50, p99 }) => {
    const [[p50Median, p50Spread], [p99Median, p99Spread]] = [formatSpread(p50, 2), formatSpread(p99, 2)]
    return `${name}, at all others: p50 ${p50Median} (${p50Spread}), p99 ${p99Median} (${p99Spread})`
  })
  return [
    `${formatCount(UPDATES_PER_SECOND)} updates/s at five servers in turn (medians of ${count} rounds; servers and load share all cores)`,
    ...(measured.length === 0 ? [] : [formatTable(columns, rows)]),
    ...ratioLines,
    ...rounds.notes,
  ].join('\n\n')
}
