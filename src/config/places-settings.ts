/** The table of settings, `places`: who answers WHATSAT, and what may be asked of it. */
import { Type } from 'typebox'
import { defaultPlacesLimits, type PlacesLimits } from '../places/limits.ts'
import { OWN_PROVIDERS_MAX, PROVIDER_NAMES, PROVIDER_PATTERN } from './own-providers.ts'
import type {
  GoogleEntry,
  OverpassSettings,
  OwnProviderEntry,
  PhotonSettings,
  PlacesEntry,
  PostgisEntry,
  XEntry,
} from './places-config.ts'
import { GIB, group, KIB, oneOf, text, wholeNumber } from './schema.ts'

const PLACE_TYPE_PATTERN = '^[a-z][a-z0-9_]{0,63}$'
const KEYWORD_LENGTH_MAX = 128

const google = group<GoogleEntry>("Google's Places API.", {
  baseUrl: url('https://places.googleapis.com', 'Where Places API (New) is.'),
  legacyBaseUrl: url('https://maps.googleapis.com', 'Where Nearby Search (legacy) is.'),
  fields: oneOf(
    ['pro', 'full'],
    'pro',
    'What is asked of Places API (New). `full`: also rating, price level and opening hours, which Google bills higher.',
  ),
  keyFile: text('google.key', 'A file that holds the API key. A relative path starts at the herd file.', {
    defaultText: 'none',
  }),
  ...callsMax(1000, 5000),
})

const overpass = group<OverpassSettings>('OpenStreetMap by Overpass.', {
  baseUrl: url('https://overpass-api.de', 'Where Overpass is.'),
  ...callsMax(5000, 0),
})

const photon = group<PhotonSettings>('OpenStreetMap by Photon.', {
  baseUrl: url('https://photon.komoot.io', 'Where Photon is.'),
  ...callsMax(5000, 0),
})

const x = group<XEntry>('Posts near a client, by the recent search of X.', {
  baseUrl: url('https://api.x.com', 'Where the API is.'),
  fieldsParameter: oneOf(
    ['tweet.fields', 'post.fields'],
    'tweet.fields',
    'What the API calls the parameter that names the fields of a post.',
  ),
  tokenFile: text('x.token', 'A file that holds the bearer token. A relative path starts at the herd file.', {
    defaultText: 'none',
  }),
  ...callsMax(100, 1000),
})

const postgis = group<PostgisEntry>('A table of places in PostgreSQL with PostGIS.', {
  url: text(
    'postgres://herd@localhost:5432/places',
    'The database, without a password: that comes from `PGPASSWORD` or `passwordFile`.',
    {
      default: 'postgres://herd@localhost:5432/places',
      pattern: '^postgres(?:ql)?://(?:[^\\s:@/?#]+@)?[^\\s@#]*$',
      valueText: 'a URL that begins with postgres://, without a password',
    },
  ),
  table: text('place', 'The table, with its schema if need be.', {
    default: 'place',
    pattern: '^[a-z_][a-z0-9_]{0,62}(?:\\.[a-z_][a-z0-9_]{0,62})?$',
    valueText: 'a name in small letters, digits and `_`, perhaps with a schema and a dot before it',
  }),
  passwordFile: text(
    'postgis.password',
    'A file that holds the password. A relative path starts at the herd file.',
    { defaultText: 'none' },
  ),
  connectionsMax: wholeNumber(1, 100, 4, 'Connections to the database of each server.'),
})

const own = group<OwnProviderEntry>('A provider of your own.', {
  options: Type.Optional(
    Type.Record(Type.String(), Type.Unknown(), {
      default: {},
      defaultText: 'none',
      valueText: 'a group of settings',
      examples: ["{ url: 'http://localhost:8080' }"],
      description: 'What is handed to your provider as it stands here. No place for keys.',
    }),
  ),
  ...callsMax(5000, 0),
})

