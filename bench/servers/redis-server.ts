import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { BenchContext } from '../cases/contender.ts'
import { isInstalled } from '../support/machine.ts'
import { findFreePort, LOOPBACK, waitUntilListening } from '../support/ports.ts'
import type { RunningServer } from './running-server.ts'

/** Why Redis can not be started here, or `undefined`. */
export function whyNoRedis(): string | undefined {
  return isInstalled('redis-server') ? undefined : 'redis-server is not installed'
}

/** Starts Redis with a folder of its own and, unless told otherwise, without anything that is written there. */
export async function startRedis(
  name: string,
  context: BenchContext,
  moreArgs: readonly string[] = [],
): Promise<RunningServer> {
  const port = await findFreePort()
  const args = ['--port', String(port), '--bind', LOOPBACK, '--save', '', '--appendonly', 'no']
  const folder = await mkdtemp(join(context.folder, 'redis-'))
  args.push('--dir', folder, ...moreArgs)
  const server = await context.children.start(name, ...context.pinning.wrap('server', 'redis-server', args))
  await waitUntilListening(server, port)
  const stop = async (): Promise<void> => {
    await server.stop()
    await rm(folder, { recursive: true, force: true })
  }
  return { server, port, stop }
}
