/** Rounds of contenders whose rate of reports is measured in several shapes. */
import type { BenchContext, Contender, Sample, Shape } from './contender.ts'
import { describeShape, listRatios, type RatioPair, type ShapeRounds } from './rates.ts'

/** Measures all wanted contenders in each shape in turn, round by round; notes say why others could not be. */
export async function measureShapeRounds(
  benchmark: string,
  shapes: readonly Shape[],
  contenders: readonly Contender[],
  context: BenchContext,
): Promise<{ readonly results: readonly ShapeRounds[]; readonly notes: readonly string[] }> {
  const wanted = contenders.filter((contender) => context.wants(benchmark, contender))
  const running = wanted.filter((contender) => contender.missing() === undefined)
  const results = shapes.map((shape) => ({
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
  const notes = wanted.flatMap((contender) => {
    const reason = contender.missing()
    return reason === undefined ? [] : [`${contender.title}: not measured, ${reason}`]
  })
  return { results, notes }
}

/** For the JSON: every round, and the ratios of these pairs. */
export function toShapeData(
  results: readonly ShapeRounds[],
  pairs: readonly RatioPair[],
  notes: readonly string[],
): object {
  const shapes = results.map(({ shape, rounds }) => {
    const contenders = [...rounds].map(([{ name, title }, samples]) => ({ name, title, rounds: samples }))
    return { ...shape, contenders, ratios: listRatios(rounds, pairs) }
  })
  return { shapes, notes }
}
