/** The herd as one server sees it, and how that server is. */
import type { ServerStatus } from '../../replication/status.ts'
import type { HealthJson, HerdJson } from './shapes.ts'

/**
 * The herd in a server's eyes.
 *
 * @param health how servers are, by name, as far as they have told; this server's own among them.
 */
export function herdJson(status: ServerStatus, health: ReadonlyMap<string, HealthJson>): HerdJson {
  const { herd, server, members } = status
  const servers = members.map(({ name, host, port, reachable, state, links }) => {
    const told = health.get(name)
    return { name, host, port, reachable, state, links, ...(told !== undefined && { health: told }) }
  })
  return { herd, server, servers, agree: agreement(servers) }
}

/** Whether all tables that are in reach are equal; `null` when one of them isn't known. */
function agreement(servers: HerdJson['servers']): boolean | null {
  const tables = servers
    .filter(({ reachable, state }) => reachable && state === 'up')
    .map(({ health }) => health?.table)
  if (tables.length === 0 || tables.includes(undefined)) return null
  return new Set(tables).size === 1
}

/** How a server is, by its own status. @param fixesPerSecond that were new to it. */
export function healthJson(status: ServerStatus, version: string, fixesPerSecond: number): HealthJson {
  const { clients, connections, readiness, upSeconds, links, counters, places } = status
  const { auditsFailed: audits_failed = 0 } = counters
  return {
    ...{ clients, connections, readiness, version },
    up_s: Math.round(upSeconds * 1000) / 1000,
    links: links.map(({ neighbor, open, roundTripMs, queued }) => ({
      ...{ neighbor, open, queued, round_trip_ms: roundTripMs, in_per_s: null, out_per_s: null },
    })),
    fixes_per_s: Math.round(fixesPerSecond * 100) / 100,
    audits_failed,
    budgets: (places?.budgets ?? []).map(
      ({ provider, per, period, budget, usedHere, usedByHerd, leftHere }) => ({
        ...{ provider, per, period, budget },
        ...{ used_here: usedHere, used_by_herd: usedByHerd, left_here: leftHere },
      }),
    ),
  }
}

/** Counts a second, over the last seconds that anybody looked. */
export class Rate {
  readonly #count: () => number
  readonly #nowMs: () => number
  #before: { readonly ms: number; readonly count: number }
  #perSecond = 0

  constructor(count: () => number, nowMs: () => number) {
    this.#count = count
    this.#nowMs = nowMs
    this.#before = { ms: nowMs(), count: count() }
  }

  /** Looks at the count. To be called every few seconds. @returns how many came a second since it was called before. */
  sample(): number {
    const ms = this.#nowMs()
    const count = this.#count()
    const before = this.#before
    if (ms <= before.ms) return this.#perSecond
    this.#perSecond = ((count - before.count) / (ms - before.ms)) * 1000
    this.#before = { ms, count }
    return this.#perSecond
  }

  /** As it was sampled last. */
  get perSecond(): number {
    return this.#perSecond
  }
}
