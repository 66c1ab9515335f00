/** What Prometheus is told of the sources of places. */
import { Counter, Gauge, type Registry } from 'prom-client'
import type { PlacesStatus, ProviderStatus } from '../../replication/status.ts'
import { setCounter, snake } from './metric-names.ts'

const COUNTS = {
  asks: 'Asks for places.',
  calls: 'Asks that went on to the provider.',
  retries: 'Calls made again because they failed.',
  hits: 'Asks answered by what was kept and is fresh.',
  stale: 'Asks answered by what was kept and is stale.',
  refreshes: 'Stale answers that sent, or would have sent, a call.',
  coalesced: 'Asks that joined one under way.',
  errors: 'Calls that failed, retries and all.',
  breakerOpened: 'Times that a provider was left alone.',
  usd: 'What the calls have cost, in US dollars, by the provider’s own estimate.',
} as const
const COUNT_NAMES = ['asks', 'calls', 'retries', 'hits', 'stale', 'refreshes', 'coalesced', 'errors'] as const
const MORE_COUNT_NAMES = ['breakerOpened', 'usd'] as const

/** Adds counts of each provider, and what is left of budgets. @param places what is known when metrics are asked for. */
export function addPlacesMetrics(
  registry: Registry,
  prefix: string,
  places: () => PlacesStatus | undefined,
): void {
  const registers = [registry]
  for (const name of [...COUNT_NAMES, ...MORE_COUNT_NAMES]) {
    const counter: Counter<'provider'> = new Counter({
      name: `${prefix}places_${snake(name)}_total`,
      help: COUNTS[name],
      labelNames: ['provider'],
      registers,
      collect: () => {
        for (const status of places()?.providers ?? [])
          setCounter(counter, { provider: status.name }, status[name])
      },
    })
  }
  const refused: Counter<'provider' | 'limit'> = new Counter({
    name: `${prefix}places_refused_total`,
    help: 'Asks that were turned away, by the limit.',
    labelNames: ['provider', 'limit'],
    registers,
    collect: () => {
      for (const { name: provider, refused: by } of places()?.providers ?? []) {
        for (const [limit, count] of Object.entries(by)) setCounter(refused, { provider, limit }, count)
      }
    },
  })
  const breaker: Gauge<'provider'> = new Gauge({
    name: `${prefix}places_breaker_open`,
    help: '1 while a provider is left alone.',
    labelNames: ['provider'],
    registers,
    collect: () => {
      for (const { name: provider, breaker: state } of places()?.providers ?? []) {
        breaker.set({ provider }, state === 'open' ? 1 : 0)
      }
    },
  })
  addBudgets(registry, prefix, places)
}

const BUDGETS = {
  budget: 'Calls that the herd may make in a period.',
  usedHere: 'Calls of the period that this server made.',
  usedByHerd: 'Calls of the period that were made by all servers, or are set aside by them.',
  leftHere: 'Calls that this server may still make without being handed any.',
} as const
const BUDGET_NAMES = ['budget', 'usedHere', 'usedByHerd', 'leftHere'] as const

function addBudgets(registry: Registry, prefix: string, places: () => PlacesStatus | undefined): void {
  for (const name of BUDGET_NAMES) {
    const gauge: Gauge<'provider' | 'per'> = new Gauge({
      name: `${prefix}places_budget_${name === 'budget' ? 'calls' : snake(name)}`,
      help: BUDGETS[name],
      labelNames: ['provider', 'per'],
      registers: [registry],
      collect: () => {
        for (const budget of places()?.budgets ?? []) {
          gauge.set({ provider: budget.provider, per: budget.per }, budget[name])
        }
      },
    })
  }
}

/** How long calls took, as the text of a histogram: it is kept elsewhere. */
export function placesLatency(prefix: string, providers: readonly ProviderStatus[]): string {
  const name = `${prefix}places_call_seconds`
  const remote = providers.filter(({ local }) => !local)
  if (remote.length === 0) return ''
  const lines = remote.flatMap(({ name: provider, latency: { buckets, count, sumMs } }) => {
    let below = 0
    const counts = buckets.map((bucket) => {
      below += bucket.count
      const le = bucket.leMs === null ? '+Inf' : String(bucket.leMs / 1000)
      return `${name}_bucket{provider="${provider}",le="${le}"} ${below}`
    })
    return [
      ...counts,
      `${name}_sum{provider="${provider}"} ${sumMs / 1000}`,
      `${name}_count{provider="${provider}"} ${count}`,
    ]
  })
  return [
    `\n# HELP ${name} Time of calls to providers of places.`,
    `# TYPE ${name} histogram`,
    ...lines,
    '',
  ].join('\n')
}
