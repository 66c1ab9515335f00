/** Neighbors that are there and do nothing of what a neighbor does. */
import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdir } from 'node:fs/promises'
import { createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { reportFreshClients } from '../support/fresh-clients.ts'
import { chainOf } from '../support/live-graphs.ts'
import type { Chaos } from './chaos.ts'
import { BANDS, freshConverged } from './million.ts'
import type { Scenario } from './scenario.ts'

const SERVERS = ['Ball', 'Alford', 'Holiday']
/** Well over what a server needs, and well under what it would need if dials were forgotten. */
const DESCRIPTORS_MAX = 60
// Failed greetings are over soon, so that there are many.
const HASTY_LINK = { handshakeMsMax: 100, redialMsMax: 50 }
const BABBLE_BYTES = 100_000

interface StandIn {
  readonly name: string
  readonly proves: string
  readonly hear: (socket: Socket) => void
}

const STAND_INS: readonly StandIn[] = [
  {
    name: 'neighbor-deaf',
    proves: 'a neighbor that accepts and never reads costs one connection at a time',
    hear: (socket) => socket.pause(),
  },
  {
    name: 'neighbor-mute',
    proves: 'so does one that reads and never answers',
    hear: (socket) => socket.resume(),
  },
  {
    name: 'neighbor-babbling',
    proves: 'so does one that says anything but what it should, and it is not believed',
    hear: (socket) => {
      socket.resume()
      socket.write('AT Ball +0.0 forged +1+1 1479000001\n')
      socket.write(randomBytes(BABBLE_BYTES))
    },
  },
]

/** Bad neighbors. */
export const neighborScenarios: readonly Scenario[] = [
  ...STAND_INS.map((standIn) => ({
    name: standIn.name,
    proves: standIn.proves,
    secondsMax: [120, 300] as const,
    run: (chaos: Chaos) => withStandIn(chaos, standIn),
  })),
  {
    name: 'neighbor-frozen',
    proves:
      'what a neighbor that stands still will have to be told costs a number for each client, not the text',
    secondsMax: [120, 300],
    rssMibMax: [320, 768],
    run: frozenNeighbor,
  },
]

async function withStandIn(chaos: Chaos, { hear }: StandIn): Promise<string> {
  const started = ['Alford', 'Holiday']
  const settings = { link: HASTY_LINK }
  const herd = await chaos.startHerd({ servers: SERVERS, links: chainOf(SERVERS), settings, started })
  const sockets = new Set<Socket>()
  const [seconds, traffic] = [chaos.pick(2, 30), chaos.traffic()]
  let dials = 0
  const server = createServer((socket) => {
    dials++
    sockets.add(socket)
    socket.on('error', () => undefined)
    hear(socket)
  })
  server.listen(herd.port('Ball'), '127.0.0.1')
  await once(server, 'listening')
  for (const name of started) traffic.start(name, chaos.target(name))
  await sleep(seconds * 1000)
  const descriptors = (await readdir(`/proc/${herd.pid('Alford')}/fd`)).length
  const { links } = await herd.status('Alford')
  server.close()
  for (const socket of sockets) socket.destroy()
  assert.ok(dials > seconds, `Alford dialed ${dials} times in ${seconds} s`)
  assert.ok(descriptors <= DESCRIPTORS_MAX, `Alford has ${descriptors} descriptors after ${dials} dials`)
  assert.equal(links.find(({ neighbor }) => neighbor === 'Ball')?.open, false)
  await herd.startServer('Ball')
  await traffic.stop()
  await chaos.converged()
  return `dialed ${dials} times in ${seconds} s, ${descriptors} descriptors, ${chaos.ledger.acknowledgements} reports acknowledged`
}

async function frozenNeighbor(chaos: Chaos): Promise<string> {
  const count = chaos.pick(100_000, 1_000_000)
  // The link is not given up: all of it waits for Ball.
  const settings = { link: { silenceMsMax: 600_000 } }
  const herd = await chaos.startHerd({ servers: SERVERS, links: chainOf(SERVERS), settings })
  herd.signal('Ball', 'SIGSTOP')
  await reportFreshClients(chaos.target('Alford'), 'f', count, 120_000)
  const { links } = await herd.status('Alford')
  const queued = links.find(({ neighbor }) => neighbor === 'Ball')?.queued ?? -1
  assert.ok(queued > 0 && queued <= count, `${queued} of ${count} clients wait for Ball`)
  herd.signal('Ball', 'SIGCONT')
  await freshConverged(chaos, count)
  return `${count} new clients past a stopped neighbor (${queued} waited for it), read in ${BANDS} parts`
}
