import type { PlacesSettings, ProviderName } from './config.ts'
import type { Provider } from './places/provider.ts'
import { EmbeddedPlaces } from './places/providers/embedded.ts'
import { GoogleLegacyPlaces } from './places/providers/google-legacy.ts'
import { GooglePlaces } from './places/providers/google-new.ts'
import { LocalPlaces } from './places/providers/local.ts'
import { OverpassPlaces } from './places/providers/overpass.ts'
import { PhotonPlaces } from './places/providers/photon.ts'
import { PostgisPlaces } from './places/providers/postgis.ts'
import { XRecent } from './places/providers/x-recent.ts'
import type { PlacesWorld } from './places/world.ts'
import type { PlacesSecrets } from './secret.ts'

/** A provider that is one. */
export type MadeName = Exclude<ProviderName, 'auto'>

/** What providers are made of. */
export interface MakeContext {
  readonly settings: PlacesSettings
  readonly secrets: PlacesSecrets | undefined
  readonly world: PlacesWorld
  /** Hears what a provider can't use, for the operator. */
  readonly trouble: (text: string) => void
}

/** The providers that `places.providers` means, each once; without those that can't be asked for want of a key. */
export function providerNames(
  names: readonly ProviderName[],
  secrets: PlacesSecrets | undefined,
): readonly MadeName[] {
  const all = names.flatMap((name): readonly MadeName[] =>
    name === 'auto' ? ['google', 'local', 'embedded'] : [name],
  )
  return [...new Set(all)].filter((name) => {
    if (name === 'google' || name === 'google-legacy') return secrets?.google !== undefined
    return name !== 'x' || secrets?.x !== undefined
  })
}

/** Makes one; undefined when it has no key. @throws what it says when it can't be made. */
export function makeProvider(name: MadeName, context: MakeContext): Provider | undefined {
  const { settings, secrets, world, trouble } = context
  const { google, overpass, photon, x, postgis, limits, language, folder } = settings
  const wallMs = (): number => world.wallMs()
  const http = { bodyBytesMax: limits.bodyBytesMax, language, wallMs }
  switch (name) {
    case 'google': {
      const { baseUrl, fields } = google
      const key = secrets?.google
      return key === undefined ? undefined : new GooglePlaces({ ...http, key, baseUrl, fields })
    }
    case 'google-legacy': {
      const { legacyBaseUrl: baseUrl } = google
      const key = secrets?.google
      return key === undefined ? undefined : new GoogleLegacyPlaces({ ...http, key, baseUrl })
    }
    case 'overpass':
      return new OverpassPlaces({ ...http, baseUrl: overpass.baseUrl })
    case 'photon':
      return new PhotonPlaces({ ...http, baseUrl: photon.baseUrl })
    case 'x': {
      const { baseUrl, fieldsParameter } = x
      const token = secrets?.x
      return token === undefined ? undefined : new XRecent({ ...http, token, baseUrl, fieldsParameter })
    }
    case 'postgis': {
      const { url, table, connectionsMax } = postgis
      const queryMsMax = limits.tryMsMax
      return new PostgisPlaces({ url, table, connectionsMax, queryMsMax, password: secrets?.postgis })
    }
    case 'local':
      return new LocalPlaces({ folder, nowMs: () => world.nowMs(), onWarning: trouble })
    case 'embedded':
      return EmbeddedPlaces.load()
    default:
      return name satisfies never
  }
}
