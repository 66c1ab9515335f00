/** `npm run chaos`: does to real servers what the world does. One line for each scenario, one at the end. */
import { type TestContext, test } from 'node:test'
import { Chaos } from './chaos.ts'
import { descriptorScenarios } from './descriptors.ts'
import { diskScenarios } from './disk.ts'
import { freezeScenarios } from './freeze.ts'
import { garbageScenarios } from './garbage.ts'
import { killScenarios } from './kill.ts'
import { millionScenarios } from './million.ts'
import { neighborScenarios } from './neighbors.ts'
import { networkScenarios } from './network.ts'
import { type ChaosOptions, HELP, readOptions } from './options.ts'
import { type Scenario, Skipped } from './scenario.ts'
import { vanishScenarios } from './vanish.ts'
import { wireScenarios } from './wires.ts'

const SCENARIOS: readonly Scenario[] = [
  ...killScenarios,
  ...freezeScenarios,
  ...networkScenarios,
  ...wireScenarios,
  ...vanishScenarios,
  ...neighborScenarios,
  ...diskScenarios,
  ...descriptorScenarios,
  ...garbageScenarios,
  ...millionScenarios,
]
const RSS_MIB_MAX = [256, 256] as const
const NAME_WIDTH = Math.max(...SCENARIOS.map(({ name }) => name.length))

type Outcome = 'passed' | 'skipped' | 'failed'

const options = readOptions(process.argv.slice(2))
if (typeof options === 'string') {
  print(options)
  process.exitCode = options === HELP ? 0 : 2
} else await main(options)

async function main(chosen: ChaosOptions): Promise<void> {
  const { only, isListing, isShort, minutes } = chosen
  const scenarios = SCENARIOS.filter(
    ({ name }) => only.length === 0 || only.some((text) => name.startsWith(text)),
  )
  if (scenarios.length === 0) {
    print(`no scenario of this name; there are ${SCENARIOS.map(({ name }) => name).join(', ')}\n`)
    process.exitCode = 2
    return
  }
  if (isListing) {
    for (const { name, proves } of scenarios) print(`${name.padEnd(NAME_WIDTH)}  ${proves}\n`)
    return
  }
  const startedAt = performance.now()
  const counts: Record<Outcome, number> = { passed: 0, skipped: 0, failed: 0 }
  const isOver = (): boolean => performance.now() - startedAt >= minutes * 60_000
  do {
    for (const scenario of scenarios) {
      counts[await runScenario(scenario, isShort)]++
      if (minutes > 0 && isOver()) break
    }
  } while (!isOver())
  const seconds = Math.round((performance.now() - startedAt) / 1000)
  print(
    `chaos: ${counts.passed} passed, ${counts.skipped} skipped, ${counts.failed} failed, in ${seconds} s\n`,
  )
}

async function runScenario(scenario: Scenario, isShort: boolean): Promise<Outcome> {
  let outcome: Outcome = 'failed'
  await test(scenario.name, async (t) => {
    const chaos = new Chaos(t, isShort)
    const startedAt = performance.now()
    try {
      const done = await inTime(scenario, chaos, t)
      chaos.finish(chaos.pick(...(scenario.rssMibMax ?? RSS_MIB_MAX)))
      outcome = 'passed'
      const rssMib = Math.round(Math.max(...chaos.rssMib.values()))
      const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
      say(
        'ok',
        scenario,
        `${done}; converged in ${chaos.convergedMs} ms; max RSS ${rssMib} MiB; ${seconds} s`,
      )
    } catch (error) {
      if (error instanceof Skipped) {
        outcome = 'skipped'
        say('skip', scenario, error.message)
        return
      }
      say('FAIL', scenario, firstLine(error))
      print(`     alone: npm run chaos -- ${isShort ? '--short ' : ''}--only ${scenario.name}\n`)
      throw error
    }
  })
  return outcome
}

/** What the scenario says it did; it is a failure when it doesn't end in time. */
async function inTime(scenario: Scenario, chaos: Chaos, t: TestContext): Promise<string> {
  const seconds = chaos.pick(...scenario.secondsMax)
  const late = Promise.withResolvers<never>()
  const timer = setTimeout(
    () => late.reject(new Error(`it has not ended within ${seconds} s`)),
    seconds * 1000,
  )
  const running = scenario.run(chaos, t)
  // What goes wrong later, when its servers are gone, is no news.
  running.catch(() => undefined)
  try {
    return await Promise.race([running, late.promise])
  } finally {
    clearTimeout(timer)
  }
}

function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? ''
}

function say(word: string, { name }: Scenario, text: string): void {
  print(`${word.padEnd(4)} ${name.padEnd(NAME_WIDTH)}  ${text}\n`)
}

function print(text: string): void {
  process.stdout.write(text)
}
