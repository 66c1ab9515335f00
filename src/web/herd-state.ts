/** What the view of the servers shows, made of what a server says. Pure. */

import type { BudgetJson, HerdJson, HerdServerJson, LinkHealthJson } from '../gateways/http/shapes.ts'
import { type GraphLink, uniqueLinks } from './graph-layout.ts'

/** A link as it is drawn. */
export interface LinkState {
  readonly ends: GraphLink
  readonly open: boolean
  readonly roundTripMs: number | null
  /** Fixes that wait at both ends. */
  readonly queued: number
  /** Fixes a second, both ways; `null`: nobody counts them. */
  readonly perSecond: number | null
}

/** The one light. */
export interface Verdict {
  readonly light: 'good' | 'bad' | 'unknown'
  readonly text: string
}

/** All links, each once: those that servers tell of, and what both ends know of each. */
export function linkStates({ servers }: HerdJson): LinkState[] {
  const byName = new Map(servers.map((server) => [server.name, server]))
  const pairs = servers.flatMap(({ name, links, health }) =>
    [...links, ...(health?.links.map(({ neighbor }) => neighbor) ?? [])].map(
      (other): GraphLink => [name, other],
    ),
  )
  return uniqueLinks(pairs)
    .filter((ends) => ends.every((name) => byName.has(name)))
    .map((ends) => {
      const [a, b] = ends
      const told = [endOf(byName.get(a), b), endOf(byName.get(b), a)].filter((end) => end !== undefined)
      const isReached = ends.every((name) => byName.get(name)?.reachable === true)
      const trips = told.flatMap(({ round_trip_ms: ms }) => (ms === null ? [] : [ms]))
      return {
        ends,
        open: isReached && (told.length > 0 ? told.every(({ open }) => open) : true),
        roundTripMs: trips.length === 0 ? null : Math.min(...trips),
        queued: sum(told.map(({ queued }) => queued)),
        perSecond: rateOf(told),
      }
    })
}

/** Whether all is well: who is not reached weighs more than whose tables differ. */
export function verdictOf({ servers, agree }: HerdJson): Verdict {
  const lost = servers.filter(isLost).map(({ name }) => name)
  const missing =
    lost.length === 0 ? [] : [`${lost.join(', ')} ${lost.length === 1 ? 'is' : 'are'} not reached`]
  const wrong = [...missing, ...(agree === false ? ['tables differ'] : [])].join(', ')
  if (wrong !== '') return { light: 'bad', text: `${wrong.slice(0, 1).toUpperCase()}${wrong.slice(1)}` }
  if (agree === null) return { light: 'unknown', text: 'In motion: fixes are on their way' }
  return { light: 'good', text: servers.length === 1 ? 'All is well' : 'All tables agree' }
}

/** How many links a fix has to pass, by the server that accepted it, to the one that says this; those out of reach are not there. */
export function hopsOf(herd: HerdJson): ReadonlyMap<string, number> {
  const open = linkStates(herd).filter((link) => link.open)
  const hops = new Map([[herd.server, 0]])
  // Servers that are added meanwhile come up, too: the nearest first.
  for (const [server, distance] of hops) {
    for (const { ends } of open.filter((link) => link.ends.includes(server))) {
      for (const end of ends) if (!hops.has(end)) hops.set(end, distance + 1)
    }
  }
  return hops
}

/** Budgets that differ from server to server are shown once, by who knows of the most calls. */
export function budgetsOf({ servers }: HerdJson): BudgetJson[] {
  const known = new Map<string, BudgetJson>()
  for (const budget of servers.flatMap(({ health }) => health?.budgets ?? [])) {
    const key = `${budget.provider}\n${budget.per}`
    if ((known.get(key)?.used_by_herd ?? -1) < budget.used_by_herd) known.set(key, budget)
  }
  return [...known.values()]
}

/** How a server is, in a word, and how bad that is. */
export function serverLevel({ reachable, state, health }: HerdServerJson): {
  readonly word: string
  readonly level: 'good' | 'warn' | 'bad'
} {
  if (!reachable)
    return state === 'left' ? { word: 'left', level: 'warn' } : { word: 'not reached', level: 'bad' }
  const word = health?.readiness ?? state
  return { word, level: word === 'ready' || word === 'up' ? 'good' : 'warn' }
}

/** A server that left on purpose isn't missed. */
function isLost({ reachable, state }: HerdServerJson): boolean {
  return !reachable && state !== 'left'
}

/** Both ends count the same lines; the busier count is the newer one. */
function rateOf(told: readonly LinkHealthJson[]): number | null {
  const rates = told.flatMap(({ in_per_s: into, out_per_s: out }) =>
    into === null && out === null ? [] : [(into ?? 0) + (out ?? 0)],
  )
  return rates.length === 0 ? null : Math.max(...rates)
}

function endOf(server: HerdServerJson | undefined, neighbor: string): LinkHealthJson | undefined {
  return server?.reachable === true
    ? server.health?.links.find((link) => link.neighbor === neighbor)
    : undefined
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
