import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { BenchContext } from '../cases/contender.ts'
import type { Target } from '../load/targets.ts'
import type { Child } from '../support/children.ts'
import { isInstalled } from '../support/machine.ts'
import { findFreePorts, LOOPBACK, waitUntilListening } from '../support/ports.ts'

const ROUTED_MS_MAX = 15_000
const ASK_EVERY_MS = 50

/** Servers of NATS that all have a route to each other, as it connects its clusters. */
export interface NatsCluster {
  readonly targets: readonly Target[]
  readonly pids: readonly number[]
  stop(): Promise<void>
}

/** Why NATS can not be started here, or `undefined`. */
export function whyNoNats(): string | undefined {
  return isInstalled('nats-server') ? undefined : 'nats-server is not installed'
}

/** Starts a cluster with one server for each name; resolves when all routes are there. */
export async function startNats(names: readonly string[], context: BenchContext): Promise<NatsCluster> {
  const ports = await findFreePorts(names.length * 3)
  const portOf = (index: number, kind: number): number => ports[index * 3 + kind] ?? 0
  const routes = names.map((_, index) => `nats://${LOOPBACK}:${portOf(index, 1)}`)
  const servers: Child[] = []
  const stop = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.stop()))
  }
  try {
    for (const [index, name] of names.entries()) {
      const file = join(context.folder, `nats-${portOf(index, 0)}.conf`)
      await writeFile(file, writeConfig(name, portOf(index, 0), portOf(index, 1), portOf(index, 2), routes))
      const server = await context.children.start(`NATS ${name}`, 'nats-server', ['-c', file])
      servers.push(server)
      await waitUntilListening(server, portOf(index, 0))
    }
    await Promise.all(names.map((_, index) => whenRouted(portOf(index, 2), names.length - 1)))
  } catch (error) {
    await stop()
    throw error
  }
  const targets = names.map((name, index) => ({ name, port: portOf(index, 0) }))
  return { targets, pids: servers.map(({ pid }) => pid), stop }
}

function writeConfig(
  name: string,
  port: number,
  clusterPort: number,
  monitorPort: number,
  routes: readonly string[],
): string {
  return [
    `server_name: ${name}`,
    `listen: "${LOOPBACK}:${port}"`,
    `http: "${LOOPBACK}:${monitorPort}"`,
    `cluster { name: bench, listen: "${LOOPBACK}:${clusterPort}", routes: ${JSON.stringify(routes)} }`,
    '',
  ].join('\n')
}

async function whenRouted(monitorPort: number, routes: number): Promise<void> {
  const giveUpAtMs = performance.now() + ROUTED_MS_MAX
  for (;;) {
    const answer = await fetch(`http://${LOOPBACK}:${monitorPort}/routez`).catch(() => undefined)
    const body = (await answer?.json()) as { readonly num_routes?: number } | undefined
    if ((body?.num_routes ?? 0) >= routes) return
    if (performance.now() > giveUpAtMs) throw new Error('the servers of NATS found no routes to each other')
    await sleep(ASK_EVERY_MS)
  }
}
