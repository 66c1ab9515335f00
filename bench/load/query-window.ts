/** Asks one server for a warm-up and a window of time, and counts what it answers in the window. */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { readCpu, utilization } from '../support/cpu-time.ts'
import { LOOPBACK } from '../support/ports.ts'
import { type Answer, QueryConnection, type QueryPlan } from './query-connection.ts'
import { watchForSilence } from './silence.ts'

const READ_BYTES = 256 * 1024
/** Answers that are kept for a closer look, spread over the window. */
const SAMPLES = 24

/** What is asked of whom, and how. */
export interface QueryOrder extends Pick<QueryPlan, 'port' | 'clientOf' | 'request' | 'endOf' | 'inFlight'> {
  readonly connections: number
  readonly warmUpSeconds: number
  readonly seconds: number
  /** The processes whose CPU is the server's. */
  readonly serverPids: readonly number[]
  /** A server that answers nothing for so long has failed the measurement. */
  readonly silenceMsMax: number
}

/** What was counted in the window. */
export interface QueryFigures extends LatencyFigures {
  readonly queries: number
  readonly seconds: number
  /** Cores kept busy; missing where the system does not tell. */
  readonly serverCpu: number | undefined
  readonly loadCpu: number | undefined
}

export interface LatencyFigures {
  readonly p50Ms: number
  readonly p99Ms: number
  readonly maxMs: number
}

/** Throws when anything goes wrong meanwhile, or nothing was answered. */
export async function measureQueries(
  order: QueryOrder,
): Promise<{ readonly figures: QueryFigures; readonly samples: readonly Answer[] }> {
  const { promise: failed, reject: fail } = Promise.withResolvers<never>()
  const plan: QueryPlan = {
    ...order,
    host: LOOPBACK,
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
  const silence = watchForSilence(() => plan.counts.answered, order.silenceMsMax, fail)
  const connections = Array.from({ length: order.connections }, () => new QueryConnection(plan))
  try {
    const figures = await Promise.race([measure(plan, order), failed])
    if (plan.counts.samples.length === 0) throw new Error('nothing was answered in the window')
    return { figures, samples: plan.counts.samples }
  } finally {
    clearInterval(silence)
    for (const connection of connections) connection.close()
  }
}

/** Of latencies in nanoseconds. */
export function latencyFigures(latencies: RecordableHistogram): LatencyFigures {
  return {
    p50Ms: latencies.percentile(50) / 1e6,
    p99Ms: latencies.percentile(99) / 1e6,
    maxMs: latencies.max / 1e6,
  }
}

async function measure({ counts }: QueryPlan, order: QueryOrder): Promise<QueryFigures> {
  // Not `ref`: only open connections keep a load alive, so that one that has failed ends at once.
  await sleep(order.warmUpSeconds * 1000, undefined, { ref: false })
  const serversBefore = order.serverPids.map(readCpu)
  const loadBefore = readCpu(process.pid)
  const answeredBefore = counts.answered
  const startMs = performance.now()
  counts.open = true
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    counts.samplesWanted += 1
    await sleep((order.seconds * 1000) / SAMPLES, undefined, { ref: false })
  }
  counts.open = false
  const seconds = (performance.now() - startMs) / 1000
  const shares = order.serverPids.map((pid, index) => utilization(serversBefore[index], readCpu(pid)))
  return {
    queries: counts.answered - answeredBefore,
    seconds,
    ...latencyFigures(counts.latencies),
    serverCpu: shares.reduce(
      (sum, share) => (sum === undefined || share === undefined ? undefined : sum + share),
      0,
    ),
    loadCpu: utilization(loadBefore, readCpu(process.pid)),
  }
}
