import { startHerd, whyNoHerd } from '../servers/herd-server.ts'
import { measureAndStop } from '../servers/running-server.ts'
import type { Contender } from './contender.ts'
import { measureWithNodeLoad } from './node-load.ts'

/** One server of our own, without neighbors and without its log of traffic. */
export const herd: Contender = contender('herd', 'herd, traffic log off', 'events')

/** The same with every line in and out written to its log. */
export const herdTraffic: Contender = contender('herd-traffic', 'herd, traffic log on', 'traffic')

function contender(name: string, title: string, logLevel: 'events' | 'traffic'): Contender {
  return {
    name,
    title,
    missing: whyNoHerd,
    measure: async (shape, context) =>
      measureAndStop(await startHerd(name, { logLevel }, context), (running) =>
        measureWithNodeLoad(running, shape, context),
      ),
  }
}
