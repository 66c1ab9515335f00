import type { FloodResult } from '../load/flood-result.ts'
import { formatTargets, type LoadTarget } from '../load/targets.ts'
import { RING_OF_FIVE } from '../servers/graphs.ts'
import { withCluster } from '../servers/herd-cluster.ts'
import { type Encryption, linkSettings } from '../servers/link-encryption.ts'
import { startNats, whyNoNats } from '../servers/nats-cluster.ts'
import { summarize } from '../support/statistics.ts'
import { type Column, formatCount, formatDecimal, formatTable } from '../support/table.ts'
import type { BenchContext, Benchmark, BenchmarkReport } from './contender.ts'
import { herdWithLinks } from './encrypted.ts'
import { runLoad } from './load-process.ts'
import { compare, formatSpread, type Measurable, measureRounds, type Rounds, toData } from './rounds.ts'

const CLIENTS = 10_000
const CONNECTIONS_PER_SERVER = 2
const IN_FLIGHT = 64
/** Rates that are tried after the first, each as long as it. */
const STEPS_MAX = 4
/** Until a flood has settled and the servers were asked for everything that they know. */
const SETTLE_MS_MAX = 10_000
/** Room for all clients in one answer, by which the servers are compared. */
const LIMITS = { whosatItemsMax: 2 * CLIENTS }

const plain = herdWithLinks('none', measureHerd)
const psk = herdWithLinks('psk', measureHerd)
const nats: Measurable<FloodResult> = {
  name: 'nats',
  title: 'NATS, 5 servers',
  missing: whyNoNats,
  measure: async (context) => {
    const cluster = await startNats(RING_OF_FIVE.names, context)
    try {
      return await measure('nats', cluster.targets, cluster.pids, context)
    } finally {
      await cluster.stop()
    }
  },
}
const CONTENDERS = [psk, plain, nats]

/** Updates that five servers take evenly and that all five come to know, beside a cluster of NATS. */
export const flood: Benchmark = { name: 'flood', contenders: CONTENDERS, run }

async function run(context: BenchContext): Promise<BenchmarkReport> {
  const tell = ({ full, lossless }: FloodResult): string =>
    `${Math.round(full.accepted / full.seconds)} updates/s at full speed, ` +
    `${lossless === null ? 'none' : Math.round(lossless.appliedPerSecond)} with none overtaken`
  const rounds = await measureRounds('flood', CONTENDERS, context.rounds, context, tell)
  const ratios = [psk, plain].map((herd) => ({
    name: `${herd.name} / nats`,
    accepted: compare(rounds, herd, nats, acceptedPerSecond),
    appliedEverywhere: compare(rounds, herd, nats, appliedPerSecond),
    lossless: compare(rounds, herd, nats, losslessPerSecond),
  }))
  return { text: formatReport(rounds, ratios, context), data: { ...toData(rounds), ratios } }
}

function measureHerd(encryption: Encryption, context: BenchContext): Promise<FloodResult> {
  const settings = { limits: LIMITS, link: linkSettings(encryption) }
  return withCluster({ ...RING_OF_FIVE, settings }, context, ({ targets, pids }) =>
    measure('herd', targets, pids, context),
  )
}

async function measure(
  dialect: 'herd' | 'nats',
  targets: readonly LoadTarget[],
  pids: readonly number[],
  context: BenchContext,
): Promise<FloodResult> {
  const { seconds, warmUpSeconds } = context
  const options = {
    dialect,
    targets: formatTargets(targets),
    'server-pids': pids.join(','),
    connections: CONNECTIONS_PER_SERVER,
    'in-flight': IN_FLIGHT,
    clients: CLIENTS,
    'warm-up-seconds': warmUpSeconds,
    seconds,
  }
  const steps = 1 + STEPS_MAX
  const msMax = (warmUpSeconds + steps * seconds) * 1000 + (1 + steps) * SETTLE_MS_MAX
  const stdout = await runLoad('flood-load.ts', options, msMax, context, 'any')
  return JSON.parse(stdout) as FloodResult
}

function acceptedPerSecond({ full }: FloodResult): number {
  return full.accepted / full.seconds
}

function appliedPerSecond({ full }: FloodResult): number {
  return full.appliedPerSecond
}

function losslessPerSecond({ lossless }: FloodResult): number | undefined {
  return lossless?.appliedPerSecond
}

const COLUMNS: readonly Column[] = [
  { title: 'servers', align: 'left' },
  { title: 'accepted/s', align: 'right' },
  { title: 'min – max', align: 'right' },
  { title: 'known at all/s', align: 'right' },
  { title: 'overtaken', align: 'right' },
  { title: 'settled ms', align: 'right' },
  { title: '≤ 1 % overtaken/s', align: 'right' },
  { title: 'min – max', align: 'right' },
  { title: 'servers’ cores', align: 'right' },
  { title: 'load’s', align: 'right' },
]
const RATIO_COLUMNS: readonly Column[] = [
  { title: 'ratio, round by round', align: 'left' },
  { title: 'accepted', align: 'right' },
  { title: 'min – max', align: 'right' },
  { title: 'known at all', align: 'right' },
  { title: 'min – max', align: 'right' },
  { title: '≤ 1 % overtaken', align: 'right' },
  { title: 'min – max', align: 'right' },
]

interface FloodRatio {
  readonly name: string
  readonly accepted: ReturnType<typeof compare>
  readonly appliedEverywhere: ReturnType<typeof compare>
  readonly lossless: ReturnType<typeof compare>
}

function formatReport(
  rounds: Rounds<FloodResult>,
  ratios: readonly FloodRatio[],
  { rounds: count }: BenchContext,
): string {
  const rows = [...rounds.samples].map(([{ title }, samples]) => [title, ...formatRow(samples)])
  const shown = ratios.filter(({ accepted }) => accepted !== undefined)
  const ratioRows = shown.map(({ name, accepted, appliedEverywhere, lossless }) => [
    name,
    ...formatSpread(accepted, 2),
    ...formatSpread(appliedEverywhere, 2),
    ...formatSpread(lossless, 2),
  ])
  return [
    `Updates of ${formatCount(CLIENTS)} clients at five servers evenly, ${CONNECTIONS_PER_SERVER} connections × ` +
      `${IN_FLIGHT} in flight at each (medians of ${count} rounds; servers and load share all cores)`,
    formatTable(COLUMNS, rows),
    ...(shown.length === 0 ? [] : [formatTable(RATIO_COLUMNS, ratioRows)]),
    ...rounds.notes,
  ].join('\n\n')
}

function formatRow(samples: readonly FloodResult[]): string[] {
  const median = (figure: (sample: FloodResult) => number): number | undefined =>
    summarize(samples.map(figure))?.median
  const overtaken = median(({ full }) => full.conflatedMax * 100)
  return [
    ...formatSpread(summarize(samples.map(acceptedPerSecond)), formatCount),
    formatSpread(summarize(samples.map(appliedPerSecond)), formatCount)[0],
    `${formatDecimal(overtaken, 1)} %`,
    formatDecimal(
      median(({ full }) => full.settledMs),
      0,
    ),
    ...formatSpread(summarize(samples.map((sample) => losslessPerSecond(sample) ?? 0)), formatCount),
    formatDecimal(
      median(({ full }) => full.serverCpu),
      2,
    ),
    formatDecimal(
      median(({ full }) => full.loadCpu ?? Number.NaN),
      2,
    ),
  ]
}
