import { Agenda } from './agenda.ts'
import { ClassicServer } from './classic.ts'
import type { Mutant } from './mutants.ts'
import type { Plan } from './plan.ts'
import { DISKS_SEED, Random } from './random.ts'
import { SimServer } from './server.ts'
import { Trace } from './trace.ts'
import type { Watch } from './watch.ts'
import { type End, makeConnection, Path } from './wire.ts'

/** Who may be connected to. */
export type AnyServer = SimServer | ClassicServer

/** 14 November 2023, when the simulated time begins, in microseconds. */
const EPOCH_MICROS = 1_700_000_000_000_000

/** All servers and the ways between them, in virtual time. */
export class World {
  readonly agenda: Agenda = new Agenda()
  readonly trace: Trace = new Trace()
  readonly random: Random
  readonly epochMicros: number = EPOCH_MICROS
  readonly plan: Plan
  readonly mutant: Mutant | null
  readonly servers: Map<string, SimServer> = new Map()
  readonly classics: Map<string, ClassicServer> = new Map()
  /** Ends at servers of the old kind, which nobody else closes. */
  classicEnds: { readonly end: End; readonly server: ClassicServer }[] = []
  /** Pairs of names, sorted. */
  readonly edges: [string, string][] = []
  /** Connections that were made and perhaps still are. */
  connections: { readonly dialer: End; readonly accepter: End }[] = []
  watch!: Watch
  /** Chance for disks alone, so that the other choices of a seed are the same with and without. */
  readonly disks: Random
  readonly #network: Random
  readonly #paths = new Map<string, Path>()
  #numbers = 0

  constructor(plan: Plan, random: Random, mutant: Mutant | null) {
    this.plan = plan
    this.random = random
    this.#network = random.fork()
    this.mutant = mutant
    this.disks = new Random(plan.seed ^ DISKS_SEED)
  }

  /** A number for a connection. */
  nextNumber(): number {
    return ++this.#numbers
  }

  /** The way from one server to another. */
  path(from: string, to: string): Path {
    const key = `${from}>${to}`
    let path = this.#paths.get(key)
    if (path === undefined) {
      path = new Path({ ...this.plan.path })
      this.#paths.set(key, path)
    }
    return path
  }

  /** Every way there is. */
  get paths(): Iterable<Path> {
    return this.#paths.values()
  }

  /** Makes a connection to a server; the end returned begins it by `connect`. */
  connect(from: AnyServer, to: string): End {
    const [dialer, accepter] = makeConnection(
      this.agenda,
      this.#network,
      this.path(from.name, to),
      this.path(to, from.name),
    )
    if (this.connections.length > 200) {
      this.connections = this.connections.filter(
        (known) => !known.dialer.isClosed || !known.accepter.isClosed,
      )
    }
    this.connections.push({ dialer, accepter })
    const target = (): AnyServer | undefined => this.servers.get(to) ?? this.classics.get(to)
    dialer.isHostUp = () => from.isUp
    accepter.isHostUp = () => target()?.isUp === true
    accepter.onIncoming = () => {
      const server = target()
      if (server === undefined || !server.isUp) accepter.destroy()
      else server.incoming(accepter, from.name, from instanceof ClassicServer)
    }
    return dialer
  }

  /** Adds a server, and links it to others. It isn't started. */
  addServer(server: AnyServer, neighbors: readonly string[]): void {
    if (server instanceof SimServer) this.servers.set(server.name, server)
    else this.classics.set(server.name, server)
    for (const name of neighbors) {
      const other = this.servers.get(name)
      if (other === undefined) throw new Error(`no server ${name}`)
      const isClassic = server instanceof ClassicServer
      other.addNeighbor(server.name, isClassic)
      if (isClassic) server.neighborNames.add(name)
      else server.addNeighbor(name, false)
      this.edges.push([name, server.name])
    }
  }

  /** Takes a server away, for good. */
  removeServer(server: SimServer): void {
    server.crash(this.random.chance(0.5))
    server.loseDisk(false)
    this.servers.delete(server.name)
    for (let index = this.edges.length - 1; index >= 0; index--) {
      const edge = this.edges[index] as [string, string]
      if (!edge.includes(server.name)) continue
      const other = edge[0] === server.name ? edge[1] : edge[0]
      this.servers.get(other)?.removeNeighbor(server.name)
      this.edges.splice(index, 1)
    }
  }

  /** A crash of either kind of server; connections to one of the old kind end with it. */
  crash(server: AnyServer, isSilent: boolean): void {
    server.crash(isSilent)
    if (server instanceof SimServer) return
    this.classicEnds = this.classicEnds.filter((known) => {
      if (known.server !== server) return !known.end.isClosed
      if (isSilent) known.end.vanish()
      else known.end.destroy()
      return false
    })
  }
}
