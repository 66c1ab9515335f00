import { fileURLToPath } from 'node:url'
import type { BenchContext } from '../cases/contender.ts'
import { findFreePort, waitUntilListening } from '../support/ports.ts'
import type { RunningServer } from './running-server.ts'

const FILE = fileURLToPath(new URL('../google-server.ts', import.meta.url))

/** Starts the stand-in for Google, on the core of the load: what is measured is who asks it. */
export async function startGoogle(context: BenchContext): Promise<RunningServer> {
  const port = await findFreePort()
  const command = context.pinning.wrap('load', process.execPath, [FILE, String(port)])
  const server = await context.children.start('the stand-in for Google', ...command)
  await waitUntilListening(server, port)
  return { server, port, stop: () => server.stop() }
}
