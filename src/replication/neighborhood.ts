import { hostAsSeen, type ListenAddress, writeAddress } from './addresses.ts'
import { Neighbor, type NeighborAddress, type NeighborContext, type NeighborEvents } from './neighbor.ts'
import type { LinkStatus, Readiness } from './status.ts'

/** Bounds of the neighbors that come by themselves. */
export interface JoinedLimits {
  /** How many there may be; 0: none. */
  readonly joinedMax: number
  /** One that has been gone for so long is forgotten. */
  readonly joinedGoneMs: number
}

/** What a neighborhood needs. */
export interface NeighborhoodContext extends NeighborContext {
  readonly limits: NeighborContext['limits'] & JoinedLimits
}

/** Whom it tells what. */
export interface NeighborhoodEvents {
  /** A neighbor was reached at this address. */
  readonly dialed: (neighbor: Neighbor, address: string) => void
  /** A neighbor won't have a link with this server. */
  readonly refused: (neighbor: string, reason: string) => void
}

/**
 * The neighbors of a server: those of its herd file, and those that came by themselves with the herd's secret. Says of
 * itself, to the whole herd, which of their links are open.
 */
export class Neighborhood {
  readonly #context: NeighborhoodContext
  readonly #events: NeighborhoodEvents
  readonly #neighbors = new Map<string, Neighbor>()
  #stopped = false

  constructor(context: NeighborhoodContext, events: NeighborhoodEvents) {
    this.#context = context
    this.#events = events
    context.members.listen(() => this.#membersChanged())
    context.budgets?.listen(() => this.wake())
    context.health?.listen(() => this.wake())
  }

  /** All of them, in the order of the herd file and then in which they came. */
  get all(): Neighbor[] {
    return [...this.#neighbors.values()]
  }

  get(name: string): Neighbor | undefined {
    return this.#neighbors.get(name)
  }

  /** The names of those that came by themselves. */
  get joined(): string[] {
    return this.all.filter(({ joined }) => joined).map(({ address }) => address.name)
  }

  /** How many there are of our kind, linked or not. */
  get own(): number {
    return this.#own.length
  }

  /** One row for each. */
  get statuses(): LinkStatus[] {
    return this.all.map((neighbor) => neighbor.status)
  }

  get readiness(): Readiness {
    if (this.#own.length === 0) return 'ready'
    const links = this.#own.flatMap(({ link }) => link ?? [])
    if (links.length === 0) return 'alone'
    return links.every((link) => link.isCaughtUp) ? 'ready' : 'catching up'
  }

  /** Begins to keep a link to a neighbor of the herd file. */
  add(address: NeighborAddress): Neighbor {
    return this.#add(address, false)
  }

  /** There may be something to send. */
  wake(): void {
    for (const neighbor of this.#neighbors.values()) neighbor.link?.wake()
  }

  /**
   * Says why a server that has proved the secret may not have a link with this one; `null` if it may.
   *
   * @param at where it says that it listens.
   */
  objection(name: string, run: string, at: ListenAddress | undefined): string | null {
    const { identity, members } = this.#context
    if (this.#stopped) return 'this server is stopping'
    if (name === identity.name) return `${name} is this server's own name: give each server another`
    const holder = members.holderOf(name, run, at)
    if (holder !== null) {
      return `the name ${name} is taken: a server at ${writeAddress(holder)} has it, and is up`
    }
    const neighbor = this.#neighbors.get(name)
    if (neighbor === undefined) return this.#strangerObjection(name, at)
    return neighbor.address.classic
      ? `${name} is a classic server in the herd file of ${identity.name}`
      : neighbor.objection(run)
  }

  /**
   * The neighbor of that name; made, if it came by itself. Only for one without an objection.
   *
   * @param address where it is seen to be.
   */
  welcome(name: string, at: ListenAddress | undefined, address: string): Neighbor | undefined {
    const known = this.#neighbors.get(name)
    if (at === undefined || (known !== undefined && !known.joined)) return known
    const where = { host: hostAsSeen(at.host, address), port: at.port }
    if (known === undefined) return this.#add({ name, ...where, classic: false }, true)
    known.moved(where)
    return known
  }

  /** Ends all links, each once everything that is owed to the neighbor was sent. */
  async stop(): Promise<void> {
    this.#stopped = true
    await Promise.all(this.all.map((neighbor) => neighbor.stop()))
  }

  /** Neighbors of our kind that haven't left. */
  get #own(): Neighbor[] {
    const { members } = this.#context
    return this.all.filter(({ address, link }) => {
      return !address.classic && (link !== null || members.get(address.name)?.state !== 'left')
    })
  }

  #strangerObjection(name: string, at: ListenAddress | undefined): string | null {
    const { identity, limits } = this.#context
    const stranger = `${name} is no neighbor of ${identity.name} in the herd file`
    if (limits.joinedMax === 0) return `${stranger}, and nobody may join it (link.joinedMax: 0)`
    if (at === undefined) return `${stranger}, and doesn't say where it listens`
    const { length } = this.joined
    if (length < limits.joinedMax) return null
    return `${stranger}, and ${length} servers have joined it already (link.joinedMax)`
  }

  #add(address: NeighborAddress, joined: boolean): Neighbor {
    const { identity, log } = this.#context
    const events: NeighborEvents = {
      dialed: (at) => this.#events.dialed(neighbor, at),
      changed: () => this.#linkChanged(neighbor),
      refused: (reason) => this.#events.refused(address.name, reason),
    }
    const neighbor: Neighbor = new Neighbor(address, joined, this.#context, events)
    this.#neighbors.set(address.name, neighbor)
    if (joined) {
      const { name, host, port } = address
      log.event('info', 'joined', { server: identity.name, neighbor: name, host, port })
    }
    return neighbor
  }

  #linkChanged(neighbor: Neighbor): void {
    const { members, system, limits } = this.#context
    const links = this.all.flatMap(({ address, link }) => (link === null ? [] : [address.name]))
    members.announce({ links })
    this.wake()
    if (neighbor.joined && neighbor.link === null) {
      this.#tidy()
      // A little later, so that it has been gone for so long whatever the timer's grain.
      system.after(limits.joinedGoneMs + 1, () => this.#tidy())
    }
  }

  #membersChanged(): void {
    this.#tidy()
    for (const neighbor of this.#neighbors.values()) neighbor.reconsider()
  }

  /** Forgets those that came by themselves and have left, or have been gone for long. */
  #tidy(): void {
    const { members, limits, log } = this.#context
    for (const [name, neighbor] of this.#neighbors) {
      if (!neighbor.joined || neighbor.link !== null) continue
      const hasLeft = members.get(name)?.state === 'left'
      if (!hasLeft && neighbor.unchangedMs < limits.joinedGoneMs) continue
      this.#neighbors.delete(name)
      void neighbor.stop()
      log.event('info', 'joined no more', { neighbor: name, reason: hasLeft ? 'left' : 'gone' })
    }
  }
}
