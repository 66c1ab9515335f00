/** What the preload of `loop-delay-preload.ts` records in a server, and how it is asked for it. */
import { readFile, rm } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'

/** The preload writes what it recorded to the file that this variable names, and begins anew, on this signal. */
export const FILE_VARIABLE = 'BENCH_LOOP_DELAY_FILE'
export const SIGNAL = 'SIGUSR2'

/** Times in milliseconds, by how many were not longer. */
export interface Spread {
  readonly count: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  readonly p999: number
  readonly max: number
  readonly buckets: readonly Bucket[]
}

/** How many were shorter than `belowUs` microseconds and not shorter than half of that. */
export interface Bucket {
  readonly belowUs: number
  readonly count: number
}

/** Since the last time that it was asked for. */
export interface LoopDelay {
  /** Turns of the event loop: all that was done after one wait for the sockets and before the next. */
  readonly turns: Spread
  /** From one tick to the next of a timer of 1 ms: what a timer meets that is due at any time. */
  readonly timer: Spread
  /** Pauses for garbage, by their kind. They are part of the turns. */
  readonly garbage: Readonly<Record<string, { count: number; totalMs: number; maxMs: number }>>
}

/** What is needed of a histogram of Node, in nanoseconds. */
export interface NodeHistogram {
  readonly count: number
  readonly max: number
  percentile(percent: number): number
}

const READY_MS_MAX = 10_000
const TRY_EVERY_MS = 20
const NANOSECONDS_IN_MS = 1e6
const NANOSECONDS_IN_US = 1e3
/** Halvings of 100 %: far finer than one of a thousand million. */
const SEARCH_STEPS = 50

/** Asks a server that was started with the preload for what it has recorded; it begins anew. */
export async function readLoopDelay(pid: number, file: string): Promise<LoopDelay> {
  await rm(file, { force: true })
  process.kill(pid, SIGNAL)
  const giveUpAtMs = performance.now() + READY_MS_MAX
  while (performance.now() < giveUpAtMs) {
    await sleep(TRY_EVERY_MS)
    try {
      return JSON.parse(await readFile(file, 'utf8')) as LoopDelay
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
    }
  }
  throw new Error(`the server wrote nothing of its event loop within ${READY_MS_MAX / 1000} s`)
}

/** Puts a histogram into numbers that JSON can hold. */
export function spreadOf(histogram: NodeHistogram): Spread {
  // An empty one has a percentile all the same.
  const at = (percent: number): number =>
    histogram.count === 0 ? 0 : histogram.percentile(percent) / NANOSECONDS_IN_MS
  return {
    count: histogram.count,
    p50: at(50),
    p90: at(90),
    p99: at(99),
    p999: at(99.9),
    max: at(100),
    buckets: bucketsOf(histogram),
  }
}

/** Counts by powers of two of a microsecond, from the first to the last that is not empty. */
export function bucketsOf(histogram: NodeHistogram): Bucket[] {
  const buckets: Bucket[] = []
  let seen = 0
  for (let belowUs = 1; seen < histogram.count; belowUs *= 2) {
    const below = countBelow(histogram, belowUs * NANOSECONDS_IN_US)
    if (below > 0) buckets.push({ belowUs, count: below - seen })
    seen = below
  }
  return buckets
}

/** Node tells percentiles, and no counts: so the percentile is searched for at which the limit is reached. */
function countBelow(histogram: NodeHistogram, limit: number): number {
  if (histogram.percentile(100) < limit) return histogram.count
  let below = 0
  let above = 100
  for (let step = 0; step < SEARCH_STEPS; step += 1) {
    const middle = (below + above) / 2
    if (histogram.percentile(middle) < limit) below = middle
    else above = middle
  }
  return Math.round((below / 100) * histogram.count)
}
