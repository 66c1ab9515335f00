import { type Child, describe, withTimeout } from './children.ts'
import { readCpu } from './cpu-time.ts'
import { readMemory } from './memory.ts'

const LOOK_EVERY_MS = 20

/** What a process that ends by itself took; what the system does not tell is missing. */
export interface ProcessFigures {
  readonly seconds: number
  /** Of all its threads, but for its last milliseconds. */
  readonly cpuSeconds: number | undefined
  /** The most that it ever had in RAM, but for its last milliseconds. */
  readonly peakBytes: number | undefined
}

/** Looks at a process until it ends; ends it, and fails, if it takes too long or fails. */
export async function watchProcess(child: Child, msMax: number): Promise<ProcessFigures> {
  const startMs = performance.now()
  let cpuSeconds: number | undefined
  let peakBytes: number | undefined
  for (;;) {
    const ending = await withTimeout(child.ended, LOOK_EVERY_MS)
    if (ending !== undefined) {
      if (ending.code !== 0) throw new Error(`${child.name} failed: ${describe(ending)}`)
      return { seconds: (performance.now() - startMs) / 1000, cpuSeconds, peakBytes }
    }
    cpuSeconds = readCpu(child.pid)?.cpuSeconds ?? cpuSeconds
    peakBytes = readMemory(child.pid)?.peakBytes ?? peakBytes
    if (performance.now() - startMs > msMax) {
      await child.stop()
      throw new Error(`${child.name} did not end within ${msMax / 1000} s`)
    }
  }
}
