import { join } from 'node:path'
import type { HerdConfig, PlacesSettings, ProviderName } from './config.ts'
import type { FindPlaces } from './gateways/connection-context.ts'
import type { ServerLog } from './logs/server-log.ts'
import { AnswerCache } from './places/answer-cache.ts'
import { HerdBudget, type HerdBudgetOptions } from './places/budget/herd-budget.ts'
import { AddressRates } from './places/call-rate.ts'
import { type PlacesCounters, PlacesFinder } from './places/finder.ts'
import type { Provider } from './places/provider.ts'
import { EmbeddedPlaces } from './places/providers/embedded.ts'
import { GoogleLegacyPlaces } from './places/providers/google-legacy.ts'
import { GooglePlaces } from './places/providers/google-new.ts'
import { LocalPlaces } from './places/providers/local.ts'
import { OverpassPlaces } from './places/providers/overpass.ts'
import { PhotonPlaces } from './places/providers/photon.ts'
import { PostgisPlaces } from './places/providers/postgis.ts'
import { XRecent } from './places/providers/x-recent.ts'
import { makeSource } from './places/source.ts'
import type { PlacesWorld } from './places/world.ts'
import type { PlacesStatus } from './replication/status.ts'
import type { PlacesSecrets } from './secret.ts'
import type { ServerEvent } from './server.ts'

/** What budgets need of their server. */
export interface BudgetContext extends Pick<HerdBudgetOptions, 'world' | 'isReachable'> {
  readonly report: (event: ServerEvent) => void
}

/** What a server's places need of their server. */
export interface ServerPlacesContext {
  readonly log: Pick<ServerLog, 'event'>
  readonly world: PlacesWorld
  readonly budget: HerdBudget
}

/** Where a server has its places from. */
export interface ServerPlaces {
  readonly find: FindPlaces
  readonly counters: PlacesCounters
  readonly status: PlacesStatus
  /** Ends what is under way, and closes every provider. */
  close(): Promise<void>
}

/**
 * Makes the providers that the herd file names and what stands around them.
 *
 * @throws what a provider says that can't be made, such as {PlaceTableBroken}.
 */
export async function openPlaces(
  settings: PlacesSettings,
  secrets: PlacesSecrets | undefined,
  { log, world, budget }: ServerPlacesContext,
): Promise<ServerPlaces> {
  const { limits } = settings
  const providers: Provider[] = []
  for (const name of namesOf(settings.providers, secrets)) {
    const made = await makeProvider(name, settings, secrets, { log, world })
    if (made !== undefined) providers.push(made)
  }
  const cache = new AnswerCache(limits, world)
  const addressRates = new AddressRates(limits.callsPerSecondPerAddressMax)
  const sources = providers.map((provider) =>
    makeSource({
      ...{ provider, limits, world, cache, addressRates, budget: budget.of(provider.name) },
      onFailed: (name, { status, message }) =>
        log.event('warning', 'places failed', { provider: name, status, error: message }),
      onBreakerOpened: (name, openMs) =>
        log.event('warning', 'places left alone', { provider: name, forMs: openMs }),
    }),
  )
  const finder = new PlacesFinder({ sources, limits, world })
  const { rank, type, keyword } = settings
  return {
    find: (ask, items, address) => finder.find({ rank, type, keyword, ...ask }, items, address),
    get counters(): PlacesCounters {
      return finder.counters
    },
    get status(): PlacesStatus {
      return finder.status
    },
    close: () => finder.close(),
  }
}

/** The names without `auto`, each once, and without those that can't be asked for want of a key. */
export function namesOf(
  names: readonly ProviderName[],
  secrets: PlacesSecrets | undefined,
): readonly Exclude<ProviderName, 'auto'>[] {
  const all = names.flatMap((name) => (name === 'auto' ? (['google', 'local', 'embedded'] as const) : [name]))
  return [...new Set(all)].filter((name) => {
    if (name === 'google' || name === 'google-legacy') return secrets?.google !== undefined
    return name !== 'x' || secrets?.x !== undefined
  })
}

/** Makes one; undefined: it has no key. */
async function makeProvider(
  name: Exclude<ProviderName, 'auto'>,
  { google, overpass, photon, x, postgis, folder, language, limits }: PlacesSettings,
  secrets: PlacesSecrets | undefined,
  { log, world }: Omit<ServerPlacesContext, 'budget'>,
): Promise<Provider | undefined> {
  const shared = { bodyBytesMax: limits.bodyBytesMax, language, wallMs: world.wallMs }
  const key = secrets?.google
  switch (name) {
    case 'google': {
      const { baseUrl, fields } = google
      return key === undefined ? undefined : new GooglePlaces({ ...shared, key, baseUrl, fields })
    }
    case 'google-legacy':
      return key === undefined
        ? undefined
        : new GoogleLegacyPlaces({ ...shared, key, baseUrl: google.legacyBaseUrl })
    case 'embedded':
      return EmbeddedPlaces.load()
    case 'overpass':
      return new OverpassPlaces({ ...shared, baseUrl: overpass.baseUrl })
    case 'photon':
      return new PhotonPlaces({ ...shared, baseUrl: photon.baseUrl })
    case 'x': {
      const { baseUrl, fieldsParameter } = x
      const token = secrets?.x
      return token === undefined ? undefined : new XRecent({ ...shared, token, baseUrl, fieldsParameter })
    }
    case 'postgis': {
      const { url, table, connectionsMax } = postgis
      const queryMsMax = limits.tryMsMax
      return new PostgisPlaces({ url, table, connectionsMax, queryMsMax, password: secrets?.postgis })
    }
    case 'local':
      return new LocalPlaces({
        folder,
        nowMs: world.nowMs,
        onWarning: (text) => log.event('warning', 'local places', { text }),
      })
    default:
      return name satisfies never
  }
}

/** What the herd may ask of each provider, whether it is used here or not: servers must agree on it. */
export function openBudget(
  { places, servers, stateFolder, name: herd }: HerdConfig,
  name: string,
  { report, ...context }: BudgetContext,
): HerdBudget {
  const { google, overpass, photon, x } = places
  const members = servers.filter(({ classic }) => !classic).map((server) => server.name)
  return new HerdBudget({
    ...context,
    server: name,
    servers: members,
    limits: { google, overpass, photon, x },
    file: join(stateFolder, 'places-budget', `${herd}.${name}.json`),
    onTrouble: (text) => report({ level: 'warning', event: 'places budget', text }),
  })
}
