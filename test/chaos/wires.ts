/** Wires that are late and break amid a line: by proxies, on any kernel. */
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { DelayingProxy, type WireFaults } from '../support/delaying-proxy.ts'
import { chainOf, UCLA } from '../support/live-graphs.ts'
import type { Chaos } from './chaos.ts'
import type { Scenario } from './scenario.ts'

/** A chain: no other way leads around a wire. */
const LINKS = chainOf(UCLA)

/** Bad wires. */
export const wireScenarios: readonly Scenario[] = [
  {
    name: 'wire-delay',
    proves: 'links of which every chunk is 100 to 150 ms late deliver everything',
    secondsMax: [120, 300],
    run: (chaos, t) => overWires(chaos, t, { delayMs: 100, jitterMs: 50 }),
  },
  {
    name: 'wire-cuts',
    proves:
      'links that break again and again, amid a line and a greeting, with bytes under way that are lost, lose no report',
    secondsMax: [120, 300],
    run: (chaos, t) => overWires(chaos, t, { delayMs: 10, jitterMs: 20, bytesUntilCutMax: 60_000 }),
  },
]

async function overWires(chaos: Chaos, t: TestContext, faults: WireFaults): Promise<string> {
  const pairs = LINKS.flatMap(([a, b]) => [[a, b] as const, [b, a] as const])
  const routes = await Promise.all(
    pairs.map(async ([from, to]) => ({ from, to, proxy: await DelayingProxy.start(t, { delayMs: 0 }) })),
  )
  const link = { silenceMsMax: 3000, handshakeMsMax: 3000 }
  await chaos.startHerd({ servers: UCLA, links: LINKS, settings: { link }, routes })
  const wires = routes.map(({ proxy }) => proxy)
  for (const wire of wires) wire.become(faults)
  // Connections keep the cuts that they were given: those that are open have none, so they end first.
  for (const wire of wires) wire.cutAll()
  const traffic = chaos.traffic()
  const seconds = chaos.pick(3, 60)
  for (const name of UCLA) traffic.start(name, chaos.target(name))
  await sleep(seconds * 1000)
  await traffic.stop()
  // Late is no excuse; with cuts that never end there are moments without a link, and none need be whole.
  const { delayMs, jitterMs = 0 } = faults
  for (const wire of wires) wire.become({ delayMs, jitterMs })
  await chaos.converged()
  const cuts = wires.reduce((sum, wire) => sum + wire.cuts, 0)
  const dropped = wires.reduce((sum, wire) => sum + wire.bytesDropped, 0)
  return `${seconds} s over ${wires.length} bad wires, ${cuts} breaks, ${dropped} bytes lost, ${chaos.ledger.acknowledgements} reports acknowledged`
}
