import { startRedis, whyNoRedis } from '../servers/redis-server.ts'
import { measureAndStop } from '../servers/running-server.ts'
import { type Child, waitForSuccess, withTimeout } from '../support/children.ts'
import { type CpuReading, readCpu, utilization } from '../support/cpu-time.ts'
import { readRedisVersion } from '../support/machine.ts'
import { LOOPBACK } from '../support/ports.ts'
import { parseRedisCsv, type RedisFigures } from '../support/redis-csv.ts'
import type { BenchContext, Contender, Sample, Shape } from './contender.ts'

/** As many members as our load has clients. */
const MEMBERS = 100_000
/** As long as the client IDs of our load. */
const MEMBER = 'client-__rand_int__.x'
const RUN_OVERHEAD_MS_MAX = 20_000
const CPU_EVERY_MS = 50

/**
 * Random members that never move: their score stays the same, so that the sorted set is not touched.
 * The kindest comparison for Redis, and so the one that our ratios name.
 */
export const redis: Contender = contender('redis', 'Redis GEOADD, members stay', ['-118.445127', '34.068930'])

/** Random members that move within 1° × 1° with every command, as the clients of our load do. */
export const redisMoving: Contender = contender('redis-moving', 'Redis GEOADD, members move', [
  '__rand_int__e-5',
  '__rand_int__e-5',
])

/** The same, each on the disk before it is answered: Redis writes and syncs once for all that came in a turn. */
export const redisOnDisk: Contender = contender(
  'redis-disk',
  'Redis GEOADD, appendfsync always',
  ['__rand_int__e-5', '__rand_int__e-5'],
  ['--appendonly', 'yes', '--appendfsync', 'always'],
)

function contender(
  name: string,
  title: string,
  position: readonly string[],
  moreArgs: readonly string[] = [],
): Contender {
  return {
    name,
    title,
    missing: () =>
      whyNoRedis() ?? (readRedisVersion() === undefined ? 'redis-benchmark is not installed' : undefined),
    measure: async (shape, context) => {
      const command = ['GEOADD', 'fleet', ...position, MEMBER]
      return measureAndStop(await startRedis(name, context, moreArgs), ({ server, port }) =>
        measureRedis(server, port, command, shape, context),
      )
    },
  }
}

/** redis-benchmark is told a number of commands, not a time; the warm-up tells how many fit. */
async function measureRedis(
  server: Child,
  port: number,
  command: readonly string[],
  shape: Shape,
  context: BenchContext,
): Promise<Sample> {
  const run = (commands: number) => runBenchmark(server, port, command, shape, context, commands)
  const first = await run(shape.connections * shape.inFlight * 50)
  const warm = await run(countFor(first.figures, context.warmUpSeconds))
  const { figures, serverCpu, loadCpu } = await run(countFor(warm.figures, context.seconds))
  return {
    messagesPerSecond: figures.requestsPerSecond,
    batchP50Us: figures.p50Ms * 1000,
    batchP99Us: figures.p99Ms * 1000,
    serverCpu,
    loadCpu,
    details: figures,
  }
}

function countFor(figures: RedisFigures, seconds: number): number {
  return Math.max(1000, Math.round(figures.requestsPerSecond * seconds))
}

interface Run {
  readonly figures: RedisFigures
  readonly serverCpu: number | undefined
  readonly loadCpu: number | undefined
}

async function runBenchmark(
  server: Child,
  port: number,
  command: readonly string[],
  shape: Shape,
  context: BenchContext,
  commands: number,
): Promise<Run> {
  const args = ['-h', LOOPBACK, '-p', String(port), '-c', String(shape.connections)]
  args.push('-P', String(shape.inFlight), '-n', String(commands), '-r', String(MEMBERS), '--csv', ...command)
  const load = await context.children.start(
    'redis-benchmark',
    ...context.pinning.wrap('load', 'redis-benchmark', args),
  )
  const ending = waitForSuccess(load, context.seconds * 4000 + RUN_OVERHEAD_MS_MAX)
  const busy = watchCpu(server, load)
  const { stdout } = await ending
  return { figures: parseRedisCsv(stdout), ...(await busy) }
}

/** Reads both until the load has ended: a process that is gone no longer tells what it used. */
async function watchCpu(server: Child, load: Child): Promise<Omit<Run, 'figures'>> {
  const read = (): (CpuReading | undefined)[] => [readCpu(server.pid), readCpu(load.pid)]
  const [serverFirst, loadFirst] = read()
  let serverLast = serverFirst
  let loadLast = loadFirst
  while ((await withTimeout(load.ended, CPU_EVERY_MS)) === undefined) {
    const [serverNow, loadNow] = read()
    serverLast = serverNow ?? serverLast
    loadLast = loadNow ?? loadLast
  }
  return { serverCpu: utilization(serverFirst, serverLast), loadCpu: utilization(loadFirst, loadLast) }
}
