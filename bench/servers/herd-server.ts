import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { BenchContext } from '../cases/contender.ts'
import { findFreePort, waitUntilListening } from '../support/ports.ts'
import type { RunningServer } from './running-server.ts'

/** The command of herd. */
export const HERD_FILE: string = fileURLToPath(new URL('../../bin/herd.js', import.meta.url))
const SERVER_NAME = 'Solo'

/** One server of herd, without neighbors. */
export interface HerdServer extends RunningServer {
  /** As its AT lines name it. */
  readonly serverName: string
  readonly herdFile: string
}

/** How it is started; what is left out is as herd has it. */
export interface HerdServerOptions {
  readonly logLevel: 'events' | 'traffic'
  /** `limits` of the herd file. */
  readonly limits?: Readonly<Record<string, number>>
  /** `places` of the herd file. */
  readonly places?: object
  /** Arguments of Node, before the command. */
  readonly nodeArgs?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

/** Why herd can not be started here, or `undefined`. */
export function whyNoHerd(): string | undefined {
  return existsSync(HERD_FILE) ? undefined : 'bin/herd.js is not there'
}

/** Starts a server with a folder of its own, so that it never finds the state of an earlier round. */
export async function startHerd(
  name: string,
  options: HerdServerOptions,
  context: BenchContext,
): Promise<HerdServer> {
  const folder = await mkdtemp(join(context.folder, 'herd-'))
  const port = await findFreePort()
  const herdFile = join(folder, 'bench.yaml')
  await writeFile(herdFile, writeHerdFile(port, folder, options))
  const args = [...(options.nodeArgs ?? []), HERD_FILE, 'start', SERVER_NAME, '--herd', herdFile]
  const [command, commandArgs] = context.pinning.wrap('server', process.execPath, args)
  const server = await context.children.start(name, command, commandArgs, options.env)
  await waitUntilListening(server, port)
  const stop = async (): Promise<void> => {
    await server.stop()
    // A log of traffic grows by gigabytes.
    await rm(folder, { recursive: true, force: true })
  }
  return { server, port, serverName: SERVER_NAME, herdFile, stop }
}

function writeHerdFile(
  port: number,
  folder: string,
  { logLevel, limits = {}, places }: HerdServerOptions,
): string {
  return [
    'herd: bench',
    `servers: { ${SERVER_NAME}: { port: ${port} } }`,
    'links: []',
    `stateFolder: ${JSON.stringify(join(folder, 'state'))}`,
    `logs: { folder: ${JSON.stringify(join(folder, 'logs'))}, level: ${logLevel} }`,
    `limits: ${JSON.stringify(limits)}`,
    ...(places === undefined ? [] : [`places: ${JSON.stringify(places)}`]),
    '',
  ].join('\n')
}
