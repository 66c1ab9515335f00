import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** CPU time of a process at a moment; the difference of two is how busy it was between them. */
export interface CpuReading {
  readonly atMs: number
  readonly cpuSeconds: number
}

/** CPU seconds that all threads of a process have used; `undefined` where the system has no /proc. */
export function readCpu(pid: number): CpuReading | undefined {
  try {
    const ticks = parseStatTicks(readFileSync(`/proc/${pid}/stat`, 'latin1'))
    return { atMs: performance.now(), cpuSeconds: ticks / ticksPerSecond() }
  } catch {
    return undefined
  }
}

/** Cores kept busy between two readings: 1 is one core all the time. */
export function utilization(from: CpuReading | undefined, to: CpuReading | undefined): number | undefined {
  if (from === undefined || to === undefined || to.atMs <= from.atMs) return undefined
  return (to.cpuSeconds - from.cpuSeconds) / ((to.atMs - from.atMs) / 1000)
}

/**
 * Seconds that the main thread of a process has been ready to run while somebody else had its core; `undefined` where
 * the system does not tell. It is the part of every delay that is no fault of the server.
 */
export function readCoreWait(pid: number): number | undefined {
  try {
    return parseCoreWait(readFileSync(`/proc/${pid}/schedstat`, 'latin1'))
  } catch {
    return undefined
  }
}

/** The second of three numbers: nanoseconds in the queue of a core. */
export function parseCoreWait(schedstat: string): number {
  const nanoseconds = /^\d+ (\d+) \d+\s*$/.exec(schedstat)?.[1]
  if (nanoseconds === undefined) throw new Error('this /proc/<pid>/schedstat has no waiting time')
  return Number(nanoseconds) / 1e9
}

/** utime + stime, the 14th and 15th field; counted after the name, which may itself hold blanks and brackets. */
export function parseStatTicks(stat: string): number {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  const ticks = Number(fields[11]) + Number(fields[12])
  if (!Number.isFinite(ticks)) throw new Error('this /proc/<pid>/stat has no CPU times')
  return ticks
}

let knownTicksPerSecond: number | undefined

function ticksPerSecond(): number {
  knownTicksPerSecond ??= Number(execFileSync('getconf', ['CLK_TCK'], { encoding: 'utf8' }))
  return knownTicksPerSecond
}
