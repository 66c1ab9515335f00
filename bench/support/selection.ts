/** What `--only` names: the benchmarks and the contenders that there are. */
export interface Offer {
  readonly benchmarks: readonly string[]
  readonly only: readonly string[]
}

/**
 * Whether a contender of a benchmark is to be measured. Benchmarks alone stand for all of their contenders,
 * contenders alone for all of their benchmarks, and both together for these contenders of these benchmarks.
 */
export function isSelected({ benchmarks, only }: Offer, benchmark: string, contender: string): boolean {
  const namedBenchmarks = only.filter((name) => benchmarks.includes(name))
  const namedContenders = only.filter((name) => !benchmarks.includes(name))
  return (
    (namedBenchmarks.length === 0 || namedBenchmarks.includes(benchmark)) &&
    (namedContenders.length === 0 || namedContenders.includes(contender))
  )
}
