import { parseLoadResult } from '../load/result.ts'
import type { RunningServer } from '../servers/running-server.ts'
import type { BenchContext, Sample, Shape } from './contender.ts'
import { runLoad } from './load-process.ts'

/** What the load has to know about the server. */
export interface LoadAim extends RunningServer {
  /** The name in its AT lines; `undefined` for an echo. */
  readonly serverName: string | undefined
}

/** Runs our own load of reports against a server that listens. */
export async function measureWithNodeLoad(
  aim: LoadAim,
  shape: Shape,
  context: BenchContext,
  /** A line that every connection says first. */
  prelude?: string,
): Promise<Sample> {
  const { seconds, warmUpSeconds } = context
  const options = {
    port: aim.port,
    connections: shape.connections,
    'in-flight': shape.inFlight,
    'warm-up-seconds': warmUpSeconds,
    seconds,
    'server-pid': aim.server.pid,
    'server-name': aim.serverName,
    prelude,
  }
  const stdout = await runLoad('load.ts', options, (warmUpSeconds + seconds) * 1000, context)
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
