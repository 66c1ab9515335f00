/**
 * Asks a server that knows a whole city who is nearest to random clients: a process of its own, on a core of its
 * own. Prints what it counted in its window as one line of JSON, after it has compared a sample of the answers with
 * those found by looking at everyone.
 */
import { createHistogram } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { clientId } from './load/city.ts'
import { NearestTruth } from './load/nearest-truth.ts'
import { QueryConnection, type QueryPlan } from './load/query-connection.ts'
import { queryDialectOf } from './load/query-dialects.ts'
import { watchForSilence } from './load/silence.ts'
import { readCpu, utilization } from './support/cpu-time.ts'
import { LOOPBACK } from './support/ports.ts'

/** A scan of a crowded circle may take a second, and forty wait for it. */
const SILENCE_MS_MAX = 20_000
const READ_BYTES = 256 * 1024
/** Answers that are compared with the truth, spread over the window. */
const SAMPLES = 24

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    /** herd or redis */
    dialect: { type: 'string' },
    /** All of them must be where they were first. */
    clients: { type: 'string' },
    'radius-km': { type: 'string' },
    items: { type: 'string', default: '20' },
    connections: { type: 'string', default: '10' },
    'in-flight': { type: 'string', default: '4' },
    'warm-up-seconds': { type: 'string', default: '1' },
    seconds: { type: 'string', default: '3' },
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
  const plan: QueryPlan = {
    host: LOOPBACK,
    port: Number(values.port),
    dialect: queryDialectOf(values.dialect),
    clients: Number(values.clients),
    radiusKm: Number(values['radius-km']),
    items: Number(values.items),
    inFlight: Number(values['in-flight']),
    readBuffer: Buffer.alloc(READ_BYTES),
    counts: {
      asked: 0,
      answered: 0,
      open: false,
      latencies: createHistogram(),
      samplesWanted: 0,
      samples: [],
    },
    fail,
  }
  const silence = watchForSilence(() => plan.counts.answered, SILENCE_MS_MAX, fail)
  const connections = Array.from({ length: Number(values.connections) }, () => new QueryConnection(plan))
  try {
    return { ...(await Promise.race([measure(plan), failed])), answersChecked: check(plan) }
  } finally {
    clearInterval(silence)
    for (const connection of connections) connection.close()
  }
}

async function measure({ counts }: QueryPlan): Promise<object> {
  const serverPid = Number(values['server-pid'])
  await sleep(Number(values['warm-up-seconds']) * 1000, undefined, { ref: false })

  const serverBefore = readCpu(serverPid)
  const loadBefore = readCpu(process.pid)
  const answeredBefore = counts.answered
  const startMs = performance.now()
  counts.open = true
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    counts.samplesWanted += 1
    await sleep((Number(values.seconds) * 1000) / SAMPLES, undefined, { ref: false })
  }
  counts.open = false
  const seconds = (performance.now() - startMs) / 1000
  const serverCpu = utilization(serverBefore, readCpu(serverPid))
  const loadCpu = utilization(loadBefore, readCpu(process.pid))
  return {
    queries: counts.answered - answeredBefore,
    seconds,
    p50Ms: counts.latencies.percentile(50) / 1e6,
    p99Ms: counts.latencies.percentile(99) / 1e6,
    maxMs: counts.latencies.max / 1e6,
    serverCpu,
    loadCpu,
  }
}

/** How many answers were compared; throws if one is wrong. */
function check({ dialect, clients, radiusKm, items, counts }: QueryPlan): number {
  if (counts.samples.length === 0) throw new Error('nothing was answered in the window')
  const truth = new NearestTruth(clients)
  for (const { client, reply } of counts.samples) {
    const id = clientId(client)
    const problem = truth.problemWith(client, radiusKm, items, dialect.idsIn(reply, id))
    if (problem !== undefined) throw new Error(`wrong answer within ${radiusKm} km of ${id}: ${problem}`)
  }
  return counts.samples.length
}
