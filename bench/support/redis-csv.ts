/** What `redis-benchmark --csv` says of one command. */
export interface RedisFigures {
  readonly requestsPerSecond: number
  readonly p50Ms: number
  readonly p99Ms: number
}

/** Finds the columns by their titles: they have changed between versions. */
export function parseRedisCsv(text: string): RedisFigures {
  const [titles = [], figures = []] = text
    .split('\n')
    .filter((line) => line.startsWith('"'))
    .map((line) => line.slice(1, -1).split('","'))
  const figure = (title: string): number => {
    const value = Number(figures[titles.indexOf(title)])
    if (!Number.isFinite(value)) throw new Error(`redis-benchmark printed no ${title}: ${text.slice(0, 200)}`)
    return value
  }
  return {
    requestsPerSecond: figure('rps'),
    p50Ms: figure('p50_latency_ms'),
    p99Ms: figure('p99_latency_ms'),
  }
}
