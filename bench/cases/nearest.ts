import { parseFigures } from '../load/figures.ts'
import { startHerd, whyNoHerd } from '../servers/herd-server.ts'
import { startRedis, whyNoRedis } from '../servers/redis-server.ts'
import { measureAndStop, type RunningServer } from '../servers/running-server.ts'
import { present, summarize } from '../support/statistics.ts'
import { type Column, formatCount, formatDecimal, formatShare, formatTable } from '../support/table.ts'
import type { BenchContext, Benchmark, BenchmarkReport } from './contender.ts'
import { tellFleet } from './fleet-load.ts'
import { runLoad } from './load-process.ts'
import { compare, formatSpread, type Measurable, measureRounds, type Rounds, toData } from './rounds.ts'

/** A few hundred clients at a million in the city, and some 30,000: the first is a scan, the second must not be. */
const RADII_KM = [1, 10] as const
const ITEMS = 20
const CONNECTIONS = 10
const IN_FLIGHT = 4
/** A load looks at everyone for each answer that it checks: some 0.2 µs a client. */
const CHECK_MS_PER_CLIENT = 0.02

/** What was measured for one radius. */
interface RadiusSample {
  readonly radiusKm: number
  readonly queries: number
  readonly seconds: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
  /** Compared with the truth. */
  readonly answersChecked: number
  /** Cores kept busy. */
  readonly serverCpu: number | undefined
  readonly loadCpu: number | undefined
}

interface NearestSample {
  readonly fillSeconds: number
  readonly radii: readonly RadiusSample[]
}

const herd: Measurable<NearestSample> = {
  name: 'herd',
  title: 'herd WHOSAT',
  missing: whyNoHerd,
  measure: async (context) => {
    const limits = { clientsMax: context.clients }
    const running = await startHerd('herd', { logLevel: 'events', limits }, context)
    return measureAndStop(running, () => measure(running, 'herd', context))
  },
}

const redis: Measurable<NearestSample> = {
  name: 'redis',
  title: 'Redis GEOSEARCH',
  missing: whyNoRedis,
  measure: async (context) =>
    measureAndStop(await startRedis('redis', context), (running) => measure(running, 'redis', context)),
}

/** The nearest to a client in a crowded city, beside Redis that knows the same positions. */
export const nearest: Benchmark = { name: 'nearest', contenders: [herd, redis], run }

async function run(context: BenchContext): Promise<BenchmarkReport> {
  const tell = ({ radii }: NearestSample): string =>
    radii.map((one) => `${Math.round(rateOf(one))} queries/s within ${one.radiusKm} km`).join(', ')
  const rounds = await measureRounds('nearest', [herd, redis], context.rounds, context, tell)
  const ratios = RADII_KM.map((radiusKm) => ({ radiusKm, 'herd / redis': ratioAt(rounds, radiusKm, rateOf) }))
  return { text: formatReport(rounds, context), data: { ...toData(rounds), ratios } }
}

async function measure(
  running: RunningServer,
  dialect: 'herd' | 'redis',
  context: BenchContext,
): Promise<NearestSample> {
  const { clients } = context
  const { seconds } = await tellFleet(running, dialect, { feed: 'fill', first: 0, end: clients }, context)
  const radii: RadiusSample[] = []
  for (const radiusKm of RADII_KM) radii.push(await ask(running, dialect, radiusKm, context))
  return { fillSeconds: seconds, radii }
}

async function ask(
  { port, server }: RunningServer,
  dialect: string,
  radiusKm: number,
  context: BenchContext,
): Promise<RadiusSample> {
  const { clients, seconds } = context
  // All radii together are warmed up as long as any other benchmark.
  const warmUpSeconds = context.warmUpSeconds / RADII_KM.length
  const options = {
    port,
    dialect,
    clients,
    'radius-km': radiusKm,
    items: ITEMS,
    connections: CONNECTIONS,
    'in-flight': IN_FLIGHT,
    'warm-up-seconds': warmUpSeconds,
    seconds,
    'server-pid': server.pid,
  }
  const msMax = (warmUpSeconds + seconds) * 1000 + clients * CHECK_MS_PER_CLIENT
  const stdout = await runLoad('nearest-load.ts', options, msMax, context)
  const names = ['queries', 'seconds', 'p50Ms', 'p99Ms', 'maxMs', 'answersChecked'] as const
  return { radiusKm, ...parseFigures(stdout, names), ...parseCpu(stdout) }
}

