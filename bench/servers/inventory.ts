import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { LOOPBACK } from '../support/ports.ts'
import { HERD_FILE, type HerdServer } from './herd-server.ts'
import type { RunningServer } from './running-server.ts'

const ANSWER_MS_MAX = 30_000
/** The others may have joined a call under way, or come out of a small cache. */
const CALLED_SHARE_MIN = 0.98

/** What a herd server says of its table. */
export interface HerdInventory {
  readonly clients: number
  /** Memory of all parts of the table, as it accounts for it itself; 0 if it doesn't. */
  readonly tableBytes: number
}

/** Asks by `herd status`. */
export async function readHerdInventory(running: HerdServer): Promise<HerdInventory> {
  return parseHerdStatus(await readStatus(running))
}

/** Throws unless nearly every ask of a provider of places became a call of it, by what `herd status` says. */
export async function assertCalled(running: HerdServer, provider: string): Promise<void> {
  const { asks, calls } = parseProviderStatus(await readStatus(running), provider)
  if (asks === 0 || calls < asks * CALLED_SHARE_MIN) {
    throw new Error(
      `${provider} was called ${calls} times for ${asks} asks: the others were answered otherwise`,
    )
  }
}

async function readStatus({ herdFile }: HerdServer): Promise<string> {
  const args = [HERD_FILE, 'status', '--json', '--herd', herdFile]
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: ANSWER_MS_MAX })
  return stdout
}

/** How often a provider was asked for, and called, out of what `herd status --json` prints of a herd of one server. */
export function parseProviderStatus(text: string, provider: string): { asks: number; calls: number } {
  const { servers } = JSON.parse(text) as {
    servers: [{ status: { places: { providers: { name: string; asks: number; calls: number }[] } } }]
  }
  const found = servers[0].status.places.providers.find(({ name }) => name === provider)
  if (found === undefined) throw new Error(`the server has no provider ${provider}`)
  return { asks: found.asks, calls: found.calls }
}

/** Reads what `herd status --json` prints of a herd of one server. */
export function parseHerdStatus(text: string): HerdInventory {
  const { servers } = JSON.parse(text) as {
    servers: [{ status: { clients: number; counters: Record<string, number> } }]
  }
  const { clients, counters } = servers[0].status
  const parts = Object.entries(counters).filter(([name]) => name.startsWith('tableBytes.'))
  return { clients, tableBytes: parts.reduce((sum, [, bytes]) => sum + bytes, 0) }
}

/** How many members the fleet has in Redis. */
export async function countRedisMembers({ port }: RunningServer): Promise<number> {
  const args = ['-h', LOOPBACK, '-p', String(port), 'ZCARD', 'fleet']
  const { stdout } = await promisify(execFile)('redis-cli', args, { timeout: ANSWER_MS_MAX })
  return Number(stdout)
}

/** Throws unless all clients have arrived. */
export function assertClients(server: string, found: number, wanted: number): void {
  if (found !== wanted) throw new Error(`${server} knows ${found} clients, not ${wanted}`)
}
