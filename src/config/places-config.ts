/** The shape of `places` in a herd's configuration. What each setting means stands in `places-settings.ts`. */
import type { PlacesLimits } from '../places/limits.ts'
import type { PlaceRank } from '../places/provider.ts'

/** A provider by the name that a herd file uses; `auto` is resolved when the server starts. */
export type ProviderName =
  | 'auto'
  | 'google'
  | 'google-legacy'
  | 'overpass'
  | 'photon'
  | 'x'
  | 'postgis'
  | 'local'
  | 'embedded'

/** `places`: who answers WHATSAT, and how much of it we ask for. */
export interface PlacesSettings
  extends Omit<PlacesEntry, 'providers' | 'own' | 'folder' | 'google' | 'x' | 'postgis'> {
  /** In the order in which they are asked. */
  readonly providers: readonly (ProviderName | OwnProviderSettings)[]
  /** Absolute. */
  readonly folder: string
  readonly google: GoogleSettings
  readonly x: XSettings
  readonly postgis: PostgisSettings
}

/** `places` as it stands in a herd file. */
export interface PlacesEntry {
  /** In the order in which they are asked: names of ours, paths of the user's own. */
  readonly providers: readonly string[]
  /** By the name of the file, without what follows its dot. */
  readonly own: Readonly<Record<string, OwnProviderEntry>>
  readonly rank: PlaceRank
  readonly type?: string | undefined
  readonly keyword?: string | undefined
  readonly language?: string | undefined
  readonly userAgent?: string | undefined
  readonly folder?: string
  readonly google: GoogleEntry
  readonly overpass: OverpassSettings
  readonly photon: PhotonSettings
  readonly x: XEntry
  readonly postgis: PostgisEntry
  readonly limits: PlacesLimits
}

/** What the whole herd may ask of a provider; 0: no limit. */
export interface CallsMax {
  readonly callsPerDayMax: number
  readonly callsPerMonthMax: number
}

/** `places.own.<name>` as it stands in a herd file. */
export interface OwnProviderEntry extends CallsMax {
  /** For the provider: we look at nothing in it. */
  readonly options: Readonly<Record<string, unknown>>
}

/** A provider that the user wrote. */
export interface OwnProviderSettings extends OwnProviderEntry {
  /** Its file's, without what follows the dot. */
  readonly name: string
  /** Absolute. */
  readonly file: string
}

/** `places.google` as it stands in a herd file. Both of Google's APIs share key and budget. */
export interface GoogleEntry extends CallsMax {
  readonly baseUrl: string
  readonly legacyBaseUrl: string
  readonly fields: 'pro' | 'full'
  readonly keyFile?: string | undefined
}

/** `places.google`. */
export interface GoogleSettings extends Omit<GoogleEntry, 'keyFile'> {
  /** Absolute. */
  readonly keyFile: string | undefined
}

/** `places.overpass`. */
export interface OverpassSettings extends CallsMax {
  readonly baseUrl: string
}

/** `places.photon`. */
export interface PhotonSettings extends CallsMax {
  readonly baseUrl: string
}

/** `places.x` as it stands in a herd file. */
export interface XEntry extends CallsMax {
  readonly baseUrl: string
  readonly fieldsParameter: 'tweet.fields' | 'post.fields'
  readonly tokenFile?: string
}

/** `places.x`. */
export interface XSettings extends Omit<XEntry, 'tokenFile'> {
  /** Absolute. */
  readonly tokenFile: string | undefined
}

/** `places.postgis` as it stands in a herd file. */
export interface PostgisEntry {
  /** Without a password. */
  readonly url: string
  readonly table: string
  readonly passwordFile?: string
  readonly connectionsMax: number
}

/** `places.postgis`. */
export interface PostgisSettings extends Omit<PostgisEntry, 'passwordFile'> {
  /** Absolute. */
  readonly passwordFile: string | undefined
}
