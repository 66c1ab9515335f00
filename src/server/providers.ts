import type { OwnProviderSettings, PlacesSettings, ProviderName } from '../config.ts'
import type { Provider } from '../places/provider.ts'
import { EmbeddedPlaces } from '../places/providers/embedded.ts'
import { LocalPlaces } from '../places/providers/local.ts'
import type { PlacesWorld } from '../places/world.ts'
import type { PlacesSecrets } from '../secret.ts'

/** A provider that is one. */
type MadeName = Exclude<ProviderName, 'auto'>

/** What providers are made of. */
export interface MakeContext {
  readonly settings: PlacesSettings
  /** That of the herd file, absolute. */
  readonly folder: string
  readonly secrets: PlacesSecrets | undefined
  readonly world: PlacesWorld
  /** Hears what a provider can't use, for the operator. */
  readonly trouble: (text: string) => void
}

/** Makes all that `places.providers` means, each once. @throws what one says that can't be made. */
export async function makeProviders(context: MakeContext): Promise<readonly Provider[]> {
  const providers: Provider[] = []
  try {
    for (const choice of chosen(context)) {
      const provider =
        typeof choice === 'string' ? await makeProvider(choice, context) : await ownProvider(choice, context)
      if (provider !== undefined) providers.push(provider)
    }
    return providers
  } catch (error) {
    await Promise.all(providers.map(async (provider) => provider.close?.()))
    throw error
  }
}

/** Without those that can't be asked for want of a key. */
function chosen({
  settings: { providers },
  secrets,
}: MakeContext): readonly (MadeName | OwnProviderSettings)[] {
  const all = providers.flatMap((name): readonly (MadeName | OwnProviderSettings)[] =>
    name === 'auto' ? ['google', 'local', 'embedded'] : [name],
  )
  return [...new Set(all)].filter((name) => {
    if (name === 'google' || name === 'google-legacy') return secrets?.google !== undefined
    return name !== 'x' || secrets?.x !== undefined
  })
}

async function ownProvider(
  { name, file, options }: OwnProviderSettings,
  { settings: { limits, language }, folder, world }: MakeContext,
): Promise<Provider> {
  const { bodyBytesMax } = limits
  const wallMs = (): number => world.wallMs()
  const { loadOwnProvider } = await import('../places/own-provider.ts')
  return loadOwnProvider(file, { name, folder, options, language, bodyBytesMax, wallMs }, { limits, world })
}

/** Undefined when it has no key. What only some ask for is loaded when it is: that takes longer than all the rest of a start. */
async function makeProvider(name: MadeName, context: MakeContext): Promise<Provider | undefined> {
  const { settings, secrets, world, trouble } = context
  const { google, overpass, photon, x, postgis, limits, language, userAgent, folder } = settings
  const wallMs = (): number => world.wallMs()
  const http = { bodyBytesMax: limits.bodyBytesMax, language, wallMs }
  switch (name) {
    case 'google': {
      const { GooglePlaces } = await import('../places/providers/google-new.ts')
      const { baseUrl, fields } = google
      const key = secrets?.google
      return key === undefined ? undefined : new GooglePlaces({ ...http, key, baseUrl, fields })
    }
    case 'google-legacy': {
      const { GoogleLegacyPlaces } = await import('../places/providers/google-legacy.ts')
      const { legacyBaseUrl: baseUrl } = google
      const key = secrets?.google
      return key === undefined ? undefined : new GoogleLegacyPlaces({ ...http, key, baseUrl })
    }
    case 'overpass': {
      const { OverpassPlaces } = await import('../places/providers/overpass.ts')
      return new OverpassPlaces({ ...http, baseUrl: overpass.baseUrl, userAgent })
    }
    case 'photon': {
      const { PhotonPlaces } = await import('../places/providers/photon.ts')
      return new PhotonPlaces({ ...http, baseUrl: photon.baseUrl, userAgent })
    }
    case 'x': {
      const { XRecent } = await import('../places/providers/x-recent.ts')
      const { baseUrl, fieldsParameter } = x
      const token = secrets?.x
      return token === undefined ? undefined : new XRecent({ ...http, token, baseUrl, fieldsParameter })
    }
    case 'postgis': {
      const { PostgisPlaces } = await import('../places/providers/postgis.ts')
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
