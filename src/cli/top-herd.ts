/** What `herd top` shows of a herd, out of what its servers say. Pure. */
import type { BudgetHealth, LinkHealth, ServerHealth } from '../replication/health-row.ts'
import type { HerdView } from '../replication/herd-view.ts'
import type { ServerStatus } from '../replication/status.ts'
import { addressText } from './terminal.ts'

/** What a server answered, or that it didn't. */
export interface TopAnswer {
  readonly name: string
  readonly host: string
  readonly port: number
  readonly answer: ServerStatus | { readonly reason: string }
}

/** A server in a row. What is `null` it hasn't said. */
export interface TopServer {
  readonly name: string
  readonly address: string
  /** `told`: it doesn't answer us, and is reached by others. */
  readonly state: 'ready' | 'catching up' | 'alone' | 'told' | 'down' | 'left'
  readonly up_s: number | null
  readonly clients: number | null
  readonly connections: number | null
  readonly watchers: number | null
  readonly fixes_per_s: number | null
  readonly accepted_per_s: number | null
  readonly busy_pct: number | null
  /** Fixes that its neighbors owe it. */
  readonly behind: number
  readonly audits_failed: number
  /** What somebody should look at. */
  readonly troubles: readonly string[]
}

/** A link, from both its ends. */
export interface TopLink {
  readonly from: string
  readonly to: string
  readonly open: boolean
  readonly round_trip_ms: number | null
  /** Fixes owed in one direction, and in the other; `null`: that end hasn't said. */
  readonly queued: number | null
  readonly queued_back: number | null
  /** AT lines a second. */
  readonly per_s: number | null
  readonly back_per_s: number | null
}

/** A source of places on one server. */
export interface TopProvider {
  readonly server: string
  readonly provider: string
  readonly breaker: 'closed' | 'open' | 'half-open'
  readonly asks: number
  readonly calls: number
  readonly errors: number
}

/** A herd at one time. */
export interface TopHerd {
  readonly herd: string
  /** `null`: not known, or fixes are on their way. */
  readonly agree: boolean | null
  readonly servers: readonly TopServer[]
  readonly links: readonly TopLink[]
  readonly providers: readonly TopProvider[]
  /** As the server sees each that has spent most by its count. */
  readonly budgets: readonly BudgetHealth[]
}

/** Puts together what servers answered. */
export function topHerd(herd: string, answers: readonly TopAnswer[]): TopHerd {
  const statuses = answers.flatMap(({ answer }) => ('server' in answer ? [answer] : []))
  const views = statuses.flatMap(({ view }) => view ?? [])
  const healths = healthsOf(views)
  for (const status of statuses) healths.set(status.server, ownHealth(status, healths.get(status.server)))
  const links = linksOf(healths)
  return {
    herd: statuses[0]?.herd ?? herd,
    agree: agreementOf(views),
    servers: serversOf(answers, views, healths),
    links,
    providers: statuses.flatMap(({ server, places }) =>
      (places?.providers ?? [])
        .filter(({ asks, breaker }) => asks > 0 || breaker !== 'closed')
        .map(({ name: provider, breaker, asks, calls, errors }) => {
          return { server, provider, breaker, asks, calls, errors }
        }),
    ),
    budgets: budgetsOf([...healths.values()].flatMap(({ budgets }) => budgets ?? [])),
  }
}

/** What is known of how a server is, where parts may be missing. */
type KnownHealth = Partial<Omit<ServerHealth, 'links'>> & {
  readonly links: readonly (Omit<LinkHealth, 'in_per_s' | 'out_per_s'> & Partial<LinkHealth>)[]
}

/** The newest that anybody has heard of each. */
function healthsOf(views: readonly HerdView[]): Map<string, KnownHealth> {
  const newest = new Map<string, KnownHealth & { readonly age_s: number }>()
  for (const { name, reachable, health } of views.flatMap(({ servers }) => servers)) {
    if (!reachable || health === undefined) continue
    if (health.age_s < (newest.get(name)?.age_s ?? Number.POSITIVE_INFINITY)) newest.set(name, health)
  }
  return new Map(newest)
}

/** A server's own answer is newer than what it has told the others. */
function ownHealth(status: ServerStatus, told: KnownHealth | undefined): KnownHealth {
  const rates = new Map(told?.links.map((link) => [link.neighbor, link]))
  const { readiness, clients, connections, upSeconds, counters } = status
  const { auditsFailed = 0 } = counters
  return {
    ...told,
    ...{ readiness, clients, connections, up_s: Math.round(upSeconds) },
    audits_failed: auditsFailed,
    links: status.links.map(({ neighbor, open, roundTripMs, queued }) => {
      return { ...rates.get(neighbor), neighbor, open, round_trip_ms: roundTripMs, queued }
    }),
  }
}

