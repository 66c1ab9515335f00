/**
 * Updates to all servers of a herd, or of a cluster of NATS, evenly: a process of its own. Prints what was accepted
 * and what arrived everywhere as one line of JSON: at full speed, and at the highest rate at which next to no update
 * was overtaken on its way by a newer one of its client.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import type { FloodResult, FloodStep } from './load/flood-result.ts'
import type { FloodOrder, FloodServers } from './load/flood-servers.ts'
import { HerdFlood } from './load/herd-flood.ts'
import { NatsFlood } from './load/nats-flood.ts'
import { findHighestRate } from './load/rate-search.ts'
import { parseTargets } from './load/targets.ts'
import { readCpu, utilization } from './support/cpu-time.ts'

/** What may be overtaken at the rate that is called lossless. */
const CONFLATED_MAX = 0.01
/** Every server must know the newest of all clients so soon after the last report was accepted. */
const SETTLED_MS_MAX = 1000
/** Halvings of the rates in question: the rate is found to a sixteenth of the highest. */
const SEARCH_STEPS = 4

const { values } = parseArgs({
  options: {
    /** herd or nats */
    dialect: { type: 'string' },
    /** name:port,… */
    targets: { type: 'string', default: '' },
    'server-pids': { type: 'string', default: '' },
    connections: { type: 'string', default: '2' },
    'in-flight': { type: 'string', default: '64' },
    clients: { type: 'string', default: '10000' },
    'warm-up-seconds': { type: 'string', default: '1' },
    seconds: { type: 'string', default: '3' },
  },
})
const inFlight = Number(values['in-flight'])
const serverPids = values['server-pids'].split(',').map(Number)

try {
  process.stdout.write(`${JSON.stringify(await run())}\n`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

async function run(): Promise<FloodResult> {
  const { promise: failed, reject: fail } = Promise.withResolvers<never>()
  const servers = makeServers({
    targets: parseTargets(values.targets),
    connectionsPerServer: Number(values.connections),
    inFlight,
    clients: Number(values.clients),
    fail,
  })
  try {
    return await Promise.race([measure(servers), failed])
  } finally {
    servers.close()
  }
}

function makeServers(order: FloodOrder): FloodServers {
  if (values.dialect === 'herd') return new HerdFlood(order)
  if (values.dialect === 'nats') return new NatsFlood(order)
  throw new Error(`no dialect is called ${values.dialect}`)
}

async function measure(servers: FloodServers): Promise<FloodResult> {
  await servers.flood.whenReady()
  await step(servers, Number(values['warm-up-seconds']), Number.POSITIVE_INFINITY)
  const seconds = Number(values.seconds)
  const full = await step(servers, seconds, Number.POSITIVE_INFINITY)
  if (isLossless(full)) return { full, lossless: full, tried: [] }
  const tried: FloodStep[] = []
  const lossless = await findHighestRate(full.accepted / full.seconds, SEARCH_STEPS, async (rate) => {
    const found = await step(servers, seconds, rate)
    tried.push(found)
    return isLossless(found) ? found : undefined
  })
  return { full, lossless: lossless ?? null, tried }
}

function isLossless({ conflatedMax, settledMs }: FloodStep): boolean {
  return conflatedMax <= CONFLATED_MAX && settledMs <= SETTLED_MS_MAX
}

async function step(servers: FloodServers, seconds: number, rate: number): Promise<FloodStep> {
  // Whatever the step before has left to do (logs, garbage) is not this one's.
  await sleep(200)
  await servers.begin()
  const serversBefore = serverPids.map(readCpu)
  const loadBefore = readCpu(process.pid)
  const startMs = performance.now()
  const sent = await servers.flood.run(seconds * 1000, rate / inFlight)
  const answeredMs = performance.now()
  const serverCpus = serverPids.map((pid, index) => utilization(serversBefore[index], readCpu(pid)) ?? 0)
  const loadCpu = utilization(loadBefore, readCpu(process.pid))
  const { atMs, applied } = await servers.settle()
  const accepted = sent.batches * inFlight
  const least = Math.min(...applied)
  return {
    rate: Number.isFinite(rate) ? rate : undefined,
    accepted,
    seconds: sent.seconds,
    applied,
    settledMs: Math.max(0, atMs - answeredMs),
    appliedPerSecond: least / ((atMs - startMs) / 1000),
    conflatedMax: 1 - least / accepted,
    serverCpu: serverCpus.reduce((sum, cpu) => sum + cpu, 0),
    loadCpu,
  }
}
