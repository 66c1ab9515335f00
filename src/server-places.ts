import type { PlacesSettings, ProviderName } from './config.ts'
import type { FindPlaces } from './gateways/connection-context.ts'
import type { ServerLog } from './logs/server-log.ts'
import type { CallBudget } from './places/admission.ts'
import { AnswerCache } from './places/answer-cache.ts'
import { AddressRates } from './places/call-rate.ts'
import { type PlacesCounters, PlacesFinder } from './places/finder.ts'
import type { Provider } from './places/provider.ts'
import { EmbeddedPlaces } from './places/providers/embedded.ts'
import { GoogleLegacyPlaces } from './places/providers/google-legacy.ts'
import { GooglePlaces } from './places/providers/google-new.ts'
import { makeSource } from './places/source.ts'
import type { PlacesWorld } from './places/world.ts'
import type { PlacesStatus } from './replication/status.ts'
import type { PlacesSecrets } from './secret.ts'

/** What a server's places need of their server. */
export interface ServerPlacesContext {
  readonly log: Pick<ServerLog, 'event'>
  readonly world: PlacesWorld
}

/** Where a server has its places from. */
export interface ServerPlaces {
  readonly find: FindPlaces
  readonly counters: PlacesCounters
  readonly status: PlacesStatus
  /** Ends what is under way, and closes every provider. */
  close(): Promise<void>
}

const UNLIMITED: CallBudget = { take: () => 'granted' }

/**
 * Makes the providers that the herd file names and what stands around them.
 *
 * @throws what a provider says that can't be made, such as {PlaceTableBroken}.
 */
export async function openPlaces(
  settings: PlacesSettings,
  secrets: PlacesSecrets | undefined,
  { log, world }: ServerPlacesContext,
): Promise<ServerPlaces> {
  const { limits } = settings
  const providers: Provider[] = []
  for (const name of namesOf(settings.providers, secrets)) {
    const made = await makeProvider(name, settings, secrets, world)
    if (made !== undefined) providers.push(made)
  }
  const cache = new AnswerCache(limits, world)
  const addressRates = new AddressRates(limits.callsPerSecondPerAddressMax)
  const sources = providers.map((provider) =>
    makeSource({
      ...{ provider, limits, world, cache, addressRates, budget: UNLIMITED },
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

/** Makes one; undefined: it has no key, or this version can't. */
async function makeProvider(
  name: Exclude<ProviderName, 'auto'>,
  { google, language, limits }: PlacesSettings,
  secrets: PlacesSecrets | undefined,
  world: PlacesWorld,
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
    case 'photon':
    case 'x':
    case 'postgis':
    case 'local':
      return undefined
    default:
      return name satisfies never
  }
}
