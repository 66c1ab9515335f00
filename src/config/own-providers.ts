/** Providers of the user's own in `places.providers`: a path each, and a name by it. Pure. */
import { basename, extname, resolve } from 'node:path'
import type { OwnProviderEntry, OwnProviderSettings, PlacesEntry, ProviderName } from './places-config.ts'
import { shownValue } from './setting.ts'
import { didYouMean } from './suggestion.ts'

/** The providers that come with Herd. `auto` stands for google where there is a key, local, embedded. */
export const PROVIDER_NAMES: readonly ProviderName[] = [
  'auto',
  'google',
  'google-legacy',
  'overpass',
  'photon',
  'x',
  'postgis',
  'local',
  'embedded',
]

/** How many of their own a user may have. */
export const OWN_PROVIDERS_MAX = 8
/** An entry of `places.providers`: one of ours, or the path of a file that Node can import. */
export const PROVIDER_PATTERN: string = `^(?:${PROVIDER_NAMES.join('|')}|.+\\.(?:ts|mts|js|mjs))$`

const NAME_PATTERN = /^[a-z][a-z0-9-]{0,31}$/
const DEFAULTS: OwnProviderEntry = { callsPerDayMax: 5000, callsPerMonthMax: 0, options: {} }

/** What is wrong with the names of the user's own, and with what is said of them. */
export function ownProblems({ providers, own }: Pick<PlacesEntry, 'providers' | 'own'>): string[] {
  const files = providers.filter((entry) => !isOurs(entry))
  const names = files.map(nameOfFile)
  const problems = files.flatMap((file, index) => {
    const name = nameOfFile(file)
    const called = `places.providers: ${shownValue(file)} would be called ${name}`
    if (!NAME_PATTERN.test(name)) {
      return [
        `places.providers: ${shownValue(file)} gives no name; call the file by a small letter, then at most 31 small letters, digits or \`-\`, for example my-places.ts`,
      ]
    }
    if (isOurs(name)) return [`${called}, as one that comes with Herd; rename it, for example my-${name}.ts`]
    if (names.indexOf(name) < index)
      return [`${called}, as another one; rename it, for example my-${name}.ts`]
    return []
  })
  // No list of providers at all is an error of its own.
  const unknown = providers.length === 0 ? [] : Object.keys(own).filter((name) => !names.includes(name))
  return [
    ...problems,
    ...unknown.map((name) => {
      const there =
        names.length === 0 ? 'places.providers has no file of yours' : `there are ${names.join(', ')}`
      return `places.own.${name}: there is no provider of that name${didYouMean(name, names, 'places.own.') || `; ${there}`}`
    }),
  ]
}

/** Each with its file and what is said of it. */
export function resolvedProviders(
  providers: PlacesEntry['providers'],
  own: PlacesEntry['own'],
  folder: string,
): readonly (ProviderName | OwnProviderSettings)[] {
  return providers.map((entry) => {
    if (isOurs(entry)) return entry
    const name = nameOfFile(entry)
    return { ...DEFAULTS, ...(Object.hasOwn(own, name) ? own[name] : {}), name, file: resolve(folder, entry) }
  })
}

function isOurs(entry: string): entry is ProviderName {
  return PROVIDER_NAMES.some((name) => name === entry)
}

function nameOfFile(file: string): string {
  return basename(file, extname(file))
}
