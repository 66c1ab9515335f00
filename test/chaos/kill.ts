/** Servers that are killed amid reports, and come back knowing nothing but what others or the disk tell them. */
import { setTimeout as sleep } from 'node:timers/promises'
import { UCLA, UCLA_LINKS } from '../support/live-graphs.ts'
import type { Chaos } from './chaos.ts'
import type { Scenario } from './scenario.ts'

interface KillPlan {
  readonly name: string
  readonly proves: string
  /** How many die at once. */
  readonly victims: number
  /** Asked for on the clients' connections; none: `memory`. */
  readonly level?: string
}

const PLANS: readonly KillPlan[] = [
  { name: 'kill-one', victims: 1, proves: 'what survivors knew or acknowledged outlives one killed server' },
  { name: 'kill-two', victims: 2, proves: 'the same with two at once, which cuts the ring in two' },
  { name: 'kill-all-but-one', victims: 4, proves: 'one survivor teaches everybody all that it knew' },
  {
    name: 'kill-one-peers-1',
    victims: 1,
    level: 'peers:1',
    proves: 'what was acknowledged at the level peers:1 outlives any one server',
  },
  {
    name: 'kill-all-disk',
    victims: 5,
    level: 'disk',
    proves: 'what was acknowledged at the level disk outlives all servers at once',
  },
]
const REPORTING_MS = 250

/** The loops of kill -9. */
export const killScenarios: readonly Scenario[] = PLANS.map((plan) => ({
  name: plan.name,
  proves: plan.proves,
  secondsMax: [120, 600],
  run: (chaos) => killLoop(chaos, plan),
}))

async function killLoop(chaos: Chaos, plan: KillPlan): Promise<string> {
  const { victims: count, level } = plan
  const herd = await chaos.startHerd({ servers: UCLA, links: UCLA_LINKS })
  if (level !== undefined) await chaos.needLevel('Alford', level)
  const rounds = chaos.pick(2, 25)
  const traffic = chaos.traffic({ level })
  for (let round = 0; round < rounds; round++) {
    const victims = UCLA.map((_, index) => UCLA[(round + 2 * index) % UCLA.length] ?? '').slice(0, count)
    const survivors = UCLA.filter((name) => !victims.includes(name))
    for (const name of UCLA) traffic.start(name, chaos.target(name))
    await sleep(REPORTING_MS)
    // Level memory: what a survivor knows now is safe, what a victim alone acknowledges is not.
    const held = await chaos.held(survivors)
    await Promise.all(victims.map((name) => herd.kill(name)))
    await traffic.stop(victims)
    if (level === undefined) chaos.ledger.killed(victims, held)
    await sleep(REPORTING_MS)
    await Promise.all(victims.map((name) => herd.startServer(name)))
    await traffic.stop()
    await chaos.converged({ keeps: level === undefined ? 'all' : 'acknowledged' })
  }
  return `${rounds} rounds, ${rounds * count} kills, ${chaos.ledger.acknowledgements} reports acknowledged`
}
