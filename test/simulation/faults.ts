import type { FaultKind } from './plan.ts'
import type { Random } from './random.ts'
import { SimServer } from './server.ts'
import type { Life, Path } from './wire.ts'
import type { AnyServer, World } from './world.ts'

/** Servers that may join while a seed runs. */
const JOINS_MAX = 4

/** Breaks things, by chance, and heals them all in the end. */
export class Faults {
  /** How often each kind happened. */
  readonly counts: Partial<Record<FaultKind, number>> = {}
  readonly #world: World
  readonly #random: Random
  readonly #makeServer: (name: string) => SimServer
  readonly #down = new Set<AnyServer>()
  #joins = 0
  #isOver = false

  /** @param makeServer makes a server that joins. */
  constructor(world: World, random: Random, makeServer: (name: string) => SimServer) {
    this.#world = world
    this.#random = random
    this.#makeServer = makeServer
    if (world.plan.faults.includes('ackCrash')) {
      world.watch.onAcknowledged = (server, holders, onDisk) =>
        this.#crashAcknowledgers(server, holders, onDisk)
    }
  }

  /** Begins; ends by `heal`. */
  start(): void {
    const { agenda, plan } = this.#world
    if (plan.faults.length === 0) return
    agenda.after(this.#random.waitMs(plan.faultsPerSecond), () => {
      if (this.#isOver) return
      const kind = this.#random.pick(plan.faults)
      this.counts[kind] = (this.counts[kind] ?? 0) + 1
      this.#happen(kind)
      this.start()
    })
  }

  /** Heals everything, for good. */
  heal(): void {
    const { paths, plan, trace, agenda } = this.#world
    this.#isOver = true
    trace.tell('', `${agenda.nowMs.toFixed(3)} all faults are healed`)
    for (const server of [...this.#down]) this.#rise(server)
    for (const path of paths) {
      path.limits = { ...plan.path }
      path.heal()
    }
    for (const { disk } of this.#world.servers.values()) if (disk !== null) disk.isFull = false
  }

  #happen(kind: FaultKind): void {
    const random = this.#random
    const happen: Readonly<Record<FaultKind, () => void>> = {
      cut: () => this.#cut(),
      stall: () => this.#stall([random.pick(this.#paths())], random.between(100, 8000)),
      partition: () => this.#partition(),
      slow: () => this.#slow(),
      crash: () => this.#crash(random.pick(this.#all()), random.chance(0.5)),
      race: () => this.#race(),
      clock: () => this.#clock(),
      join: () => this.#join(),
      leave: () => this.#leave(),
      rot: () => this.#rot(),
      full: () => this.#fill(),
      // Happens when something is acknowledged.
      ackCrash: () => {},
    }
    happen[kind]()
  }

  #cut(): void {
    const open = this.#world.connections.filter(
      ({ dialer, accepter }) => !dialer.isClosed && !accepter.isClosed,
    )
    if (open.length === 0) return
    const { dialer, accepter } = this.#random.pick(open)
    this.#tell('a connection is cut')
    dialer.cut()
    accepter.cut()
  }

