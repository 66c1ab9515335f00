/**
 * For `node --import`: records how long each turn of the event loop takes in the process that it is loaded into, and
 * what part garbage has in it. Nothing of it is in the code that is measured.
 */
import { renameSync, writeFileSync } from 'node:fs'
import { constants, createHistogram, monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'
import { isMainThread } from 'node:worker_threads'
import { FILE_VARIABLE, type LoopDelay, SIGNAL, spreadOf } from './loop-delay.ts'

const KINDS: Readonly<Record<number, string>> = {
  [constants.NODE_PERFORMANCE_GC_MINOR]: 'minor',
  [constants.NODE_PERFORMANCE_GC_MAJOR]: 'major',
  [constants.NODE_PERFORMANCE_GC_INCREMENTAL]: 'incremental',
  [constants.NODE_PERFORMANCE_GC_WEAKCB]: 'weak callbacks',
}

const file = process.env[FILE_VARIABLE]
if (isMainThread && file !== undefined) record(file)

function record(toFile: string): void {
  const turns = createHistogram()
  const timer = monitorEventLoopDelay({ resolution: 1 })
  let garbage = new Map<string, { count: number; totalMs: number; maxMs: number }>()
  const note = (entries: readonly PerformanceEntry[]): void => {
    for (const entry of entries) {
      const { detail, duration } = entry as PerformanceEntry & { readonly detail: { readonly kind: number } }
      const kind = KINDS[detail.kind] ?? 'other'
      const sum = garbage.get(kind) ?? { count: 0, totalMs: 0, maxMs: 0 }
      sum.count += 1
      sum.totalMs += duration
      sum.maxMs = Math.max(sum.maxMs, duration)
      garbage.set(kind, sum)
    }
  }
  const observer = new PerformanceObserver((list) => note(list.getEntries()))
  observer.observe({ entryTypes: ['gc'] })
  recordTurns((nanoseconds) => turns.record(nanoseconds))
  timer.enable()

  process.on(SIGNAL, () => {
    note(observer.takeRecords())
    const recorded: LoopDelay = {
      turns: spreadOf(turns),
      timer: spreadOf(timer),
      garbage: Object.fromEntries(garbage),
    }
    // Whoever waits for the file sees all of it or nothing.
    writeFileSync(`${toFile}.part`, JSON.stringify(recorded))
    renameSync(`${toFile}.part`, toFile)
    garbage = new Map()
    timer.reset()
    turns.reset()
  })
}

/**
 * A turn ends with its immediates, which come after the handlers of all sockets; the wait for the sockets is taken
 * off. (`samplePerIteration` of `monitorEventLoopDelay` leaves out what such handlers do, which here is everything.)
 * Costs a turn 1.5 µs, and doesn't keep the loop from waiting: an immediate that is not `ref` is no work to be done.
 */
function recordTurns(add: (nanoseconds: number) => void): void {
  let lastMs = performance.now()
  let lastIdleMs = performance.eventLoopUtilization().idle
  const endTurn = (): void => {
    const nowMs = performance.now()
    const idleMs = performance.eventLoopUtilization().idle
    add(Math.max(1, Math.round((nowMs - lastMs - (idleMs - lastIdleMs)) * 1e6)))
    lastMs = nowMs
    lastIdleMs = idleMs
    setImmediate(endTurn).unref()
  }
  setImmediate(endTurn).unref()
}
