/** What several rounds of one measurement say together. */
export interface Summary {
  readonly median: number
  readonly min: number
  readonly max: number
}

/** Median and spread; `undefined` of nothing, so that a row without figures stays visible as such. */
export function summarize(values: readonly number[]): Summary | undefined {
  const sorted = values.toSorted((left, right) => left - right)
  const min = sorted[0]
  const max = sorted.at(-1)
  if (min === undefined || max === undefined) return undefined
  return { median: middle(sorted), min, max }
}

/**
 * One ratio per round, for rounds in which both were measured. A ratio of medians would compare a quiet
 * minute of one with a busy minute of the other; within a round both met the same machine.
 */
export function ratiosPerRound(
  numerators: readonly (number | undefined)[],
  denominators: readonly (number | undefined)[],
): number[] {
  return numerators.flatMap((numerator, round) => {
    const denominator = denominators[round]
    if (numerator === undefined || denominator === undefined || denominator === 0) return []
    return [numerator / denominator]
  })
}

/** The values that are there. */
export function present<T>(values: readonly (T | undefined)[]): T[] {
  return values.filter((value) => value !== undefined)
}

function middle(sorted: readonly number[]): number {
  const half = sorted.length >> 1
  const upper = sorted[half] ?? Number.NaN
  if (sorted.length % 2 === 1) return upper
  return ((sorted[half - 1] ?? Number.NaN) + upper) / 2
}
