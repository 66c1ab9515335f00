/**
 * Updates at a steady low rate, to the servers of a herd or of a cluster of NATS in turn: a process of its own, with one
 * clock for sending and hearing. Prints how long updates took as one line of JSON.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Arrivals, quantilesOf } from './load/arrivals.ts'
import { Pace } from './load/pace.ts'
import { openHerdPulse, openNatsPulse, type Pulse, type PulseOrder } from './load/pulse.ts'
import type { PulseResult } from './load/pulse-result.ts'
import { parseTargets } from './load/targets.ts'
import { readCpu, utilization } from './support/cpu-time.ts'

/** After the last update; what has not come by then is missing. */
const LAST_MS_MAX = 2000

const { values } = parseArgs({
  options: {
    /** herd or nats */
    dialect: { type: 'string' },
    /** name:port,… */
    targets: { type: 'string', default: '' },
    /** Where a herd's servers have their classic neighbors; without any, nobody listens at the other servers. */
    'sink-ports': { type: 'string' },
    'server-pids': { type: 'string' },
    rate: { type: 'string', default: '2000' },
    'warm-up-seconds': { type: 'string', default: '1' },
    seconds: { type: 'string', default: '10' },
  },
})
const targets = parseTargets(values.targets)
const sinkPorts = values['sink-ports']?.split(',').map(Number) ?? []
const serverPids = values['server-pids']?.split(',').map(Number) ?? []
const isHeard = values.dialect === 'nats' || sinkPorts.length > 0

try {
  process.stdout.write(`${JSON.stringify(await run())}\n`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

async function run(): Promise<PulseResult> {
  const { promise: failed, reject: fail } = Promise.withResolvers<never>()
  const [rate, seconds, warmUpSeconds] = [values.rate, values.seconds, values['warm-up-seconds']].map(Number)
  if (rate === undefined || seconds === undefined || warmUpSeconds === undefined) throw new Error('no rate')
  const room = Math.ceil(rate * (seconds + warmUpSeconds + 5))
  const arrivals = new Arrivals(room, isHeard ? targets.length - 1 : 0)
  const pulse = await open({ targets, arrivals, fail })
  const pacing = startPacing(pulse, arrivals, rate)
  try {
    return await Promise.race([measure(arrivals, pacing, seconds, warmUpSeconds), failed])
  } finally {
    clearInterval(pacing)
    pulse.close()
  }
}

function open(order: PulseOrder): Promise<Pulse> {
  if (values.dialect === 'herd') return openHerdPulse(order, sinkPorts)
  if (values.dialect === 'nats') return openNatsPulse(order)
  throw new Error(`no dialect is called ${values.dialect}`)
}

function startPacing(pulse: Pulse, arrivals: Arrivals, rate: number): NodeJS.Timeout {
  const pace = new Pace(targets.length, (targets.length * 1000) / rate)
  const startMs = performance.now()
  return setInterval(() => {
    for (;;) {
      const nowMs = performance.now()
      const server = pace.next(nowMs - startMs)
      if (server === -1) return
      pulse.send(server, arrivals.send(nowMs))
    }
  }, 1)
}

async function measure(
  arrivals: Arrivals,
  pacing: NodeJS.Timeout,
  seconds: number,
  warmUpSeconds: number,
): Promise<PulseResult> {
  await sleep(warmUpSeconds * 1000)
  const serversBefore = serverPids.map(readCpu)
  const loadBefore = readCpu(process.pid)
  const sentBefore = arrivals.sent
  arrivals.measureFromHere()
  await sleep(seconds * 1000)
  clearInterval(pacing)
  const serverCpus = serverPids.map((pid, index) => utilization(serversBefore[index], readCpu(pid)) ?? 0)
  const loadCpu = utilization(loadBefore, readCpu(process.pid))
  await sleep(LAST_MS_MAX)
  const { answered, each, everywhere } = arrivals.delays
  return {
    updates: arrivals.sent - sentBefore,
    updatesInAll: arrivals.sent,
    seconds,
    missing: arrivals.missing,
    answered: values.dialect === 'herd' ? quantilesOf(answered) : undefined,
    each: isHeard ? quantilesOf(each) : undefined,
    everywhere: isHeard ? quantilesOf(everywhere) : undefined,
    serverCpu: serverCpus.reduce((sum, cpu) => sum + cpu, 0),
    loadCpu,
  }
}
