import { formatCount } from './table.ts'

const BAR_CHARACTERS = 40

/** One line of a histogram. */
export interface Bar {
  readonly title: string
  readonly count: number
}

/** A histogram as text. A bar is as long as the logarithm of its count, so that also one of a million shows. */
export function formatBars(bars: readonly Bar[]): string {
  const titleWidth = Math.max(...bars.map(({ title }) => title.length))
  const countWidth = Math.max(...bars.map(({ count }) => formatCount(count).length))
  const longest = Math.log2(1 + Math.max(...bars.map(({ count }) => count)))
  return bars
    .map(({ title, count }) => {
      const length =
        count === 0 ? 0 : Math.max(1, Math.round((Math.log2(1 + count) / longest) * BAR_CHARACTERS))
      const line = `${title.padStart(titleWidth)}  ${formatCount(count).padStart(countWidth)}  ${'#'.repeat(length)}`
      return line.trimEnd()
    })
    .join('\n')
}

/** `500` → `500 µs`, `1024` → `1.0 ms`, `2097152` → `2.1 s`. */
export function formatMicroseconds(us: number): string {
  if (us < 1000) return `${Math.round(us)} µs`
  if (us < 1_000_000) return `${(us / 1000).toFixed(us < 10_000 ? 1 : 0)} ms`
  return `${(us / 1_000_000).toFixed(1)} s`
}
