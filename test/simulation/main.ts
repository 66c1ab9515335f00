/** `npm run sim`: runs seeds of the simulator, and says how to have a failing one again. See docs/simulation.md. */
import { parseArgs } from 'node:util'
import { broadcastTable } from './broadcast.ts'
import { MUTANTS } from './mutants.ts'
import type { PlanOptions } from './plan.ts'
import { runSeeds } from './pool.ts'
import type { Outcome } from './simulation.ts'

/** Failures that are told with their stories. */
const STORIES_MAX = 3
const PROGRESS_EVERY = 1000

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '300' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    servers: { type: 'string', default: '25' },
    mutant: { type: 'string' },
    mutants: { type: 'boolean', default: false },
    calm: { type: 'boolean', default: false },
    broadcast: { type: 'boolean', default: false },
  },
})

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

/** The value of an option that is a whole number. */
function number(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new Error(`not a whole number: ${text}`)
  return Number(text)
}

const options: PlanOptions = { serversMax: number(values.servers), isCalm: values.calm }

function tellFailure({ seed, failure }: Outcome, withStory: boolean): void {
  if (failure === null) return
  const more = `${values.calm ? ' --calm' : ''}${values.mutant === undefined ? '' : ` --mutant ${values.mutant}`}`
  say(`\n✖ seed ${seed}: ${failure.message}`)
  if (withStory) for (const line of failure.story) say(`    ${line}`)
  say(`  again: npm run sim -- --seed ${seed} --servers ${values.servers}${more}`)
}

/** Runs seeds, and sums up. @returns whether all went well. */
async function run(): Promise<boolean> {
  const from = number(values.seed ?? values.from)
  const end = from + (values.seed === undefined ? number(values.seeds) : 1)
  const sums = {
    events: 0,
    checks: 0,
    updates: 0,
    linesOut: 0,
    acknowledged: 0,
    audits: 0,
    loads: 0,
    faults: 0,
  }
  const failed: number[] = []
  const traces: string[] = []
  let virtualMs = 0
  let done = 0
  const began = performance.now()
  const mutant = values.mutant ?? null
  await runSeeds({ from, end, options, mutant, untilFailure: false }, (outcome) => {
    for (const name of Object.keys(sums) as (keyof typeof sums)[]) sums[name] += outcome[name]
    virtualMs += outcome.virtualMs
    traces.push(outcome.trace)
    if (outcome.failure !== null) {
      failed.push(outcome.seed)
      tellFailure(outcome, failed.length <= STORIES_MAX)
    }
    if (++done % PROGRESS_EVERY === 0) say(`  ${done} of ${end - from} seeds, ${failed.length} failed`)
  })
  const seconds = (performance.now() - began) / 1000
  const counts = Object.entries(sums).map(([name, count]) => `${name} ${count}`)
  say(
    `${done} seeds, ${failed.length} failed; ${(virtualMs / 3_600_000).toFixed(1)} hours of virtual time in`,
  )
  say(`${seconds.toFixed(1)} s; ${counts.join(', ')}${done === 1 ? `; trace ${traces[0]}` : ''}`)
  if (failed.length > 0) say(`failed: ${failed.toSorted((a, b) => a - b).join(' ')}`)
  return failed.length === 0
}

/** Lets every mutant be caught. @returns whether all were, within their seeds. */
async function runMutants(): Promise<boolean> {
  let allCaught = true
  say('| mutant | caught by seed | invariant | must be within | what it does |\n|---|---|---|---|---|')
  for (const { name, about, withinSeeds } of MUTANTS) {
    let first: Outcome | undefined
    await runSeeds(
      { from: 1, end: withinSeeds + 1, options, mutant: name, untilFailure: true },
      (outcome) => {
        if (outcome.failure !== null && (first === undefined || outcome.seed < first.seed)) first = outcome
      },
    )
    if (first === undefined) allCaught = false
    const caught = first === undefined ? '**no** | –' : `${first.seed} | ${first.failure?.invariant}`
    say(`| \`${name}\` | ${caught} | ${withinSeeds} | ${about} |`)
  }
  return allCaught
}

if (values.mutant !== undefined && !MUTANTS.some(({ name }) => name === values.mutant))
  throw new Error(`no such mutant; there are ${MUTANTS.map(({ name }) => name).join(', ')}`)
if (values.broadcast) say(broadcastTable())
else if (!(await (values.mutants ? runMutants() : run()))) process.exitCode = 1
