import type { BenchContext, Benchmark, BenchmarkReport, Contender, Shape } from './contender.ts'
import { echo } from './echo.ts'
import { herd, herdTraffic } from './herd.ts'
import { formatShapeRounds, type RatioPair } from './rates.ts'
import { redis, redisMoving } from './redis.ts'
import { measureShapeRounds, toShapeData } from './shape-rounds.ts'

const SHAPES: readonly Shape[] = [
  { connections: 50, inFlight: 64 },
  { connections: 50, inFlight: 1 },
]
const CONTENDERS: readonly Contender[] = [echo, herd, herdTraffic, redis, redisMoving]
const RATIOS: readonly RatioPair[] = [herd, herdTraffic].flatMap((ours) =>
  [echo, redis, redisMoving].map((theirs): RatioPair => [ours, theirs]),
)

/** Reports that one server takes in a second, beside an echo of the same bytes and Redis GEOADD. */
export const iamat: Benchmark = { name: 'iamat', contenders: CONTENDERS, run }

async function run(context: BenchContext): Promise<BenchmarkReport> {
  const { results, notes } = await measureShapeRounds(iamat.name, SHAPES, CONTENDERS, context)
  const tables = results.map((one) => `IAMAT over TCP, ${formatShapeRounds(one, RATIOS)}`)
  return { text: [...tables, ...notes].join('\n\n'), data: toShapeData(results, RATIOS, notes) }
}
