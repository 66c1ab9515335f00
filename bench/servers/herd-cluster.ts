import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { BenchContext } from '../cases/contender.ts'
import type { Encryption, Target } from '../load/targets.ts'
import { type Child, describe } from '../support/children.ts'
import { findFreePorts, waitUntilListening } from '../support/ports.ts'
import type { CountingProxy } from './counting-proxy.ts'
import { HERD_FILE } from './herd-server.ts'
import { CLUSTER_HERD, CLUSTER_SECRET, type Statuses, waitForStatuses } from './herd-status.ts'
import { linkSettings } from './link-encryption.ts'

/** The first of 25 servers may have been dialing the last for a while, after growing delays. */
const LINKED_MS_MAX = 60_000
/** Servers that are started at a time: each is given only so long until it listens. */
const STARTING_MAX = 5

/** What a herd of several servers is made of. */
export interface ClusterPlan {
  readonly names: readonly string[]
  readonly links: readonly (readonly [string, string])[]
  /** How links are protected, where this version lets one choose. */
  readonly encryption: Encryption
  /** What else the herd file says, by group: `logs`, `limits`, `link`. */
  readonly settings?: Readonly<Record<string, object>>
  /** Servers of the old kind, with where they are; they are linked like the others. */
  readonly classics?: Readonly<Record<string, { readonly host: string; readonly port: number }>>
  /** `from` finds `to` behind a proxy. */
  readonly routes?: readonly Route[]
  /** Arguments of Node, by server. */
  readonly nodeArgs?: Readonly<Record<string, readonly string[]>>
}

/** A way from one server to another that is counted, and may be cut. */
export interface Route {
  readonly from: string
  readonly to: string
  readonly proxy: CountingProxy
}

/** Servers of one herd, each a process of its own on whatever core the system gives it. */
export class HerdCluster {
  readonly targets: readonly Target[]
  readonly #plan: ClusterPlan
  readonly #context: BenchContext
  readonly #folder: string
  readonly #servers = new Map<string, Child>()

  /** Starts all servers; resolves when all links are open. */
  static async start(plan: ClusterPlan, context: BenchContext): Promise<HerdCluster> {
    const folder = await mkdtemp(join(context.folder, 'cluster-'))
    const ports = await findFreePorts(plan.names.length)
    const targets = plan.names.map((name, index) => ({
      name,
      port: ports[index] ?? 0,
      encryption: plan.encryption,
    }))
    const cluster = new HerdCluster(plan, context, folder, targets)
    try {
      for (let first = 0; first < plan.names.length; first += STARTING_MAX) {
        const wave = plan.names.slice(first, first + STARTING_MAX)
        await Promise.all(wave.map((name) => cluster.startServer(name)))
      }
      await cluster.whenLinked()
      return cluster
    } catch (cause) {
      throw await cluster.stopAfter(cause)
    }
  }

  private constructor(plan: ClusterPlan, context: BenchContext, folder: string, targets: readonly Target[]) {
    this.#plan = plan
    this.#context = context
    this.#folder = folder
    this.targets = targets
    for (const { to, proxy } of plan.routes ?? []) proxy.targetPort = this.port(to)
  }

  /** Process ids, in the order of the plan. */
  get pids(): number[] {
    return this.targets.map(({ name }) => this.#server(name).pid)
  }

  port(name: string): number {
    return this.target(name).port
  }

  target(name: string): Target {
    const target = this.targets.find((one) => one.name === name)
    if (target === undefined) throw new Error(`no server ${name}`)
    return target
  }

  /** As the loads of one server take it. */
  running(name: string): { server: Child; port: number; stop: () => Promise<void> } {
    const server = this.#server(name)
    return { server, port: this.port(name), stop: () => server.stop() }
  }

  /** Starts a server that does not run, with nothing on its disk; resolves when it listens. */
  async startServer(name: string): Promise<void> {
    const folder = join(this.#folder, name)
    await rm(folder, { recursive: true, force: true })
    await mkdir(folder)
    const file = join(folder, 'herd.yaml')
    // JSON is YAML too.
    await writeFile(file, JSON.stringify(this.#herdFile(name, folder), null, 2))
    const nodeArgs = this.#plan.nodeArgs?.[name] ?? []
    const args = [...nodeArgs, HERD_FILE, 'start', name, '--herd', file]
    const env = { HERD_SECRET: CLUSTER_SECRET }
    const server = await this.#context.children.start(name, process.execPath, args, env)
    this.#servers.set(name, server)
    await waitUntilListening(server, this.port(name))
  }

  async stopServer(name: string): Promise<void> {
    await this.#server(name).stop()
    this.#servers.delete(name)
  }

  /** Resolves when every server says that all its links to servers of ours are open. */
  whenLinked(): Promise<Statuses> {
    const allOpen = (statuses: Statuses): boolean =>
      statuses.every(({ links }) => links.every(({ open, classic }) => open || classic))
    return waitForStatuses(this.targets, allOpen, 'all links are open', LINKED_MS_MAX)
  }

  /** Ends all servers and removes what they wrote. */
  async stop(): Promise<void> {
    await Promise.all(Array.from(this.#servers.values(), (server) => server.stop()))
    await rm(this.#folder, { recursive: true, force: true })
  }

  /** Ends all servers because of an error; returns it with their last words. */
  async stopAfter(cause: unknown): Promise<Error> {
    const servers = [...this.#servers.values()]
    await this.stop()
    const endings = await Promise.all(
      servers.map(async ({ name, ended }) => `${name}: ${describe(await ended)}`),
    )
    const reason = cause instanceof Error ? cause.message : String(cause)
    return new Error(`${reason}\n${endings.join('\n')}`, { cause })
  }

  #server(name: string): Child {
    const server = this.#servers.get(name)
    if (server === undefined) throw new Error(`${name} does not run`)
    return server
  }

  #herdFile(self: string, folder: string): object {
    const { links, settings = {}, classics = {}, routes = [] } = this.#plan
    const portAsSeen = ({ name, port }: Target): number =>
      routes.find(({ from, to }) => from === self && to === name)?.proxy.port ?? port
    const ours = this.targets.map((target) => [target.name, { port: portAsSeen(target) }] as const)
    const old = Object.entries(classics).map(([name, where]) => [name, { ...where, classic: true }] as const)
    const { logs, link, ...others } = settings
    return {
      herd: CLUSTER_HERD,
      servers: Object.fromEntries([...ours, ...old]),
      links,
      stateFolder: join(folder, 'state'),
      logs: { folder: join(folder, 'logs'), level: 'events', ...logs },
      link: { ...linkSettings(this.#plan.encryption), ...link },
      ...others,
    }
  }
}

/** Measures a herd and ends it; an error has the servers' last words. */
export async function withCluster<Measured>(
  plan: ClusterPlan,
  context: BenchContext,
  measure: (cluster: HerdCluster) => Promise<Measured>,
): Promise<Measured> {
  const cluster = await HerdCluster.start(plan, context)
  try {
    return await measure(cluster)
  } catch (cause) {
    throw await cluster.stopAfter(cause)
  } finally {
    await cluster.stop()
  }
}
