/** Servers that stand still for longer than their neighbors wait, and go on as if nothing had been. */
import { setTimeout as sleep } from 'node:timers/promises'
import { QUICK_LINK, UCLA, UCLA_LINKS } from '../support/live-graphs.ts'
import { type LiveHerd, waitUntil } from '../support/live-herd.ts'
import type { Chaos } from './chaos.ts'
import type { Scenario } from './scenario.ts'

/** SIGSTOP and SIGCONT. */
export const freezeScenarios: readonly Scenario[] = [
  {
    name: 'freeze-one',
    proves:
      'a server that was stopped (SIGSTOP) past silenceMsMax amid reports has everything when it goes on',
    secondsMax: [120, 300],
    run: (chaos) => freezeLoop(chaos, 1),
  },
  {
    name: 'freeze-two',
    proves: 'the same with two that stand still at once',
    secondsMax: [120, 300],
    run: (chaos) => freezeLoop(chaos, 2),
  },
]

async function freezeLoop(chaos: Chaos, count: number): Promise<string> {
  const herd = await chaos.startHerd({ servers: UCLA, links: UCLA_LINKS })
  const traffic = chaos.traffic()
  const rounds = chaos.pick(2, 15)
  for (let round = 0; round < rounds; round++) {
    const frozen = [UCLA[round % UCLA.length] ?? '', UCLA[(round + 2) % UCLA.length] ?? ''].slice(0, count)
    // Clients of the frozen ones wait too, and report again when they go on.
    for (const name of UCLA) traffic.start(name, chaos.target(name))
    await sleep(100)
    for (const name of frozen) herd.signal(name, 'SIGSTOP')
    await noticed(herd, frozen)
    await sleep(QUICK_LINK.silenceMsMax / 2)
    for (const name of frozen) herd.signal(name, 'SIGCONT')
    await sleep(200)
    await traffic.stop()
    await chaos.converged()
  }
  return `${rounds} rounds, ${rounds * count} freezes past ${QUICK_LINK.silenceMsMax} ms, ${chaos.ledger.acknowledgements} reports acknowledged`
}

/** Waits until all others have given up their links with these servers. */
export async function noticed(
  herd: LiveHerd,
  gone: readonly string[],
  servers: readonly string[] = UCLA,
): Promise<void> {
  const others = servers.filter((name) => !gone.includes(name))
  await waitUntil(
    async () => {
      const statuses = await Promise.all(others.map((name) => herd.status(name)))
      return statuses.every(({ links }) =>
        links.every(({ neighbor, open }) => !(open && gone.includes(neighbor))),
      )
    },
    `the others notice that ${gone.join(', ')} went`,
  )
}
