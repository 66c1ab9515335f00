/**
 * The load: a process of its own, on a core of its own. Sends reports to one server over loopback for a
 * warm-up and a window of time, and prints what it counted in the window as one line of JSON.
 *
 * The server must be a fresh one: the times of the reports begin anew with every load.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { Connection, type LoadPlan } from './load/connection.ts'
import { expectAt, expectEcho } from './load/expectation.ts'
import { ReportLines } from './load/report-lines.ts'
import type { LoadResult } from './load/result.ts'
import { watchForSilence } from './load/silence.ts'
import { Window } from './load/window.ts'
import { readCpu, utilization } from './support/cpu-time.ts'
import { LOOPBACK } from './support/ports.ts'

/** A server that answers nothing for so long has failed the measurement. */
const SILENCE_MS_MAX = 3000
const READ_BYTES = 256 * 1024

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    connections: { type: 'string', default: '50' },
    'in-flight': { type: 'string', default: '64' },
    clients: { type: 'string', default: '100000' },
    'warm-up-seconds': { type: 'string', default: '1' },
    seconds: { type: 'string', default: '3' },
    'server-pid': { type: 'string' },
    /** A line that every connection says first. */
    prelude: { type: 'string', default: '' },
    /** The name in the AT lines; without it an echo is expected. */
    'server-name': { type: 'string' },
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
  const plan = makePlan(fail)
  const silence = watchForSilence(() => plan.window.batchesSinceStart, SILENCE_MS_MAX, fail)
  const connections = Array.from(
    { length: Number(values.connections) },
    (_, number) => new Connection(number, plan),
  )
  try {
    return await Promise.race([measure(plan), failed])
  } finally {
    clearInterval(silence)
    for (const connection of connections) connection.close()
  }
}

function makePlan(fail: (error: unknown) => void): LoadPlan {
  const connections = Number(values.connections)
  const inFlight = Number(values['in-flight'])
  const serverName = values['server-name']
  return {
    host: LOOPBACK,
    port: Number(values.port),
    inFlight,
    prelude: values.prelude,
    lines: new ReportLines({
      clients: Number(values.clients),
      connections,
      linesPerBatch: inFlight,
      nowSeconds: Date.now() / 1000,
    }),
    expectation: serverName === undefined ? expectEcho : expectAt(serverName),
    window: new Window(connections),
    readBuffer: Buffer.alloc(READ_BYTES),
    fail,
  }
}

async function measure({ lines, window }: LoadPlan): Promise<LoadResult> {
  const serverPid = Number(values['server-pid'])
  await pass(Number(values['warm-up-seconds']))

  const serverBefore = readCpu(serverPid)
  const loadBefore = readCpu(process.pid)
  const startMs = performance.now()
  window.open = true
  await pass(Number(values.seconds))
  window.open = false
  const seconds = (performance.now() - startMs) / 1000
  const serverCpu = utilization(serverBefore, readCpu(serverPid))
  const loadCpu = utilization(loadBefore, readCpu(process.pid))

  const silent = window.batches.filter((batches) => batches === 0).length
  if (silent > 0) throw new Error(`no complete reply on ${silent} of ${window.batches.length} connections`)
  return {
    clients: lines.clients,
    messages: window.messages,
    seconds,
    requestBytes: window.requestBytes,
    replyBytes: window.replyBytes,
    repliesChecked: window.repliesChecked,
    batchP50Us: window.latencies.quantileUs(0.5),
    batchP99Us: window.latencies.quantileUs(0.99),
    batchMaxUs: window.latencies.maxUs,
    serverCpu,
    loadCpu,
  }
}

/** Not `ref`: only open connections keep a load alive, so that one that has failed ends at once. */
async function pass(seconds: number): Promise<void> {
  await sleep(seconds * 1000, undefined, { ref: false })
}
