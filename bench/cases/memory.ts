import type { DialectName } from '../load/dialects.ts'
import { startHerd, whyNoHerd } from '../servers/herd-server.ts'
import { assertClients, countRedisMembers, readHerdInventory } from '../servers/inventory.ts'
import { startRedis, whyNoRedis } from '../servers/redis-server.ts'
import { measureAndStop, type RunningServer } from '../servers/running-server.ts'
import { isInstalled } from '../support/machine.ts'
import { readMemory, readSettledMemory } from '../support/memory.ts'
import { present, summarize } from '../support/statistics.ts'
import { type Column, formatCount, formatDecimal, formatTable } from '../support/table.ts'
import type { BenchContext, Benchmark, BenchmarkReport, Candidate } from './contender.ts'
import { tellFleet } from './fleet-load.ts'
import { compare, formatSpread, type Measurable, measureRounds, type Rounds, toData } from './rounds.ts'

const PRELOAD = new URL('../support/collect-preload.ts', import.meta.url).href
/**
 * Makes the C library give freed buffers back at once. By chance it keeps up to some 50 MB of them, whatever the
 * number of clients.
 */
const ENVIRONMENT = { MALLOC_MMAP_THRESHOLD_: '16384', MALLOC_TRIM_THRESHOLD_: '16384' } as const
/** Memory varies little, and 10 million clients take a while. */
const ROUNDS_MAX = 3
/** They report over and over before the first reading, so that code and buffers aren't counted as clients. */
const WARM_CLIENTS = 1000
/** Of reports before the second reading: a server that is at work frees what filling left behind. */
const SETTLING_SECONDS = 2
/** With fewer, what a process holds by chance (some MB) is no small part of the difference. */
const CLIENTS_ENOUGH = 200_000

/** Memory of one server in bytes, before and after it was told of `clients`. */
interface MemorySample {
  readonly clients: number
  readonly residentBefore: number
  readonly residentAfter: number
  /** The most that it ever had, as when a table is copied into a larger one. */
  readonly peak: number
  /** What the server accounts for itself, if it does. */
  readonly tableBytes: number | undefined
  readonly fillSeconds: number
}

const herd: Measurable<MemorySample> = {
  name: 'herd',
  title: 'herd',
  missing: () => whyNoHerd() ?? whyNoMemory(),
  measure: async (context) => {
    const limits = { clientsMax: context.clients }
    const nodeArgs = ['--expose-gc', '--import', PRELOAD]
    const running = await startHerd(
      'herd',
      { logLevel: 'events', limits, nodeArgs, env: ENVIRONMENT },
      context,
    )
    return measureAndStop(running, async () => {
      const collect = (): void => {
        process.kill(running.server.pid, 'SIGUSR2')
      }
      const sample = await measure(running, 'herd', collect, context)
      const { clients, tableBytes } = await readHerdInventory(running)
      assertClients('herd', clients, context.clients)
      return { ...sample, tableBytes }
    })
  },
}

const redis: Measurable<MemorySample> = {
  name: 'redis',
  title: 'Redis, GEOADD and HSET',
  missing: () =>
    whyNoRedis() ?? whyNoMemory() ?? (isInstalled('redis-cli') ? undefined : 'redis-cli is not installed'),
  measure: async (context) =>
    measureAndStop(await startRedis('redis', context), async (running) => {
      const sample = await measure(running, 'redis-facts', () => {}, context)
      assertClients('Redis', await countRedisMembers(running), context.clients)
      return sample
    }),
}

/** Bytes a client in herd, beside Redis that is told the same facts. */
export const memory: Benchmark = { name: 'memory', contenders: [herd, redis], run }

async function run(context: BenchContext): Promise<BenchmarkReport> {
  const count = Math.min(context.rounds, ROUNDS_MAX)
  const rounds = await measureRounds(
    'memory',
    [herd, redis],
    count,
    context,
    (sample) =>
      `${formatDecimal(bytesPerClient(sample), 1)} bytes a client, ${sample.fillSeconds.toFixed(1)} s`,
  )
  const ratio = compare(rounds, herd, redis, bytesPerClient)
  return {
    text: formatReport(rounds, context.clients, count),
    data: { ...toData(rounds), ratios: { 'herd / redis': ratio } },
  }
}

async function measure(
  running: RunningServer,
  dialect: DialectName,
  /** Makes the server let go of what it doesn't need. */
  collect: () => void,
  context: BenchContext,
): Promise<MemorySample> {
  const { pid } = running.server
  const { clients, warmUpSeconds } = context
  const warm = { feed: 'update', end: WARM_CLIENTS } as const
  await tellFleet(running, dialect, { ...warm, seconds: warmUpSeconds }, context)
  collect()
  const before = await readSettledMemory(pid)
  const { seconds } = await tellFleet(
    running,
    dialect,
    { feed: 'fill', first: WARM_CLIENTS, end: clients },
    context,
  )
  await tellFleet(running, dialect, { ...warm, seconds: SETTLING_SECONDS }, context)
  collect()
  const after = await readSettledMemory(pid)
  return {
    clients: clients - WARM_CLIENTS,
    residentBefore: before.residentBytes,
    residentAfter: after.residentBytes,
    peak: after.peakBytes,
    tableBytes: undefined,
    fillSeconds: seconds,
  }
}

function whyNoMemory(): string | undefined {
  return readMemory(process.pid) === undefined
    ? 'the system does not tell the memory of a process'
    : undefined
}

function bytesPerClient({ residentBefore, residentAfter, clients }: MemorySample): number {
  return (residentAfter - residentBefore) / clients
}

const COLUMNS: readonly Column[] = [
  { title: 'server', align: 'left' },
  { title: 'bytes/client', align: 'right' },
  { title: 'min – max', align: 'right' },
  { title: 'at its peak', align: 'right' },
  { title: 'table reserved', align: 'right' },
  { title: 'empty MB', align: 'right' },
  { title: 'full MB', align: 'right' },
]

function formatReport(rounds: Rounds<MemorySample>, clients: number, count: number): string {
  const rows = [...rounds.samples].map(([contender, samples]) => formatRow(contender, samples))
  const [median, spread] = formatSpread(compare(rounds, herd, redis, bytesPerClient), 2)
  return [
    `Memory of ${formatCount(clients)} clients with IDs of 20 bytes (medians of ${count} rounds)`,
    formatTable(COLUMNS, rows),
    `herd / Redis, bytes a client: ${median} (${spread})`,
    ...(clients < CLIENTS_ENOUGH
      ? [`So few clients need too little memory to measure: ${formatCount(CLIENTS_ENOUGH)} are enough.`]
      : []),
    ...rounds.notes,
  ].join('\n\n')
}

function formatRow({ title }: Candidate, samples: readonly MemorySample[]): string[] {
  const median = (figure: (sample: MemorySample) => number | undefined): number | undefined =>
    summarize(present(samples.map(figure)))?.median
  return [
    title,
    ...formatSpread(summarize(samples.map(bytesPerClient)), 1),
    formatDecimal(
      median(({ peak, residentBefore, clients }) => (peak - residentBefore) / clients),
      1,
    ),
    formatDecimal(
      median(({ tableBytes, clients }) => (tableBytes === undefined ? undefined : tableBytes / clients)),
      1,
    ),
    formatDecimal(
      median(({ residentBefore }) => residentBefore / 1e6),
      0,
    ),
    formatDecimal(
      median(({ residentAfter }) => residentAfter / 1e6),
      0,
    ),
  ]
}
