/** Networks that part, part one way, come and go, lose packets, are narrow or late: in namespaces, packet by packet. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { UCLA, UCLA_LINKS } from '../support/live-graphs.ts'
import { type LiveHerd, waitUntil } from '../support/live-herd.ts'
import { NetSpaces, whyNoNetSpaces } from '../support/net-spaces.ts'
import type { Traffic } from '../support/traffic.ts'
import type { Chaos } from './chaos.ts'
import type { Scenario } from './scenario.ts'

/** What there is when a fault begins. */
interface Net {
  readonly chaos: Chaos
  readonly spaces: NetSpaces
  readonly herd: LiveHerd
  readonly traffic: Traffic
}

const ONE_SIDE = ['Alford', 'Hamilton']
const OTHER_SIDE = ['Ball', 'Holiday', 'Welsh']
/** The ring's links across: Alford–Welsh and Hamilton–Holiday. */
const LINKS_ACROSS = 2
// On a bad network an answer takes its time.
const PATIENT_LINK = { silenceMsMax: 3000, handshakeMsMax: 3000 }

/** Faults of the network. */
export const networkScenarios: readonly Scenario[] = [
  {
    name: 'net-partition',
    proves: 'two halves that hear nothing of each other go on, and are one again afterwards',
    secondsMax: [120, 300],
    run: (chaos, t) => inNet(chaos, t, {}, partition),
  },
  {
    name: 'net-one-way',
    proves: 'the same when only one direction is dead, first the one, then the other',
    secondsMax: [120, 300],
    run: (chaos, t) => inNet(chaos, t, {}, oneWay),
  },
  {
    name: 'net-flapping',
    proves: 'a partition that comes and goes, faster and slower than silenceMsMax, loses nothing',
    secondsMax: [120, 300],
    run: (chaos, t) => inNet(chaos, t, {}, flapping),
  },
  {
    name: 'net-loss',
    proves: 'with 10 % of all packets between servers lost, everything arrives',
    secondsMax: [120, 300],
    run: (chaos, t) => inNet(chaos, t, PATIENT_LINK, loss),
  },
  {
    name: 'net-narrow',
    proves: 'a server behind a pipe that is far too narrow for the reports gets the newest of each client',
    secondsMax: [120, 300],
    run: (chaos, t) => inNet(chaos, t, PATIENT_LINK, narrow),
  },
  {
    name: 'net-netem',
    proves: 'the same with packets that are 100 ± 50 ms late and 5 % lost (netem)',
    secondsMax: [120, 300],
    run: (chaos, t) => inNet(chaos, t, PATIENT_LINK, netem),
  },
]

async function inNet(
  chaos: Chaos,
  t: TestContext,
  link: object,
  fault: (net: Net) => Promise<string>,
): Promise<string> {
  chaos.skipIf(await whyNoNetSpaces())
  const spaces = await NetSpaces.make(t, UCLA)
  const { hosts, runners } = spaces
  const herd = await chaos.startHerd({
    servers: UCLA,
    links: UCLA_LINKS,
    settings: { link, clients: { open: true } },
    hosts,
    runners,
  })
  const net: Net = { chaos, spaces, herd, traffic: chaos.traffic() }
  const done = await fault(net)
  return `${done}, ${await spaces.dropped()} packets dropped, ${chaos.ledger.acknowledgements} reports acknowledged`
}

async function partition({ chaos, spaces, herd, traffic }: Net): Promise<string> {
  const rounds = chaos.pick(1, 10)
  for (let round = 0; round < rounds; round++) {
    report(chaos, traffic)
    await spaces.part(ONE_SIDE, OTHER_SIDE)
    await parted(herd)
    await sleep(200)
    await traffic.stop()
    await spaces.heal()
    await chaos.converged()
  }
  assert.ok((await spaces.dropped()) > 0, 'packets were dropped')
  return `${rounds} partitions into 2 and 3 servers`
}

async function oneWay({ chaos, spaces, herd, traffic }: Net): Promise<string> {
  const rounds = chaos.pick(2, 10)
  for (let round = 0; round < rounds; round++) {
    report(chaos, traffic)
    const [from, to] = round % 2 === 0 ? [ONE_SIDE, OTHER_SIDE] : [OTHER_SIDE, ONE_SIDE]
    for (const a of from) for (const b of to) await spaces.block(a, b)
    await parted(herd)
    await sleep(200)
    await traffic.stop()
    await spaces.heal()
    await chaos.converged()
  }
  assert.ok((await spaces.dropped()) > 0, 'packets were dropped')
  return `${rounds} one-way partitions`
}

async function flapping({ chaos, spaces, traffic }: Net): Promise<string> {
  const flaps = chaos.pick(6, 60)
  report(chaos, traffic)
  for (let flap = 0; flap < flaps; flap++) {
    await spaces.part(ONE_SIDE, OTHER_SIDE)
    // Every fourth is longer than a link waits.
    await sleep(flap % 4 === 3 ? 1300 : 200)
    await spaces.heal()
    await sleep(50 * (flap % 5))
  }
  await traffic.stop()
  await chaos.converged()
  return `${flaps} partitions of 0.2 or 1.3 s`
}

async function loss({ chaos, spaces, traffic }: Net): Promise<string> {
  const seconds = chaos.pick(3, 60)
  await spaces.lose(10)
  report(chaos, traffic)
  await sleep(seconds * 1000)
  await traffic.stop()
  // Not healed: it must work so.
  await chaos.converged()
  assert.ok((await spaces.dropped()) > 0, 'packets were dropped')
  return `${seconds} s with 10 % of packets lost`
}

async function narrow({ chaos, spaces, herd, traffic }: Net): Promise<string> {
  const [seconds, kilobits] = [chaos.pick(3, 40), 1000]
  await spaces.narrow('Hamilton', kilobits)
  await spaces.narrow('Alford', kilobits)
  report(chaos, traffic, ['Alford', 'Ball', 'Holiday', 'Welsh'])
  await sleep(seconds * 1000)
  await traffic.stop()
  await chaos.converged()
  const { queued } = (await herd.status('Alford')).links[0] ?? { queued: -1 }
  return `${seconds} s with 2 servers behind ${kilobits} kbit/s (${queued} queued at the end)`
}

async function netem({ chaos, spaces, traffic }: Net): Promise<string> {
  const missing =
    'netem is not possible on this kernel (no sch_netem); net-loss and wire-delay stand in for it'
  chaos.skipIf((await spaces.hasNetem()) ? undefined : missing)
  const seconds = chaos.pick(3, 60)
  for (const name of UCLA) await spaces.netem(name, 100, 50, 5)
  report(chaos, traffic)
  await sleep(seconds * 1000)
  await traffic.stop()
  await chaos.converged()
  return `${seconds} s with packets 100 ± 50 ms late and 5 % lost`
}

function report(chaos: Chaos, traffic: Traffic, servers: readonly string[] = UCLA): void {
  for (const name of servers) traffic.start(name, chaos.target(name))
}

/** Waits until both sides have given up all links across. */
async function parted(herd: LiveHerd): Promise<void> {
  await waitUntil(async () => {
    const statuses = await Promise.all(UCLA.map((name) => herd.status(name)))
    const closed = statuses.flatMap(({ links }) => links.filter(({ open }) => !open))
    return closed.length === 2 * LINKS_ACROSS
  }, 'both sides notice the partition')
}
