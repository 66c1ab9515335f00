/** Durations as people write them in a herd file. Pure. */

/** `never`, or a whole number and its unit. */
export const DURATION_PATTERN = '^(?:never|[1-9][0-9]{0,8}(?:s|m|h|d))$'

/** `DURATION_PATTERN` in words. */
export const DURATION_TEXT = 'never, or a whole number with s, m, h or d (seconds, minutes, hours, days)'

const SECONDS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 }

/** Reads a duration that fits the pattern, in seconds; `never` is infinity. */
export function readDuration(text: string): number {
  if (text === 'never') return Number.POSITIVE_INFINITY
  return Number(text.slice(0, -1)) * (SECONDS[text.slice(-1)] ?? Number.NaN)
}

/** Writes whole seconds, or infinity, as a duration that `readDuration` reads; in the largest unit that fits. */
export function writeDuration(seconds: number): string {
  if (seconds === Number.POSITIVE_INFINITY) return 'never'
  const [unit = 's', length = 1] = Object.entries(SECONDS).findLast(([, one]) => seconds % one === 0) ?? []
  return `${seconds / length}${unit}`
}
