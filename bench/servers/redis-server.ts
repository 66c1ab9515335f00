import type { BenchContext } from '../cases/contender.ts'
import { isInstalled } from '../support/machine.ts'
import { findFreePort, LOOPBACK, waitUntilListening } from '../support/ports.ts'
import type { RunningServer } from './running-server.ts'

/** Why Redis can not be started here, or `undefined`. */
export function whyNoRedis(): string | undefined {
  return isInstalled('redis-server') ? undefined : 'redis-server is not installed'
}

/** Starts Redis without anything that is written to a disk. */
export async function startRedis(
  name: string,
  context: BenchContext,
  moreArgs: readonly string[] = [],
): Promise<RunningServer> {
  const port = await findFreePort()
  const args = ['--port', String(port), '--bind', LOOPBACK, '--save', '', '--appendonly', 'no']
  args.push('--dir', context.folder, ...moreArgs)
  const server = await context.children.start(name, ...context.pinning.wrap('server', 'redis-server', args))
  await waitUntilListening(server, port)
  return { server, port, stop: () => server.stop() }
}
