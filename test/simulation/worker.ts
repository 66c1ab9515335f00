/** One thread of the simulator: runs its share of seeds, and tells how each went. */
import { parentPort, workerData } from 'node:worker_threads'
import { MUTANTS } from './mutants.ts'
import type { Share } from './pool.ts'
import { simulate } from './simulation.ts'

const { from, step, end, options, mutant: name, untilFailure } = workerData as Share
const mutant = MUTANTS.find((known) => known.name === name) ?? null
for (let seed = from; seed < end; seed += step) {
  const outcome = simulate(seed, options, mutant)
  parentPort?.postMessage(outcome)
  if (untilFailure && outcome.failure !== null) break
}
