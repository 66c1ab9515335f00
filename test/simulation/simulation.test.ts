import assert from 'node:assert/strict'
import { test } from 'node:test'
import { broadcast } from './broadcast.ts'
import { MUTANTS } from './mutants.ts'
import { type Outcome, simulate } from './simulation.ts'

const SEEDS = 30
const SMALL = { serversMax: 10, isCalm: false }
/** The mutants' numbers of seeds are for this. */
const USUAL = { serversMax: 25, isCalm: false }

function assertHeld({ seed, failure }: Outcome): void {
  assert.equal(failure, null, `seed ${seed}: ${failure?.message}\n${failure?.story.join('\n')}`)
}

test('the invariants hold for the first seeds', () => {
  const sums = { acknowledged: 0, audits: 0, faults: 0, loads: 0 }
  for (let seed = 1; seed <= SEEDS; seed++) {
    const outcome = simulate(seed, SMALL)
    assertHeld(outcome)
    for (const name of ['acknowledged', 'audits', 'faults', 'loads'] as const) sums[name] += outcome[name]
  }
  assert.ok(
    sums.acknowledged > 100 && sums.audits > 100 && sums.faults > 100 && sums.loads > 40,
    JSON.stringify(sums),
  )
})

test('the same seed has the same trace, and another one another', () => {
  const [once, again, other] = [7, 7, 8].map((seed) => simulate(seed, SMALL))
  assert.deepEqual(again, once)
  assert.notEqual(other?.trace, once?.trace)
})

for (const mutant of MUTANTS) {
  test(`${mutant.name} is caught: ${mutant.about}`, () => {
    for (let seed = 1; seed <= mutant.withinSeeds; seed++) {
      const { failure } = simulate(seed, USUAL, mutant)
      // What throws is not caught by an invariant.
      if (failure !== null) return assert.notEqual(failure.invariant, 0, failure.message)
    }
    assert.fail(`not within ${mutant.withinSeeds} seeds`)
  })
}

test('where nothing breaks an update costs 2E − n + 1 lines at most, and comes by the shortest way', () => {
  const { lines, linesMax, maxMs } = broadcast({ shape: 'ring', servers: 5, batchMs: 0 })
  assert.equal(linesMax, 6)
  assert.ok(lines > 4 && lines <= linesMax, `${lines} lines`)
  assert.ok(Math.abs(maxMs - 200) < 2, `${maxMs} ms for two hops`)
})
