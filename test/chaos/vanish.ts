/** Servers that are gone without a word: no FIN, no RST, as when a machine loses its power. */
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { UCLA, UCLA_LINKS } from '../support/live-graphs.ts'
import { NetSpaces, whyNoNetSpaces } from '../support/net-spaces.ts'
import type { Chaos } from './chaos.ts'
import { noticed } from './freeze.ts'
import type { Scenario } from './scenario.ts'

/** Half-open connections. */
export const vanishScenarios: readonly Scenario[] = [
  {
    name: 'vanish-killed',
    proves:
      'a server that dies unplugged leaves half-open links; they are given up, and its next run is taken',
    secondsMax: [120, 300],
    run: (chaos, t) => vanish(chaos, t, 'killed'),
  },
  {
    name: 'vanish-frozen',
    proves: 'the same when it stands still, unplugged, and goes on with links that nobody else has any more',
    secondsMax: [120, 300],
    run: (chaos, t) => vanish(chaos, t, 'frozen'),
  },
]

async function vanish(chaos: Chaos, t: TestContext, how: 'killed' | 'frozen'): Promise<string> {
  chaos.skipIf(await whyNoNetSpaces())
  const spaces = await NetSpaces.make(t, UCLA)
  const { hosts, runners } = spaces
  const herd = await chaos.startHerd({
    servers: UCLA,
    links: UCLA_LINKS,
    settings: { clients: { open: true } },
    hosts,
    runners,
  })
  const traffic = chaos.traffic()
  const rounds = chaos.pick(2, 15)
  for (let round = 0; round < rounds; round++) {
    const gone = UCLA[round % UCLA.length] ?? ''
    const others = UCLA.filter((name) => name !== gone)
    for (const name of UCLA) traffic.start(name, chaos.target(name))
    await sleep(200)
    const held = await chaos.held(others)
    await spaces.unplug(gone)
    if (how === 'frozen') herd.signal(gone, 'SIGSTOP')
    else {
      await herd.kill(gone)
      chaos.ledger.killed([gone], held)
    }
    await noticed(herd, [gone])
    await traffic.stop([gone])
    // The others go on and have half-open connections of clients, too.
    await sleep(200)
    if (how === 'killed') await herd.startServer(gone)
    await spaces.plug(gone)
    if (how === 'frozen') herd.signal(gone, 'SIGCONT')
    await traffic.stop()
    await chaos.converged()
  }
  return `${rounds} servers ${how} while unplugged, ${chaos.ledger.acknowledgements} reports acknowledged`
}
