/** A million clients that nobody has heard of, in one go. */

import { freshClientsCheck } from '../support/fix-ledger.ts'
import { reportFreshClients } from '../support/fresh-clients.ts'
import { UCLA, UCLA_LINKS } from '../support/live-graphs.ts'
import type { Chaos } from './chaos.ts'
import type { Scenario } from './scenario.ts'

const MS_MAX = 120_000
/** In how many parts large tables are asked for. */
export const BANDS = 16

/** Many clients. */
export const millionScenarios: readonly Scenario[] = [
  {
    name: 'million-ids',
    proves:
      'as many new clients as one connection can report arrive everywhere, in memory that is known beforehand',
    secondsMax: [120, 300],
    rssMibMax: [320, 768],
    run: many,
  },
]

async function many(chaos: Chaos): Promise<string> {
  await chaos.startHerd({ servers: UCLA, links: UCLA_LINKS })
  const count = chaos.pick(100_000, 1_000_000)
  const startedAt = performance.now()
  await reportFreshClients(chaos.target('Alford'), 'f', count, MS_MAX)
  const seconds = (performance.now() - startedAt) / 1000
  await freshConverged(chaos, count)
  return `${count} new clients acknowledged in ${seconds.toFixed(1)} s`
}

/** Waits until all servers know all of `count` fresh clients, called `f<number>`. */
export async function freshConverged(chaos: Chaos, count: number): Promise<void> {
  const check = (): ReturnType<typeof freshClientsCheck> => freshClientsCheck('f', count)
  await chaos.converged({ check, bands: BANDS, msMax: MS_MAX, keeps: 'acknowledged' })
}
