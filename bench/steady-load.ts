/**
 * Many clients that each report once a second, spread evenly over it: a process of its own, on a core of its own.
 * Prints what it counted in its window as one line of JSON.
 */
import { createHistogram } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { dialectOf } from './load/dialects.ts'
import { Pace } from './load/pace.ts'
import { ReportTemplate } from './load/report-template.ts'
import { watchForSilence } from './load/silence.ts'
import { SteadyConnection, type SteadyPlan } from './load/steady-connection.ts'
import { readCoreWait, readCpu, utilization } from './support/cpu-time.ts'
import { readMemory } from './support/memory.ts'
import { LOOPBACK } from './support/ports.ts'

const SILENCE_MS_MAX = 5000
const READ_BYTES = 64 * 1024
const PERIOD_MS = 1000
/** Connections that are made at a time: less than what a server lets wait. */
const CONNECTING_MAX = 100

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    /** herd or redis */
    dialect: { type: 'string' },
    connections: { type: 'string' },
    'warm-up-seconds': { type: 'string', default: '1' },
    seconds: { type: 'string', default: '10' },
    'server-pid': { type: 'string' },
  },
})

try {
  process.stdout.write(`${JSON.stringify(await run())}\n`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
}

async function run(): Promise<object> {
  const { promise: failed, reject: fail } = Promise.withResolvers<never>()
  const dialect = dialectOf(values.dialect)
  const plan: SteadyPlan = {
    host: LOOPBACK,
    port: Number(values.port),
    dialect,
    reports: new ReportTemplate(dialect.template, Math.floor(Date.now() / 1000) - 1),
    readBuffer: Buffer.alloc(READ_BYTES),
    counts: { sent: 0, answered: 0, open: false, latencies: createHistogram() },
    fail,
  }
  const silence = watchForSilence(() => plan.counts.answered, SILENCE_MS_MAX, fail)
  const connections: SteadyConnection[] = []
  try {
    return await Promise.race([connectAndMeasure(connections, plan), failed])
  } finally {
    clearInterval(silence)
    for (const connection of connections) connection.close()
  }
}

async function connectAndMeasure(connections: SteadyConnection[], plan: SteadyPlan): Promise<object> {
  const count = Number(values.connections)
  const startMs = performance.now()
  while (connections.length < count) {
    const wave = Array.from(
      { length: Math.min(CONNECTING_MAX, count - connections.length) },
      (_, index) => new SteadyConnection(connections.length + index, plan),
    )
    connections.push(...wave)
    await Promise.all(wave.map(({ ready }) => ready))
  }
  const connectSeconds = (performance.now() - startMs) / 1000
  const pacing = startPacing(connections)
  try {
    return { connectSeconds, ...(await measure(plan, pacing)) }
  } finally {
    clearInterval(pacing.timer)
  }
}

interface Pacing {
  readonly timer: NodeJS.Timeout
  /** How late reports were sent, in nanoseconds: a load that can't keep its pace measures nothing. */
  readonly lateness: ReturnType<typeof createHistogram>
}

function startPacing(connections: readonly SteadyConnection[]): Pacing {
  const lateness = createHistogram()
  const pace = new Pace(connections.length, PERIOD_MS)
  const startMs = performance.now()
  const timer = setInterval(() => {
    for (;;) {
      const elapsedMs = performance.now() - startMs
      const lateMs = elapsedMs - pace.dueMs
      const member = pace.next(elapsedMs)
      if (member === -1) return
      lateness.record(Math.max(1, Math.round(lateMs * 1e6)))
      connections[member]?.report()
    }
  }, 1)
  return { timer, lateness }
}

async function measure({ counts }: SteadyPlan, { lateness }: Pacing): Promise<object> {
  const serverPid = Number(values['server-pid'])
  await sleep(Number(values['warm-up-seconds']) * 1000)

  const serverBefore = readCpu(serverPid)
  const loadBefore = readCpu(process.pid)
  const serverWaitBefore = readCoreWait(serverPid)
  const loadWaitBefore = readCoreWait(process.pid)
  const answeredBefore = counts.answered
  const startMs = performance.now()
  lateness.reset()
  counts.open = true
  await sleep(Number(values.seconds) * 1000)
  counts.open = false
  const seconds = (performance.now() - startMs) / 1000
  const serverCpu = utilization(serverBefore, readCpu(serverPid))
  const loadCpu = utilization(loadBefore, readCpu(process.pid))
  // Without this figure the parent sees zeros: it is a hint, not a measure.
  const waitSince = (pid: number, before: number | undefined): number =>
    ((readCoreWait(pid) ?? 0) - (before ?? 0)) / seconds
  const serverWait = waitSince(serverPid, serverWaitBefore)
  const loadWait = waitSince(process.pid, loadWaitBefore)
  const msAt = (percent: number): number => counts.latencies.percentile(percent) / 1e6
  return {
    answered: counts.answered - answeredBefore,
    seconds,
    p50Ms: msAt(50),
    p99Ms: msAt(99),
    p999Ms: msAt(99.9),
    maxMs: msAt(100),
    lateP99Ms: lateness.percentile(99) / 1e6,
    lateMaxMs: lateness.max / 1e6,
    serverCpu,
    loadCpu,
    serverWait,
    loadWait,
    residentBytes: readMemory(serverPid)?.residentBytes,
  }
}
