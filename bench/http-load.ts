/**
 * Reports by POST over connections that are kept: a process of its own, on a core of its own. Prints what it counted in its
 * window as one line of JSON.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { fixRequests, HttpConnection, type HttpPlan } from './load/http-connection.ts'
import type { LoadResult } from './load/result.ts'
import { watchForSilence } from './load/silence.ts'
import { Window } from './load/window.ts'
import { readCpu, utilization } from './support/cpu-time.ts'
import { LOOPBACK } from './support/ports.ts'

const SILENCE_MS_MAX = 3000

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    connections: { type: 'string', default: '50' },
    clients: { type: 'string', default: '100000' },
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

async function run(): Promise<LoadResult> {
  const { promise: failed, reject: fail } = Promise.withResolvers<never>()
  const count = Number(values.connections)
  const plan: HttpPlan = {
    host: LOOPBACK,
    port: Number(values.port),
    clients: Number(values.clients),
    connections: count,
    reports: fixRequests(),
    window: new Window(count),
    fail,
  }
  const silence = watchForSilence(() => plan.window.batchesSinceStart, SILENCE_MS_MAX, fail)
  const connections = Array.from({ length: count }, (_, number) => new HttpConnection(number, plan))
  try {
    return await Promise.race([measure(plan), failed])
  } finally {
    clearInterval(silence)
    for (const connection of connections) connection.close()
  }
}

async function measure({ window, clients }: HttpPlan): Promise<LoadResult> {
  const serverPid = Number(values['server-pid'])
  await sleep(Number(values['warm-up-seconds']) * 1000)
  const serverBefore = readCpu(serverPid)
  const loadBefore = readCpu(process.pid)
  const startMs = performance.now()
  window.open = true
  await sleep(Number(values.seconds) * 1000)
  window.open = false
  const seconds = (performance.now() - startMs) / 1000
  const silent = window.batches.filter((batches) => batches === 0).length
  if (silent > 0) throw new Error(`no answer on ${silent} of ${window.batches.length} connections`)
  return {
    clients,
    messages: window.messages,
    seconds,
    requestBytes: window.requestBytes,
    replyBytes: window.replyBytes,
    repliesChecked: window.repliesChecked,
    batchP50Us: window.latencies.quantileUs(0.5),
    batchP99Us: window.latencies.quantileUs(0.99),
    batchMaxUs: window.latencies.maxUs,
    serverCpu: utilization(serverBefore, readCpu(serverPid)),
    loadCpu: utilization(loadBefore, readCpu(process.pid)),
  }
}
