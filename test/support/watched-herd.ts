/** A herd in memory whose servers are watched: a test moves time, turns, links and those who watch. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import { EVERYTHING } from '../../src/gateways/access/grant.ts'
import { type WatchFrom, WatchHub, type Watching } from '../../src/gateways/watch/watch-hub.ts'
import type { WatchedFix } from '../../src/gateways/watch/watched-fix.ts'
import type { WatchFilter } from '../../src/gateways/watch/watcher.ts'
import { MemoryHerd, type MemoryServer } from './memory-herd.ts'

/** Those who may watch one server at a time. */
export const WATCHERS_MAX = 100

/** One server's hub, with a clock that the test moves. */
export class WatchedServer {
  readonly server: MemoryServer
  readonly hub: WatchHub
  #nowMs = 0
  #timers: { readonly atMs: number; readonly callback: () => void }[] = []

  constructor(server: MemoryServer, limits: { watchersMax: number; watchRememberedMax: number }) {
    this.server = server
    this.hub = new WatchHub({
      replica: server.replica,
      counters: server.counters,
      limits,
      system: {
        nowMs: () => this.#nowMs,
        readClock: (time) => Object.assign(time, server.now),
        after: (ms, callback) => {
          const timer = { atMs: this.#nowMs + ms, callback }
          this.#timers.push(timer)
          return () => {
            this.#timers = this.#timers.filter((other) => other !== timer)
          }
        },
      },
    })
    server.replica.listen({ owed: () => this.hub.wake(), claimed: () => this.hub.wake() })
  }

  /** Lets time go on, and everybody have a turn. */
  async turn(ms: number): Promise<void> {
    this.#nowMs += ms
    const due = this.#timers.filter(({ atMs }) => atMs <= this.#nowMs)
    this.#timers = this.#timers.filter(({ atMs }) => atMs > this.#nowMs)
    for (const { callback } of due) callback()
    await nextTurn()
  }
}

/** One who watches, and comes back with its cursor to whichever server. */
export class WatchingClient {
  readonly filter: WatchFilter
  /** What it holds to be true: by client, the time of its fix. */
  readonly seen: Map<string, string> = new Map()
  cursor: string | null = null
  /** Whether it takes anything. */
  isBlocked = false
  /** Events told so far. */
  told = 0
  #watching: Watching | null = null

  constructor(filter: Partial<WatchFilter>) {
    this.filter = { clients: null, area: null, grant: EVERYTHING, ...filter }
  }

  /** Watches at a server, from where it was told. */
  watch({ hub }: WatchedServer, from?: WatchFrom): void {
    this.leave()
    this.isBlocked = false
    this.#watching = hub.watch(
      this.filter,
      from ?? (this.cursor === null ? 'all' : { cursor: this.cursor }),
      {
        fix: ({ fix }: WatchedFix) => {
          this.told++
          this.seen.set(fix.client, fix.timeText)
        },
        exit: ({ fix }: WatchedFix) => {
          this.told++
          this.seen.delete(fix.client)
        },
        cursor: (text) => {
          this.cursor = text
        },
        flush: () => !this.isBlocked,
      },
    )
  }

  /** Can take more. */
  unblock(): void {
    this.isBlocked = false
    this.#watching?.resume()
  }

  leave(): void {
    this.#watching?.close()
    this.#watching = null
  }
}

/** Servers in a line, each watched. */
export function watchedHerd(
  names: readonly string[],
  rememberedMax: number,
): { herd: MemoryHerd; watched: WatchedServer[] } {
  const edges = names.slice(1).map((_, index): [number, number] => [index, index + 1])
  const herd = new MemoryHerd(names, edges)
  const limits = { watchersMax: WATCHERS_MAX, watchRememberedMax: rememberedMax }
  return { herd, watched: herd.servers.map((server) => new WatchedServer(server, limits)) }
}
