import { fileURLToPath } from 'node:url'
import { parseLoadResult } from '../load/result.ts'
import { startHerd, whyNoHerd } from '../servers/herd-server.ts'
import { measureAndStop, type RunningServer } from '../servers/running-server.ts'
import { findFreePort, waitUntilListening } from '../support/ports.ts'
import type { BenchContext, Benchmark, BenchmarkReport, Contender, Sample, Shape } from './contender.ts'
import { runLoad } from './load-process.ts'
import { formatShapeRounds, type RatioPair } from './rates.ts'
import { measureShapeRounds, toShapeData } from './shape-rounds.ts'

const SERVER_FILE = fileURLToPath(new URL('../json-server.ts', import.meta.url))
const SHAPES: readonly Shape[] = [{ connections: 50, inFlight: 1 }]

const herd: Contender = {
  name: 'herd',
  title: 'herd',
  missing: whyNoHerd,
  measure: async (shape, context) =>
    measureAndStop(await startHerd('herd', { logLevel: 'events' }, context), (running) =>
      measure(running, shape, context),
    ),
}

const bare: Contender = {
  name: 'node-http',
  title: 'bare node:http',
  missing: () => undefined,
  measure: async (shape, context) => {
    const port = await findFreePort()
    const command = context.pinning.wrap('server', process.execPath, [SERVER_FILE, String(port)])
    const server = await context.children.start('node-http', ...command)
    await waitUntilListening(server, port)
    const running = { server, port, stop: () => server.stop() }
    return measureAndStop(running, () => measure(running, shape, context))
  },
}

const CONTENDERS = [herd, bare]
const RATIOS: readonly RatioPair[] = [[herd, bare]]

/** Reports by POST, beside a server of `node:http` that does nothing but parse the same JSON. */
export const http: Benchmark = { name: 'http', contenders: CONTENDERS, run }

async function run(context: BenchContext): Promise<BenchmarkReport> {
  const { results, notes } = await measureShapeRounds(http.name, SHAPES, CONTENDERS, context)
  const tables = results.map((one) => `POST /v1/fixes, ${formatShapeRounds(one, RATIOS)}`)
  return { text: [...tables, ...notes].join('\n\n'), data: toShapeData(results, RATIOS, notes) }
}

async function measure(
  { server, port }: RunningServer,
  { connections }: Shape,
  context: BenchContext,
): Promise<Sample> {
  const { seconds, warmUpSeconds } = context
  const options = {
    port,
    connections,
    'warm-up-seconds': warmUpSeconds,
    seconds,
    'server-pid': server.pid,
  }
  const stdout = await runLoad('http-load.ts', options, (warmUpSeconds + seconds) * 1000, context)
  const result = parseLoadResult(stdout)
  return {
    messagesPerSecond: result.messages / result.seconds,
    batchP50Us: result.batchP50Us,
    batchP99Us: result.batchP99Us,
    serverCpu: result.serverCpu,
    loadCpu: result.loadCpu,
    details: result,
  }
}
