import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { findFreePort, waitUntilListening } from '../support/ports.ts'
import type { Contender } from './contender.ts'
import { measureWithNodeLoad } from './node-load.ts'

const HERD_FILE = fileURLToPath(new URL('../../bin/herd.js', import.meta.url))
const SERVER_NAME = 'Solo'

/** One server of our own, without neighbors and without its log of traffic. */
export const herd: Contender = contender('herd', 'herd, traffic log off', 'events')

/** The same with every line in and out written to its log. */
export const herdTraffic: Contender = contender('herd-traffic', 'herd, traffic log on', 'traffic')

function contender(name: string, title: string, logLevel: 'events' | 'traffic'): Contender {
  return {
    name,
    title,
    missing: () => (existsSync(HERD_FILE) ? undefined : 'bin/herd.js is not there'),
    measure: async (shape, context) => {
      // Its own folder each time: a server that found the state of the last round would drop old reports.
      const folder = await mkdtemp(join(context.folder, 'herd-'))
      try {
        const port = await findFreePort()
        const herdFile = join(folder, 'bench.yaml')
        await writeFile(herdFile, writeHerdFile(port, folder, logLevel))
        const args = [HERD_FILE, 'start', SERVER_NAME, '--herd', herdFile]
        const command = context.pinning.wrap('server', process.execPath, args)
        const server = await context.children.start(name, ...command)
        await waitUntilListening(server, port)
        return await measureWithNodeLoad({ server, port, serverName: SERVER_NAME }, shape, context)
      } finally {
        // A log of traffic grows by gigabytes.
        await rm(folder, { recursive: true, force: true })
      }
    },
  }
}

function writeHerdFile(port: number, folder: string, logLevel: string): string {
  return [
    'herd: bench',
    `servers: { ${SERVER_NAME}: { port: ${port} } }`,
    'links: []',
    `stateFolder: ${JSON.stringify(join(folder, 'state'))}`,
    `logs: { folder: ${JSON.stringify(join(folder, 'logs'))}, level: ${logLevel} }`,
    '',
  ].join('\n')
}
