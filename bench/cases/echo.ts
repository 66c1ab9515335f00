import { fileURLToPath } from 'node:url'
import { measureAndStop } from '../servers/running-server.ts'
import { findFreePort, waitUntilListening } from '../support/ports.ts'
import type { Contender } from './contender.ts'
import { measureWithNodeLoad } from './node-load.ts'

const ECHO_FILE = fileURLToPath(new URL('../echo-server.ts', import.meta.url))

/** The ceiling: the same bytes through Node and the kernel, with no work between. */
export const echo: Contender = {
  name: 'echo',
  title: 'raw Node echo',
  missing: () => undefined,
  measure: async (shape, context) => {
    const port = await findFreePort()
    const command = context.pinning.wrap('server', process.execPath, [ECHO_FILE, String(port)])
    const server = await context.children.start('echo', ...command)
    await waitUntilListening(server, port)
    const running = { server, port, serverName: undefined, stop: () => server.stop() }
    return measureAndStop(running, (aim) => measureWithNodeLoad(aim, shape, context))
  },
}