  #stall(paths: readonly Path[], ms: number): void {
    this.#tell(`${paths.length} paths stall for ${ms.toFixed(0)} ms`)
    for (const path of paths) path.stop()
    this.#world.agenda.after(ms, () => {
      if (!this.#isOver) for (const path of paths) path.go()
    })
  }

  #partition(): void {
    const random = this.#random
    const part = random.between(0.1, 0.6)
    const inside = new Set(this.#all().flatMap(({ name }) => (random.chance(part) ? [name] : [])))
    const crossing = this.#world.edges.filter(([a, b]) => inside.has(a) !== inside.has(b))
    const isOneWay = random.chance(0.2)
    const paths = crossing.flatMap(([a, b]) => {
      const [from, to] = inside.has(a) ? [a, b] : [b, a]
      const out = this.#world.path(from, to)
      return isOneWay ? [out] : [out, this.#world.path(to, from)]
    })
    this.#stall(paths, random.between(200, 9000))
  }

  #slow(): void {
    const path = this.#random.pick(this.#paths())
    path.limits = {
      ...path.limits,
      bytesPerMs: this.#random.between(0.3, 10),
      windowBytes: this.#random.pick([0, 200, 4000]),
      chunkBytesMax: this.#random.pick([5, 60, 1460]),
    }
    this.#world.agenda.after(this.#random.between(500, 8000), () => {
      path.limits = { ...this.#world.plan.path }
    })
  }

  /** @param keepsDisk whether its disk, if it has one, is kept for sure. */
  #crash(server: AnyServer, isSilent: boolean, keepsDisk: boolean = false): void {
    if (!server.isUp) return
    this.#world.crash(server, isSilent)
    if (server instanceof SimServer && server.disk !== null) {
      const isLost = !keepsDisk && this.#world.disks.chance(server.disk.plan.lostPart)
      if (isLost) this.#tell(`${server.name} loses its disk`)
      if (isLost) server.loseDisk(true)
    }
    this.#down.add(server)
    const downMs = this.#random.chance(0.3) ? 0 : this.#random.between(50, 6000)
    this.#world.agenda.after(downMs, () => this.#rise(server))
  }

  #rise(server: AnyServer): void {
    if (this.#down.delete(server) && !server.isUp) server.start()
  }

  /** A disk has no room for a while. */
  #fill(): void {
    const { disk, name } = this.#random.pick([...this.#world.servers.values()])
    if (disk === null) return
    this.#tell(`the disk of ${name} is full`)
    disk.isFull = true
    this.#world.agenda.after(this.#random.between(50, 5000), () => {
      disk.isFull = false
    })
  }

  /** Both ends dial, whether or not they have a link. */
  #race(): void {
    const [a, b] = this.#random.pick(this.#world.edges)
    this.#tell(`${a} and ${b} dial each other`)
    this.#world.servers.get(a)?.neighbors.get(b)?.dialNow()
    this.#world.servers.get(b)?.neighbors.get(a)?.dialNow()
  }

  #clock(): void {
    const server = this.#random.pick([...this.#world.servers.values()])
    server.clockAheadMs += this.#random.between(-1, 1) * this.#random.pick([50, 5000, 200_000])
    server.clockDrift = this.#random.between(-0.01, 0.01)
  }

  #join(): void {
    if (this.#joins >= JOINS_MAX) return
    const name = `J${this.#joins++}`
    const regular = this.#regular()
    const neighbors = new Set(
      Array.from({ length: 1 + this.#random.below(3) }, () => this.#random.pick(regular)),
    )
    this.#tell(`${name} joins at ${[...neighbors].join(' ')}`)
    const server = this.#makeServer(name)
    this.#world.addServer(server, [...neighbors])
    server.start()
  }

  #leave(): void {
    const candidates = this.#regular().filter((name) => this.#isConnectedWithout(name))
    if (candidates.length < 2 || this.#regular().length < 3) return
    const server = this.#world.servers.get(this.#random.pick(candidates))
    if (server === undefined || !server.isUp) return
    this.#tell(`${server.name} leaves`)
    this.#world.removeServer(server)
  }

  /** A server's table loses a client by a fault of its memory, and knows nothing of it. */
  #rot(): void {
    const server = this.#random.pick([...this.#world.servers.values()])
    const { table } = server.replica
    const record = this.#random.below(Math.max(1, table.recordsEnd))
    if (table.recordsEnd === 0 || !table.isUsed(record)) return
    const { client } = this.#world.watch.history.fix(this.#world.watch.line(table, record))
    table.remove(record)
    this.#world.watch.rotted(server, client)
  }

  /** The origin and all but one of the others that hold what was acknowledged lose their memory; all, if it is on the disk. */
  #crashAcknowledgers(server: SimServer, holders: readonly Life[], onDisk: boolean): void {
    if (this.#isOver || !this.#random.chance(0.1)) return
    this.#world.agenda.after(0, () => {
      const survivor = onDisk ? -1 : this.#random.below(holders.length)
      const ends = [server.life, ...holders.filter((_, index) => index !== survivor)]
      this.#tell(`after an acknowledgement these crash: ${ends.map((life) => life.server).join(' ')}`)
      this.counts.ackCrash = (this.counts.ackCrash ?? 0) + 1
      for (const life of ends) {
        const holder = this.#world.servers.get(life.server)
        if (holder?.life === life) this.#crash(holder, true, holder === server && onDisk)
      }
    })
  }

  #all(): AnyServer[] {
    return [...this.#world.servers.values(), ...this.#world.classics.values()]
  }

  #paths(): Path[] {
    return this.#world.edges.flatMap(([a, b]) => [this.#world.path(a, b), this.#world.path(b, a)])
  }

  /** Servers through which everything must get: neither the small one nor those of the old kind. */
  #regular(): string[] {
    return [...this.#world.servers.keys()].filter((name) => name !== 'small')
  }

  #isConnectedWithout(name: string): boolean {
    const left = this.#regular().filter((other) => other !== name)
    const reached = new Set(left.slice(0, 1))
    for (const server of reached) {
      for (const edge of this.#world.edges) {
        if (!edge.includes(server)) continue
        const other = edge[0] === server ? edge[1] : edge[0]
        if (left.includes(other)) reached.add(other)
      }
    }
    // Those that hang on it alone must not be left alone.
    const leaves = [...this.#world.classics.keys(), ...(this.#world.servers.has('small') ? ['small'] : [])]
    const isHeld = (leaf: string): boolean =>
      this.#world.edges.some((edge) => edge.includes(leaf) && !edge.includes(name))
    return reached.size === left.length && leaves.every(isHeld)
  }

  #tell(text: string): void {
    this.#world.trace.tell('', `${this.#world.agenda.nowMs.toFixed(3)} ${text}`)
  }
}