/** Missing where the system does not tell. */
function parseCpu(text: string): Pick<RadiusSample, 'serverCpu' | 'loadCpu'> {
  const { serverCpu, loadCpu } = JSON.parse(text) as { serverCpu?: number; loadCpu?: number }
  return { serverCpu, loadCpu }
}

function rateOf({ queries, seconds }: RadiusSample): number {
  return queries / seconds
}

/** Queries in a second of the server's CPU. */
function ratePerCpu(sample: RadiusSample): number | undefined {
  return sample.serverCpu === undefined ? undefined : rateOf(sample) / sample.serverCpu
}

function ratioAt(
  rounds: Rounds<NearestSample>,
  radiusKm: number,
  figure: (sample: RadiusSample) => number | undefined,
): ReturnType<typeof compare> {
  return compare(rounds, herd, redis, ({ radii }) => {
    const sample = radii.find((one) => one.radiusKm === radiusKm)
    return sample === undefined ? undefined : figure(sample)
  })
}

const COLUMNS: readonly Column[] = [
  { title: 'server', align: 'left' },
  { title: 'radius', align: 'right' },
  { title: 'queries/s', align: 'right' },
  { title: 'min – max', align: 'right' },
  { title: 'p50 ms', align: 'right' },
  { title: 'p99 ms', align: 'right' },
  { title: 'server CPU', align: 'right' },
  { title: 'load CPU', align: 'right' },
  { title: 'server ms/query', align: 'right' },
]

const RATIO_COLUMNS: readonly Column[] = [
  { title: 'herd / redis, round by round', align: 'left' },
  { title: 'queries/s', align: 'right' },
  { title: 'min – max', align: 'right' },
  { title: 'queries per server CPU second', align: 'right' },
  { title: 'min – max', align: 'right' },
]

function formatReport(rounds: Rounds<NearestSample>, { clients }: BenchContext): string {
  const rows = RADII_KM.flatMap((radiusKm) =>
    Array.from(rounds.samples, ([{ title }, samples]) => {
      const ofRadius = samples.flatMap(({ radii }) => radii.filter((one) => one.radiusKm === radiusKm))
      return [title, `${radiusKm} km`, ...formatCells(ofRadius)]
    }),
  )
  const ratios = RADII_KM.map((radiusKm) => [
    `${radiusKm} km`,
    ...formatSpread(ratioAt(rounds, radiusKm, rateOf), 2),
    ...formatSpread(ratioAt(rounds, radiusKm, ratePerCpu), 2),
  ])
  return [
    `The nearest ${ITEMS} of ${formatCount(clients)} in 1° × 1°, ${CONNECTIONS} connections × ${IN_FLIGHT} in flight (medians)`,
    formatTable(COLUMNS, rows),
    formatTable(RATIO_COLUMNS, ratios),
    ...rounds.notes,
  ].join('\n\n')
}

function formatCells(samples: readonly RadiusSample[]): string[] {
  const median = (figure: (sample: RadiusSample) => number | undefined): number | undefined =>
    summarize(present(samples.map(figure)))?.median
  const perCpu = median(ratePerCpu)
  return [
    ...formatSpread(summarize(samples.map(rateOf)), formatCount),
    formatDecimal(
      median(({ p50Ms }) => p50Ms),
      2,
    ),
    formatDecimal(
      median(({ p99Ms }) => p99Ms),
      2,
    ),
    formatShare(median(({ serverCpu }) => serverCpu)),
    formatShare(median(({ loadCpu }) => loadCpu)),
    formatDecimal(perCpu === undefined ? undefined : 1000 / perCpu, 3),
  ]
}