function serversOf(
  answers: readonly TopAnswer[],
  views: readonly HerdView[],
  healths: ReadonlyMap<string, KnownHealth>,
): TopServer[] {
  const addresses = new Map(answers.map(({ name, host, port }) => [name, { host, port }]))
  const members = views.flatMap(({ servers }) => servers)
  const left = new Set(members.filter(({ state }) => state === 'left').map(({ name }) => name))
  for (const { name, host, port, state } of members) {
    if (!addresses.has(name) && state === 'up') addresses.set(name, { host, port })
  }
  return Array.from(addresses, ([name, address]) => {
    const asked = answers.find((each) => each.name === name)
    const status = asked !== undefined && 'server' in asked.answer ? asked.answer : null
    const isReached = members.some((member) => member.name === name && member.reachable)
    const health = status === null && !isReached ? undefined : healths.get(name)
    const state = status?.readiness ?? (left.has(name) ? 'left' : isReached ? 'told' : 'down')
    return {
      ...{ name, address: addressText(address), state },
      up_s: health?.up_s ?? null,
      clients: health?.clients ?? null,
      connections: health?.connections ?? null,
      watchers: health?.watchers ?? null,
      fixes_per_s: health?.fixes_per_s ?? null,
      accepted_per_s: health?.accepted_per_s ?? null,
      busy_pct: health?.busy_pct ?? null,
      behind: sum([...healths].flatMap(([, { links }]) => owedTo(name, links))),
      audits_failed: health?.audits_failed ?? 0,
      troubles: troublesOf(name, status, asked, health, state),
    }
  })
}

function troublesOf(
  name: string,
  status: ServerStatus | null,
  asked: TopAnswer | undefined,
  health: KnownHealth | undefined,
  state: TopServer['state'],
): string[] {
  const offMs = health?.clock_off_ms ?? null
  const audits = health?.audits_failed ?? 0
  const own = [
    ...(status?.journal === 'failing' ? ['its journal can’t be written'] : []),
    ...(status?.hasTwin ? ['another server of this name is in the herd'] : []),
    ...(offMs === null
      ? []
      : [`its clock is ${(Math.abs(offMs) / 1000).toFixed(1)} s off: reports are refused`]),
    ...(audits > 0 ? [`${audits} audits found that tables differ`] : []),
  ]
  // A reason names the server itself.
  const down =
    state === 'down' && asked !== undefined && 'reason' in asked.answer ? [asked.answer.reason] : []
  return [...down, ...own.map((trouble) => `${name}: ${trouble}`)]
}

function owedTo(name: string, links: KnownHealth['links']): number[] {
  return links.filter(({ neighbor }) => neighbor === name).map(({ queued }) => queued)
}

function linksOf(healths: ReadonlyMap<string, KnownHealth>): TopLink[] {
  const links = new Map<string, TopLink>()
  for (const [name, health] of healths) {
    for (const { neighbor, open, round_trip_ms, queued, out_per_s, in_per_s } of health.links) {
      const [from, to] = name < neighbor ? [name, neighbor] : [neighbor, name]
      const back = healths.get(neighbor)?.links.find((link) => link.neighbor === name)
      if (from !== name && back !== undefined) continue
      const isForward = from === name
      const [ours, theirs] = [queued, back?.queued ?? null]
      const [out, into] = [out_per_s ?? null, in_per_s ?? back?.out_per_s ?? null]
      links.set(`${from} ${to}`, {
        ...{ from, to, open, round_trip_ms },
        ...{ queued: isForward ? ours : theirs, queued_back: isForward ? theirs : ours },
        ...{ per_s: isForward ? out : into, back_per_s: isForward ? into : out },
      })
    }
  }
  return [...links.values()].toSorted((a, b) => (`${a.from} ${a.to}` < `${b.from} ${b.to}` ? -1 : 1))
}

/** One that sees tables differ is right; that they agree, all must see. */
function agreementOf(views: readonly HerdView[]): boolean | null {
  if (views.some(({ agree }) => agree === false)) return false
  return views.length > 0 && views.every(({ agree }) => agree === true) ? true : null
}

function budgetsOf(budgets: readonly BudgetHealth[]): BudgetHealth[] {
  const most = new Map<string, BudgetHealth>()
  for (const budget of budgets) {
    const key = `${budget.provider} ${budget.period}`
    if (budget.used_by_herd >= (most.get(key)?.used_by_herd ?? 0)) most.set(key, budget)
  }
  return [...most.values()]
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0)
}
