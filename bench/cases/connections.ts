import { parseFigures } from '../load/figures.ts'
import { startHerd, whyNoHerd } from '../servers/herd-server.ts'
import { startRedis, whyNoRedis } from '../servers/redis-server.ts'
import { measureAndStop, type RunningServer } from '../servers/running-server.ts'
import { readMemory } from '../support/memory.ts'
import { whyTooFewFiles } from '../support/open-files.ts'
import { summarize } from '../support/statistics.ts'
import { type Column, formatCount, formatTable } from '../support/table.ts'
import type { BenchContext, Benchmark, BenchmarkReport } from './contender.ts'
import { runLoad } from './load-process.ts'
import { compare, formatSpread, type Measurable, measureRounds, type Rounds, toData } from './rounds.ts'

const CONNECTIONS = 10_000
/** Every client reports so often at least in what is measured. */
const SECONDS_MIN = 10
const ROUNDS_MAX = 3
const CONNECT_MS_MAX = 20_000

/** One server with all connections, each of which reports once a second. */
interface ConnectionsSample {
  readonly answered: number
  readonly seconds: number
  readonly connectSeconds: number
  readonly p50Ms: number
  readonly p99Ms: number
  readonly p999Ms: number
  readonly maxMs: number
  /** How late the load itself was in sending. */
  readonly lateP99Ms: number
  readonly lateMaxMs: number
  /** Cores kept busy. */
  readonly serverCpu: number
  readonly loadCpu: number
  /** Share of the time in which others had the core that it was ready to use. */
  readonly serverWait: number
  readonly loadWait: number
  /** Memory of the server before the first connection, and with all of them. */
  readonly residentBefore: number
  readonly residentBytes: number
}

const FIGURES = [
  'answered',
  'seconds',
  'connectSeconds',
  'p50Ms',
  'p99Ms',
  'p999Ms',
  'maxMs',
  'lateP99Ms',
  'lateMaxMs',
  'serverCpu',
  'loadCpu',
  'serverWait',
  'loadWait',
  'residentBytes',
] as const

const herd: Measurable<ConnectionsSample> = {
  name: 'herd',
  title: 'herd',
  missing: () => whyNoHerd() ?? whyNotHere(),
  measure: async (context) =>
    measureAndStop(await startHerd('herd', { logLevel: 'events' }, context), (running) =>
      measure(running, 'herd', context),
    ),
}

const redis: Measurable<ConnectionsSample> = {
  name: 'redis',
  title: 'Redis GEOADD',
  missing: () => whyNoRedis() ?? whyNotHere(),
  measure: async (context) => {
    const running = await startRedis('redis', context, ['--maxclients', String(CONNECTIONS + 100)])
    return measureAndStop(running, () => measure(running, 'redis', context))
  },
}

/** Ten thousand clients on connections of their own, as phones are: few bytes each, many of them. */
export const connections: Benchmark = { name: 'connections', contenders: [herd, redis], run }

async function run(context: BenchContext): Promise<BenchmarkReport> {
  const count = Math.min(context.rounds, ROUNDS_MAX)
  const tell = ({ serverCpu, p99Ms }: ConnectionsSample): string =>
    `${serverCpu.toFixed(2)} cores, p99 ${p99Ms.toFixed(2)} ms`
  const rounds = await measureRounds('connections', [herd, redis], count, context, tell)
  const ratios = { cpu: compare(rounds, herd, redis, cpuOf), p99: compare(rounds, herd, redis, p99Of) }
  return { text: formatReport(rounds, count), data: { ...toData(rounds), 'herd / redis': ratios } }
}

async function measure(
  { server, port }: RunningServer,
  dialect: string,
  context: BenchContext,
): Promise<ConnectionsSample> {
  const residentBefore = readMemory(server.pid)?.residentBytes ?? Number.NaN
  const { warmUpSeconds } = context
  const seconds = Math.max(SECONDS_MIN, context.seconds)
  const options = {
    port,
    dialect,
    connections: CONNECTIONS,
    'warm-up-seconds': warmUpSeconds,
    seconds,
    'server-pid': server.pid,
  }
  const msMax = (warmUpSeconds + seconds) * 1000 + CONNECT_MS_MAX
  const stdout = await runLoad('steady-load.ts', options, msMax, context)
  return { residentBefore, ...parseFigures(stdout, FIGURES) }
}

function whyNotHere(): string | undefined {
  if (readMemory(process.pid) === undefined) return 'the system does not tell the memory of a process'
  return whyTooFewFiles(CONNECTIONS)
}

function cpuOf({ serverCpu }: ConnectionsSample): number {
  return serverCpu
}

function p99Of({ p99Ms }: ConnectionsSample): number {
  return p99Ms
}

const ROWS: readonly [
  title: string,
  figure: (sample: ConnectionsSample) => number,
  format: number | ((value: number) => string),
][] = [
  ['reports/s', ({ answered, seconds }) => answered / seconds, formatCount],
  ['server CPU, cores', cpuOf, 3],
  [
    'server CPU, µs a report',
    ({ serverCpu, answered, seconds }) => (serverCpu * seconds * 1e6) / answered,
    1,
  ],
  ['latency p50 ms', ({ p50Ms }) => p50Ms, 2],
  ['latency p99 ms', p99Of, 2],
  ['latency p99.9 ms', ({ p999Ms }) => p999Ms, 2],
  ['latency max ms', ({ maxMs }) => maxMs, 1],
  ['memory, MB', ({ residentBytes }) => residentBytes / 1e6, 0],
  ['memory before, MB', ({ residentBefore }) => residentBefore / 1e6, 0],
  ['to connect all, s', ({ connectSeconds }) => connectSeconds, 1],
  ['load CPU, cores', ({ loadCpu }) => loadCpu, 2],
  ['server waited for its core, % of the time', ({ serverWait }) => serverWait * 100, 1],
  ['load waited for its core, % of the time', ({ loadWait }) => loadWait * 100, 1],
  ['load late in sending, p99 ms', ({ lateP99Ms }) => lateP99Ms, 2],
]

function formatReport(rounds: Rounds<ConnectionsSample>, count: number): string {
  const measured = [...rounds.samples]
  const columns: Column[] = [
    { title: 'of the rounds', align: 'left' },
    ...measured.flatMap(([{ title }]): Column[] => [
      { title, align: 'right' },
      { title: 'min – max', align: 'right' },
    ]),
  ]
  const rows = ROWS.map(([title, figure, format]) => [
    title,
    ...measured.flatMap(([, samples]) => formatSpread(summarize(samples.map(figure)), format)),
  ])
  const [cpu, cpuSpread] = formatSpread(compare(rounds, herd, redis, cpuOf), 2)
  const [p99, p99Spread] = formatSpread(compare(rounds, herd, redis, p99Of), 2)
  return [
    `${formatCount(CONNECTIONS)} connections, each reports once a second (medians of ${count} rounds)`,
    ...(measured.length === 0 ? [] : [formatTable(columns, rows)]),
    ...(measured.length < 2 ? [] : [`herd / Redis: CPU ${cpu} (${cpuSpread}), p99 ${p99} (${p99Spread})`]),
    ...rounds.notes,
  ].join('\n\n')
}
