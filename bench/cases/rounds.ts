/** What every benchmark does with its rounds and its contenders. */
import { ratiosPerRound, type Summary, summarize } from '../support/statistics.ts'
import { formatDecimal } from '../support/table.ts'
import type { BenchContext, Candidate } from './contender.ts'

/** All samples of each contender that could be measured, and why others could not. */
export interface Rounds<Measured> {
  readonly samples: ReadonlyMap<Candidate, readonly Measured[]>
  readonly notes: readonly string[]
}

/** One that knows how to measure itself for one benchmark. */
export interface Measurable<Measured> extends Candidate {
  measure(context: BenchContext): Promise<Measured>
}

/** Measures all wanted contenders in turn, round by round; `tell` puts one sample into a few words. */
export async function measureRounds<Measured>(
  benchmark: string,
  contenders: readonly Measurable<Measured>[],
  rounds: number,
  context: BenchContext,
  tell: (sample: Measured) => string,
): Promise<Rounds<Measured>> {
  const wanted = contenders.filter((contender) => context.wants(benchmark, contender))
  const running = wanted.filter((contender) => contender.missing() === undefined)
  const samples = new Map<Candidate, Measured[]>()
  for (let round = 1; round <= rounds; round += 1) {
    for (const contender of running) {
      const sample = await contender.measure(context)
      samples.set(contender, [...(samples.get(contender) ?? []), sample])
      context.progress(`round ${round}, ${benchmark}, ${contender.title}: ${tell(sample)}`)
    }
  }
  const notes = wanted.flatMap((contender) => {
    const reason = contender.missing()
    return reason === undefined ? [] : [`${contender.title}: not measured, ${reason}`]
  })
  return { samples, notes }
}

/** A figure of one contender over the same of another, round by round; `undefined` unless both were measured. */
export function compare<Measured>(
  { samples }: Rounds<Measured>,
  of: Candidate,
  to: Candidate,
  figure: (sample: Measured) => number | undefined,
): (Summary & { readonly rounds: readonly number[] }) | undefined {
  const rounds = ratiosPerRound(samples.get(of)?.map(figure) ?? [], samples.get(to)?.map(figure) ?? [])
  const summary = summarize(rounds)
  return summary === undefined ? undefined : { ...summary, rounds }
}

/** Median, and least and greatest, each with so many decimals. */
export function formatSpread(
  summary: Summary | undefined,
  format: number | ((value: number) => string),
): readonly [median: string, spread: string] {
  if (summary === undefined) return ['–', '–']
  const write = typeof format === 'function' ? format : (value: number) => formatDecimal(value, format)
  return [write(summary.median), `${write(summary.min)} – ${write(summary.max)}`]
}

/** For the JSON: every sample by the name of its contender. */
export function toData<Measured>({ samples, notes }: Rounds<Measured>): object {
  const contenders = [...samples].map(([{ name, title }, rounds]) => ({ name, title, rounds }))
  return { contenders, notes }
}
