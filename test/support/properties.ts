/**
 * fast-check as all property tests use it. It prints the seed of a failure; `FC_SEED=<seed>` runs that again, and
 * `FC_RUNS=<n>` looks for longer than a daily run should.
 */
import fc from 'fast-check'

const { FC_SEED, FC_RUNS } = process.env

fc.configureGlobal({
  ...(FC_SEED === undefined ? {} : { seed: Number(FC_SEED) }),
  ...(FC_RUNS === undefined ? {} : { numRuns: Number(FC_RUNS) }),
})

/** How many runs a property gets: as many as it says, or as many as somebody asked for all of them. */
export function runs(usual: number): { numRuns: number } {
  return { numRuns: FC_RUNS === undefined ? usual : Number(FC_RUNS) }
}

export { fc }
