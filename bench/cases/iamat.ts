import type { BenchContext, Benchmark, BenchmarkReport, Contender, Sample, Shape } from './contender.ts'
import { echo } from './echo.ts'
import { herd, herdTraffic } from './herd.ts'
import { describeShape, formatShapeRounds, listRatios, type RatioPair, type ShapeRounds } from './rates.ts'
import { redis, redisMoving } from './redis.ts'

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
  const wanted = CONTENDERS.filter((contender) => context.wants(iamat.name, contender))
  const running = wanted.filter((contender) => contender.missing() === undefined)
  const results = SHAPES.map((shape) => ({
    shape,
    rounds: new Map(running.map((contender): [Contender, Sample[]] => [contender, []])),
  }))
  for (let round = 1; round <= context.rounds; round += 1) {
    for (const { shape, rounds } of results) {
      for (const [contender, samples] of rounds) {
        const sample = await contender.measure(shape, context)
        samples.push(sample)
        const rate = Math.round(sample.messagesPerSecond)
        context.progress(`round ${round}, ${describeShape(shape)}, ${contender.title}: ${rate} msg/s`)
      }
    }
  }
  return report(
    results,
    wanted.flatMap((contender) => {
      const reason = contender.missing()
      return reason === undefined ? [] : [`${contender.title}: not measured, ${reason}`]
    }),
  )
}

function report(results: readonly ShapeRounds[], notes: readonly string[]): BenchmarkReport {
  const tables = results.map((one) => `IAMAT over TCP, ${formatShapeRounds(one, RATIOS)}`)
  return { text: [...tables, ...notes].join('\n\n'), data: { shapes: results.map(toData), notes } }
}

function toData({ shape, rounds }: ShapeRounds): object {
  const contenders = [...rounds].map(([{ name, title }, samples]) => ({ name, title, rounds: samples }))
  return { ...shape, contenders, ratios: listRatios(rounds, RATIOS) }
}