const limits = group<PlacesLimits>('Bounds around any provider of places that is not on this machine.', {
  totalMsMax: wholeNumber(
    10,
    300_000,
    defaultPlacesLimits.totalMsMax,
    'Time for one answer, all providers and tries together.',
  ),
  tryMsMax: wholeNumber(10, 300_000, defaultPlacesLimits.tryMsMax, 'Time for one call of a provider.'),
  retriesMax: wholeNumber(0, 10, defaultPlacesLimits.retriesMax, 'Further calls after one that failed.'),
  bodyBytesMax: wholeNumber(KIB, GIB, defaultPlacesLimits.bodyBytesMax, "Size of a provider's answer."),
  cacheEntriesMax: wholeNumber(1, 1_000_000, defaultPlacesLimits.cacheEntriesMax, 'Answers kept.'),
  cacheBytesMax: wholeNumber(KIB, 64 * GIB, defaultPlacesLimits.cacheBytesMax, 'Size of all answers kept.'),
  asksInFlightMax: wholeNumber(
    1,
    100_000,
    defaultPlacesLimits.asksInFlightMax,
    'Different asks that wait for a provider at a time.',
  ),
  callsPerSecondMax: wholeNumber(
    0,
    100_000,
    defaultPlacesLimits.callsPerSecondMax,
    'Calls of one provider in a second; 0: no limit.',
  ),
  callsPerSecondPerAddressMax: wholeNumber(
    0,
    100_000,
    defaultPlacesLimits.callsPerSecondPerAddressMax,
    'Calls that the asks of one address cause in a second; 0: no limit. What is answered from the cache or from this machine counts for nothing.',
  ),
  breakerFailuresMax: wholeNumber(
    1,
    1000,
    defaultPlacesLimits.breakerFailuresMax,
    'A provider that failed so often in a row is left alone for a while.',
  ),
  breakerOpenMs: wholeNumber(
    10,
    86_400_000,
    defaultPlacesLimits.breakerOpenMs,
    'How long such a provider is left alone, until one ask tries it again.',
  ),
  breakerDeniedMs: wholeNumber(
    10,
    86_400_000,
    defaultPlacesLimits.breakerDeniedMs,
    'How long a provider is left alone that denied us, or said that we are over its limit.',
  ),
})

/** `places` as a schema. */
export const places: Type.TSchema = group<PlacesEntry>('Places for WHATSAT.', {
  providers: Type.Optional(
    Type.Array(Type.String({ pattern: PROVIDER_PATTERN, maxLength: 4096 }), {
      minItems: 1,
      maxItems: PROVIDER_NAMES.length + OWN_PROVIDERS_MAX,
      uniqueItems: true,
      default: ['auto'],
      defaultText: '`[auto]`',
      valueText: `a list of providers: ${PROVIDER_NAMES.join(', ')}, or files of your own such as ./my-places.ts`,
      examples: ['[google, local, embedded]'],
      description:
        'Who is asked, in this order, each when those before it failed. `auto`: google where there is a key for it, then local, then embedded. A path is that of a provider of your own (.ts, .mts, .js or .mjs); a relative one starts at the herd file.',
    }),
  ),
  own: Type.Optional(
    Type.Record(Type.String(), own, {
      default: {},
      defaultText: 'none',
      valueText: 'a group of providers',
      examples: ['{ my-places: { callsPerDayMax: 1000 } }'],
      description: 'Providers of your own, each by the name of its file without `.ts`.',
    }),
  ),
  rank: oneOf(
    ['prominence', 'distance'],
    'prominence',
    'What comes first: what is best known, or what is nearest.',
  ),
  type: text('museum', 'Only places of this Google type, unless a WHATSAT names another.', {
    pattern: PLACE_TYPE_PATTERN,
    valueText: 'a type in small letters, digits and `_`',
    defaultText: 'none',
  }),
  keyword: text('coffee', 'Only places with these words, unless a WHATSAT names others.', {
    maxLength: KEYWORD_LENGTH_MAX,
    valueText: `a text of 1 to ${KEYWORD_LENGTH_MAX} characters`,
    defaultText: 'none',
  }),
  language: text('en', 'The language of names, where a provider has several.', {
    pattern: '^[A-Za-z]{2,3}(?:-[A-Za-z0-9]{2,8})*$',
    valueText: 'a language tag',
    defaultText: "each provider's own",
  }),
  userAgent: text(
    'Example Couriers (ops@example.org)',
    'Who asks, for the services of OpenStreetMap: the User-Agent of Overpass and Photon. Public servers want an address to write to.',
    {
      maxLength: 256,
      pattern: '^[!-~](?:[ -~]{0,254}[!-~])?$',
      valueText: 'a text of 1 to 256 ASCII characters',
      defaultText: '`Herd/<version> (live locations; places for WHATSAT)`',
    },
  ),
  folder: text('places', 'Where imported places are. A relative path starts at the working directory.', {
    defaultText: '`places` in the state folder',
  }),
  google,
  overpass,
  photon,
  x,
  postgis,
  limits,
})

function callsMax(day: number, month: number) {
  const whole = 'Calls of the whole herd'
  return {
    callsPerDayMax: wholeNumber(0, 1_000_000_000, day, `${whole} in a day (UTC); 0: no limit.`),
    callsPerMonthMax: wholeNumber(0, 1_000_000_000, month, `${whole} in a month (UTC); 0: no limit.`),
  }
}

function url(fallback: string, description: string): Type.TSchema {
  return text(fallback, description, {
    default: fallback,
    pattern: '^https?://[^\\s?#@]+$',
    valueText: 'a URL that begins with https:// or http://, without user, query and fragment',
  })
}
