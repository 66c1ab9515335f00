import { fileURLToPath } from 'node:url'
import { parseLoadResult } from '../load/result.ts'
import { type Child, describe, waitForSuccess } from '../support/children.ts'
import type { BenchContext, Sample, Shape } from './contender.ts'

const LOAD_FILE = fileURLToPath(new URL('../load.ts', import.meta.url))
/** Writing the lines, connecting, and the start of Node, beside the time that is measured. */
const OVERHEAD_MS_MAX = 20_000

/** What the load has to know about the server. */
export interface LoadAim {
  readonly server: Child
  readonly port: number
  /** The name in its AT lines; `undefined` for an echo. */
  readonly serverName: string | undefined
}

/** Runs our own load against a server that listens, and ends that server. */
export async function measureWithNodeLoad(
  aim: LoadAim,
  shape: Shape,
  context: BenchContext,
): Promise<Sample> {
  try {
    return await measure(aim, shape, context)
  } catch (cause) {
    await aim.server.stop()
    const reason = cause instanceof Error ? cause.message : String(cause)
    throw new Error(`${reason}\n${aim.server.name} ended: ${describe(await aim.server.ended)}`, { cause })
  } finally {
    await aim.server.stop()
  }
}

async function measure(aim: LoadAim, shape: Shape, context: BenchContext): Promise<Sample> {
  const { children, pinning, seconds, warmUpSeconds } = context
  const args = [
    LOAD_FILE,
    `--port=${aim.port}`,
    `--connections=${shape.connections}`,
    `--in-flight=${shape.inFlight}`,
    `--warm-up-seconds=${warmUpSeconds}`,
    `--seconds=${seconds}`,
    `--server-pid=${aim.server.pid}`,
    ...(aim.serverName === undefined ? [] : [`--server-name=${aim.serverName}`]),
  ]
  const load = await children.start(
    `load on ${aim.server.name}`,
    ...pinning.wrap('load', process.execPath, args),
  )
  const ending = await waitForSuccess(load, (warmUpSeconds + seconds) * 1000 + OVERHEAD_MS_MAX)
  const result = parseLoadResult(ending.stdout)
  return {
    messagesPerSecond: result.messages / result.seconds,
    batchP50Us: result.batchP50Us,
    batchP99Us: result.batchP99Us,
    serverCpu: result.serverCpu,
    loadCpu: result.loadCpu,
    details: result,
  }
}
