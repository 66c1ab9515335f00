import { dirname, join } from 'node:path'
import type { HerdConfig } from '../config.ts'
import type { FindPlaces } from '../gateways/places-ask.ts'
import type { ServerLog } from '../logs/server-log.ts'
import { AnswerCache } from '../places/answer-cache.ts'
import { HerdBudget } from '../places/budget/herd-budget.ts'
import { AddressRates } from '../places/call-rate.ts'
import { type PlacesCounters, PlacesFinder } from '../places/finder.ts'
import type { Provider } from '../places/provider.ts'
import { makeSource } from '../places/source.ts'
import type { PlacesWorld } from '../places/world.ts'
import type { Floods } from '../replication/flooded-rows.ts'
import type { PlacesStatus } from '../replication/status.ts'
import type { PlacesSecrets } from '../secret.ts'
import type { ServerEvent } from './options.ts'
import { makeProviders } from './providers.ts'

/** What is logged of the reason for a failure, characters. */
const CAUSE_LENGTH_MAX = 500

/** What a server's places need of their server. */
export interface ServerPlacesContext {
  readonly server: string
  readonly secrets: PlacesSecrets | undefined
  /** Whether the state folder can be written. */
  readonly keepsState: boolean
  readonly log: Pick<ServerLog, 'event'>
  readonly world: PlacesWorld
  /** Whether another server of the herd is reached. */
  readonly isReachable: (server: string) => boolean
  readonly report: (event: ServerEvent) => void
}

/** Where a server has its places from. */
export interface ServerPlaces {
  readonly find: FindPlaces
  readonly counters: PlacesCounters
  readonly status: PlacesStatus
  /** What links tell each other of budgets. */
  readonly budgets: Floods
  /** Ends what is under way, and closes every provider. */
  close(): Promise<void>
}

/**
 * Makes the providers that the herd file names and what stands around them.
 *
 * @throws what a provider says that can't be made, such as {PlaceTableBroken} and {OwnProviderUnusable}.
 */
export async function openPlaces(config: HerdConfig, context: ServerPlacesContext): Promise<ServerPlaces> {
  const { log, world, secrets, report } = context
  const { limits, rank, type, keyword } = config.places
  const trouble = (text: string): void => {
    log.event('warning', 'places', { text })
    report({ level: 'warning', event: 'places', text })
  }
  const folder = dirname(config.file)
  const providers = await makeProviders({ settings: config.places, folder, secrets, world, trouble })
  const budget = openBudget(config, context, trouble)
  const cache = new AnswerCache(limits, world)
  const addressRates = new AddressRates(limits.callsPerSecondPerAddressMax)
  const sources = providers.map((provider) =>
    makeSource({
      ...{ provider, limits, world, cache, addressRates, budget: budget.of(provider.name) },
      onFailed: (name, { status, message, cause }) => {
        // Providers put there what clients need not know, and no key.
        const reason = cause instanceof Error ? { cause: cause.message.slice(0, CAUSE_LENGTH_MAX) } : {}
        log.event('warning', 'places failed', { provider: name, status, error: message, ...reason })
      },
      onBreakerOpened: (name, openMs) =>
        log.event('warning', 'places left alone', { provider: name, forMs: openMs }),
    }),
  )
  const finder = new PlacesFinder({ sources, limits, world })
  return {
    find: (ask, items, address) => finder.find({ rank, type, keyword, ...ask }, items, address),
    get counters(): PlacesCounters {
      return finder.counters
    },
    get status(): PlacesStatus {
      const used = new Set(budgeted(providers))
      const budgets = budget.status.filter(({ provider }) => used.has(provider))
      return { providers: finder.statuses, budgets }
    },
    budgets: budget.flood,
    close: async () => {
      await finder.close()
      budget.close()
    },
  }
}

/** Whose calls are limited: the legacy API spends what Google's new one does. */
function budgeted(providers: readonly Provider[]): readonly string[] {
  return providers
    .filter(({ local }) => !local)
    .map(({ name }) => (name === 'google-legacy' ? 'google' : name))
}

/** What the herd may ask of each provider, whether it is used here or not: servers must agree on it. */
function openBudget(
  { places, servers, stateFolder, name: herd }: HerdConfig,
  { server, keepsState, world, isReachable }: ServerPlacesContext,
  onTrouble: (text: string) => void,
): HerdBudget {
  const { google, overpass, photon, x } = places
  const own = places.providers.flatMap((each) =>
    typeof each === 'string' ? [] : [[each.name, each] as const],
  )
  return new HerdBudget({
    ...{ server, world, isReachable, onTrouble },
    servers: servers.filter(({ classic }) => !classic).map(({ name }) => name),
    limits: { google, overpass, photon, x, ...Object.fromEntries(own) },
    file: keepsState ? join(stateFolder, 'places-budget', `${herd}.${server}.json`) : null,
  })
}
