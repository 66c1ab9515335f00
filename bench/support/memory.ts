import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** Memory of a process in bytes. */
export interface Memory {
  /** What it has in RAM now (resident set). */
  readonly residentBytes: number
  /** The most that it ever had. */
  readonly peakBytes: number
}

const READ_EVERY_MS = 500
/** Readings that must agree: three seconds of rest, in which a server frees what it wants to free. */
const READINGS = 7
const SPREAD_MAX = 0.002
const SETTLE_MS_MAX = 30_000

/** `undefined` where the system has no /proc. */
export function readMemory(pid: number): Memory | undefined {
  try {
    return parseStatus(readFileSync(`/proc/${pid}/status`, 'latin1'))
  } catch {
    return undefined
  }
}

/** Reads until the memory stays as it is, at most 30 s. Throws where it can't be read. */
export async function readSettledMemory(pid: number): Promise<Memory> {
  const giveUpAtMs = performance.now() + SETTLE_MS_MAX
  const readings: number[] = []
  for (;;) {
    const memory = readMemory(pid)
    if (memory === undefined) throw new Error('the system does not tell the memory of a process')
    readings.push(memory.residentBytes)
    if (isSettled(readings) || performance.now() > giveUpAtMs) return memory
    await sleep(READ_EVERY_MS)
  }
}

/** Whether the last readings are nearly the same. */
export function isSettled(readings: readonly number[]): boolean {
  const last = readings.slice(-READINGS)
  return last.length === READINGS && Math.max(...last) <= Math.min(...last) * (1 + SPREAD_MAX)
}

/** Out of /proc/<pid>/status. */
export function parseStatus(status: string): Memory {
  const bytesOf = (name: string): number => {
    const kibibytes = new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]
    if (kibibytes === undefined) throw new Error(`this /proc/<pid>/status has no ${name}`)
    return Number(kibibytes) * 1024
  }
  return { residentBytes: bytesOf('VmRSS'), peakBytes: bytesOf('VmHWM') }
}
