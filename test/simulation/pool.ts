import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import type { PlanOptions } from './plan.ts'
import type { Outcome } from './simulation.ts'

/** What one thread is to do: seeds from `from` on, each `step`th. */
export interface Share {
  readonly from: number
  readonly step: number
  readonly end: number
  readonly options: PlanOptions
  /** The name of a mutant, or `null`. */
  readonly mutant: string | null
  readonly untilFailure: boolean
}

/** Threads at most: one for each core, and no more than there are seeds. */
export function threadsFor(seeds: number): number {
  return Math.max(1, Math.min(availableParallelism(), seeds))
}

/**
 * Runs all seeds from `from` to before `end`, on all cores.
 *
 * @param untilFailure a thread ends with its first failure. @param onOutcome told each, in any order.
 */
export async function runSeeds(
  share: Omit<Share, 'step'>,
  onOutcome: (outcome: Outcome) => void,
): Promise<void> {
  const threads = threadsFor(share.end - share.from)
  const work = Array.from({ length: threads }, (_, thread) => {
    const workerData: Share = { ...share, from: share.from + thread, step: threads }
    const worker = new Worker(new URL('worker.ts', import.meta.url), { workerData })
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    worker.on('message', onOutcome)
    worker.on('error', reject)
    worker.on('exit', (code) => (code === 0 ? resolve() : reject(new Error(`a thread ended with ${code}`))))
    return promise
  })
  await Promise.all(work)
}
