import type { FloodResult } from '../load/flood-result.ts'
import { type Encryption, formatTargets, type Target } from '../load/targets.ts'
import { RING_OF_FIVE } from '../servers/graphs.ts'
import { withCluster } from '../servers/herd-cluster.ts'
import { startNats, whyNoNats } from '../servers/nats-cluster.ts'
import { summarize } from '../support/statistics.ts'
import { type Column, formatCount, formatDecimal, formatTable } from '../support/table.ts'
import type { BenchContext, Benchmark, BenchmarkReport } from './contender.ts'
import { herdWithLinks } from './encrypted.ts'
import { runLoad } from './load-process.ts'
import { compare, formatSpread, type Measurable, measureRounds, type Rounds, toData } from './rounds.ts'

const CLIENTS = 10_000
const CONNECTIONS_PER_SERVER = 2
/** Updates that each connection sends before it waits: little is under way, or much. */
const IN_FLIGHT = [64, 512] as const
/** Rates that are tried after the first, each as long as it. */
const STEPS_MAX = 4
/** Until a flood has settled and the servers were asked for everything that they know. */
const SETTLE_MS_MAX = 10_000
/** Room for all clients in one answer, by which the servers are compared. */
const LIMITS = { whosatItemsMax: 2 * CLIENTS }

/** All shapes of one contender in one round, in the order of `IN_FLIGHT`. */
type FloodSample = readonly FloodResult[]

const plain = herdWithLinks('none', measureHerd)
const psk = herdWithLinks('psk', measureHerd)
const nats: Measurable<FloodSample> = {
  name: 'nats',
  title: 'NATS, 5 servers',
  missing: whyNoNats,
  measure: (context) =>
    measureShapes(async (inFlight) => {
      const cluster = await startNats(RING_OF_FIVE.names, context)
      try {
        return await measure('nats', inFlight, cluster.targets, cluster.pids, context)
      } finally {
        await cluster.stop()
      }
    }),
}
const CONTENDERS = [psk, plain, nats]

/** Updates that five servers take evenly and that all five come to know, beside a cluster of NATS. */
export const flood: Benchmark = { name: 'flood', contenders: CONTENDERS, run }

async function run(context: BenchContext): Promise<BenchmarkReport> {
  const tell = (sample: FloodSample): string =>
    sample.map((one) => `${formatCount(acceptedPerSecond(one))} updates/s`).join(', ')
  const rounds = await measureRounds('flood', CONTENDERS, context.rounds, context, tell)
  const shapes = IN_FLIGHT.map((inFlight, shape) => ({ inFlight, ratios: compareShape(rounds, shape) }))
  return { text: formatReport(rounds, context), data: { ...toData(rounds), shapes } }
}

function measureHerd(encryption: Encryption, context: BenchContext): Promise<FloodSample> {
  const settings = { limits: LIMITS }
  return measureShapes((inFlight) =>
    withCluster({ ...RING_OF_FIVE, encryption, settings }, context, ({ targets, pids }) =>
      measure('herd', inFlight, targets, pids, context),
    ),
  )
}

async function measureShapes(measureShape: (inFlight: number) => Promise<FloodResult>): Promise<FloodSample> {
  const results: FloodResult[] = []
  for (const inFlight of IN_FLIGHT) results.push(await measureShape(inFlight))
  return results
}

async function measure(
  dialect: 'herd' | 'nats',
  inFlight: number,
  targets: readonly Target[],
  pids: readonly number[],
  context: BenchContext,
): Promise<FloodResult> {
  const { seconds, warmUpSeconds } = context
  const options = {
    dialect,
    targets: formatTargets(targets),
    'server-pids': pids.join(','),
    connections: CONNECTIONS_PER_SERVER,
    'in-flight': inFlight,
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

/** What an update costs all servers together while updates are accepted. */
function cpuUsPerUpdate({ full }: FloodResult): number {
  return (full.serverCpu * full.seconds * 1e6) / full.accepted
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
  { title: 'servers’ µs/update', align: 'right' },
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
  { title: 'servers’ µs', align: 'right' },
  { title: 'min – max', align: 'right' },
]

interface FloodRatio {
  readonly name: string
  readonly accepted: ReturnType<typeof compare>
  readonly appliedEverywhere: ReturnType<typeof compare>
  readonly lossless: ReturnType<typeof compare>
  /** Here more than 1 is worse. */
  readonly cpuUsPerUpdate: ReturnType<typeof compare>
}

/** Both kinds of links beside NATS, as far as they were measured. */
function compareShape(rounds: Rounds<FloodSample>, shape: number): FloodRatio[] {
  const ratios = [psk, plain].map((herd) => {
    const compareTo = (figure: (result: FloodResult) => number | undefined): ReturnType<typeof compare> =>
      compare(rounds, herd, nats, (sample) => {
        const result = sample[shape]
        return result === undefined ? undefined : figure(result)
      })
    return {
      name: `${herd.name} / nats`,
      accepted: compareTo(acceptedPerSecond),
      appliedEverywhere: compareTo(appliedPerSecond),
      lossless: compareTo(losslessPerSecond),
      cpuUsPerUpdate: compareTo(cpuUsPerUpdate),
    }
  })
  return ratios.filter(({ accepted }) => accepted !== undefined)
}

function formatReport(rounds: Rounds<FloodSample>, { rounds: count }: BenchContext): string {
  const tables = IN_FLIGHT.map((inFlight, shape) => formatShape(rounds, inFlight, shape))
  return [
    `Updates of ${formatCount(CLIENTS)} clients at five servers evenly (medians of ${count} rounds; servers and ` +
      'load share all cores)',
    ...tables,
    ...rounds.notes,
  ].join('\n\n')
}

function formatShape(rounds: Rounds<FloodSample>, inFlight: number, shape: number): string {
  const rows = [...rounds.samples].map(([{ title }, samples]) => [
    title,
    ...formatRow(samples.flatMap((sample) => sample[shape] ?? [])),
  ])
  const ratios = compareShape(rounds, shape).map((ratio) => [
    ratio.name,
    ...formatSpread(ratio.accepted, 2),
    ...formatSpread(ratio.appliedEverywhere, 2),
    ...formatSpread(ratio.lossless, 2),
    ...formatSpread(ratio.cpuUsPerUpdate, 2),
  ])
  return [
    `${CONNECTIONS_PER_SERVER} connections × ${inFlight} in flight at each server`,
    formatTable(COLUMNS, rows),
    ...(ratios.length === 0 ? [] : [formatTable(RATIO_COLUMNS, ratios)]),
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
    formatDecimal(median(cpuUsPerUpdate), 1),
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
