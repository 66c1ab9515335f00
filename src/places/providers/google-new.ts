/**
 * Google's Places API (New), Nearby Search: asked for the fields that the legacy answer has, and written as one.
 * The key goes in a header, never in a URL.
 */
import { ellipsoidMetres } from '../../locations/distance.ts'
import { type ClassicPhoto, type ClassicPlace, type ClassicPoint, classicBody } from '../classic-place.ts'
import { insertMessages } from '../json-text.ts'
import {
  type FailureStatus,
  type KeepingTerms,
  PAGE_ITEMS,
  type PlacesBody,
  type PlacesQuery,
  type Provider,
} from '../provider.ts'
import { GOOGLE_KEEPING } from './google-legacy.ts'
import { type Explanation, HttpAsker } from './http-asker.ts'
import {
  type Fields,
  fieldsOf,
  isFields,
  listOf,
  numberOf,
  parseJson,
  textOf,
  textsOf,
} from './json-fields.ts'
import { escapeHtml, hasWords } from './place-words.ts'

/** The public server of the API. */
export const googleNewBaseUrl = 'https://places.googleapis.com'

/** What Google bills for a call by the fields that it asks for, US dollars, without any volume discount. */
export const GOOGLE_USD = { pro: 0.032, full: 0.04 } as const

/** What Google asks to be called where its places are shown without a map. */
const CREDIT = 'Google Maps'

/** Said where a page is full, and so perhaps not all that there is. */
const PARTIAL_MESSAGE = `Google's Nearby Search has no keyword: it was looked for in the first ${PAGE_ITEMS} places alone.`

const PATH = '/v1/places:searchNearby'
const PRO_FIELDS = [
  ...['id', 'displayName', 'location', 'viewport', 'businessStatus', 'types', 'iconMaskBaseUri'],
  ...['iconBackgroundColor', 'photos', 'plusCode', 'shortFormattedAddress', 'attributions'],
]
const FULL_FIELDS = [...PRO_FIELDS, 'rating', 'userRatingCount', 'priceLevel', 'currentOpeningHours']
const FIELD_MASKS = { pro: maskOf(PRO_FIELDS), full: maskOf(FULL_FIELDS) } as const
/** Small enough that it changes no answer, but no circle without an area. */
const RADIUS_METRES_MIN = 1

const PRICE_LEVELS: ReadonlyMap<unknown, number> = new Map(
  ['FREE', 'INEXPENSIVE', 'MODERATE', 'EXPENSIVE', 'VERY_EXPENSIVE'].map((name, level) => [
    `PRICE_LEVEL_${name}`,
    level,
  ]),
)
const STATUSES: ReadonlyMap<unknown, FailureStatus> = new Map([
  ['INVALID_ARGUMENT', 'INVALID_REQUEST'],
  ['PERMISSION_DENIED', 'REQUEST_DENIED'],
  ['UNAUTHENTICATED', 'REQUEST_DENIED'],
  ['RESOURCE_EXHAUSTED', 'OVER_QUERY_LIMIT'],
])

/** What the provider is made of. */
export interface GooglePlacesOptions {
  /** The API key, of visible ASCII characters. A secret. */
  readonly key: string
  /** Where the API is, without its path: `googleNewBaseUrl` by default. */
  readonly baseUrl?: string | undefined
  /** `full`: also rating, price level and opening hours, which Google bills higher. `pro` by default. */
  readonly fields?: 'pro' | 'full'
  /** A body, uncompressed, bytes. */
  readonly bodyBytesMax: number
  /** The language of names, a tag such as `en`; Google's own choice by default. */
  readonly language?: string | undefined
  /** Milliseconds since the POSIX epoch. */
  readonly wallMs: () => number
}

/**
 * Places from Google. Its Nearby Search has no keyword: with one, only those of the page of 20 are kept that have
 * all its words in their name, address or types, and where that page is full `info_messages` says so.
 */
export class GooglePlaces implements Provider {
  readonly name = 'google'
  readonly local = false
  readonly snaps = true
  readonly keeping: KeepingTerms = GOOGLE_KEEPING
  readonly #endpoint: URL
  readonly #headers: Readonly<Record<string, string>>
  readonly #usd: number
  readonly #language: string | undefined
  readonly #asker: HttpAsker

  /** @throws {TypeError} when the base URL isn't one. */
  constructor(options: GooglePlacesOptions) {
    const { key, baseUrl = googleNewBaseUrl, fields = 'pro', bodyBytesMax, language, wallMs } = options
    this.#endpoint = new URL(PATH, baseUrl)
    this.#headers = {
      'content-type': 'application/json',
      'x-goog-api-key': key,
      'x-goog-fieldmask': FIELD_MASKS[fields],
    }
    this.#usd = GOOGLE_USD[fields]
    this.#language = language
    this.#asker = new HttpAsker({ source: 'Google', bodyBytesMax, wallMs, secrets: [key], explain })
  }

  async search(query: PlacesQuery, signal: AbortSignal): Promise<PlacesBody> {
    const given = await this.#asker.ask(
      {
        method: 'POST',
        url: this.#endpoint,
        headers: this.#headers,
        body: JSON.stringify(this.#request(query)),
      },
      signal,
    )
    const answer = parseJson(given)
    const { places: list = [] } = isFields(answer) ? answer : { places: null }
    if (!Array.isArray(list)) throw this.#asker.malformed()
    const sources = listOf(list).map(fieldsOf)
    const found = sources.flatMap((source) => {
      const place = toClassicPlace(source)
      return place !== undefined && fits(place, query) ? [{ source, place }] : []
    })
    const credits = new Set([CREDIT, ...found.flatMap(({ source }) => attributionsOf(source))])
    const places = found.slice(0, PAGE_ITEMS).map(({ place }) => place)
    const body = classicBody(places, places.length === 0 ? [] : [...credits])
    const isPartial = query.keyword !== undefined && sources.length >= PAGE_ITEMS
    const text = isPartial ? insertMessages(body.text, [PARTIAL_MESSAGE]) : body.text
    return { ...body, text, usd: this.#usd }
  }

  async close(): Promise<void> {
    await this.#asker.close()
  }

  #request({ latitude, longitude, radiusMetres, rank, type }: PlacesQuery): object {
    const radius = Math.max(RADIUS_METRES_MIN, radiusMetres)
    return {
      locationRestriction: { circle: { center: { latitude, longitude }, radius } },
      maxResultCount: PAGE_ITEMS,
      rankPreference: rank === 'distance' ? 'DISTANCE' : 'POPULARITY',
      ...(type === undefined ? {} : { includedTypes: [type] }),
      ...(this.#language === undefined ? {} : { languageCode: this.#language }),
    }
  }
}

function maskOf(fields: readonly string[]): string {
  return fields.map((field) => `places.${field}`).join(',')
}

function explain(text: string): Explanation | undefined {
  const { status: code, message, details } = errorOf(text)
  // A wrong key is an invalid argument to Google, but for us it is the same as none.
  const isKeyWrong = listOf(details)
    .map(fieldsOf)
    .some(({ reason }) => reason === 'API_KEY_INVALID')
  const status = isKeyWrong ? 'REQUEST_DENIED' : STATUSES.get(code)
  return { status, message: textOf(message) }
}

function errorOf(text: string): Fields {
  const { error } = fieldsOf(parseJson(text))
  return fieldsOf(error)
}

/** What the API wasn't or couldn't be asked. */
function fits(place: ClassicPlace, { latitude, longitude, radiusMetres, keyword }: PlacesQuery): boolean {
  const { lat, lng } = place.geometry.location
  if (radiusMetres < RADIUS_METRES_MIN && ellipsoidMetres(latitude, longitude, lat, lng) > radiusMetres) {
    return false
  }
  return hasWords(keyword, [
    place.name,
    place.vicinity ?? '',
    ...place.types.map((t) => t.replaceAll('_', ' ')),
  ])
}

/** Undefined without what every legacy result has: ID, name and location. */
function toClassicPlace(source: Fields): ClassicPlace | undefined {
  const { displayName, viewport: corners, plusCode: code, currentOpeningHours: hours } = source
  const { businessStatus, iconBackgroundColor, iconMaskBaseUri, priceLevel, rating, userRatingCount } = source
  const { id: givenId, location: center, photos: givenPhotos, types, shortFormattedAddress: address } = source
  const { text: givenName } = fieldsOf(displayName)
  const [id, name, location] = [textOf(givenId), textOf(givenName), pointOf(center)]
  if (id === undefined || name === undefined || location === undefined) return undefined
  const { high, low } = fieldsOf(corners)
  const [northeast, southwest] = [pointOf(high), pointOf(low)]
  const viewport = northeast && southwest && { northeast, southwest }
  const status = textOf(businessStatus)
  const { globalCode, compoundCode } = fieldsOf(code)
  const plusCode = textOf(globalCode)
  const { openNow } = fieldsOf(hours)
  const photos = listOf(givenPhotos).flatMap(photoOf)
  return {
    business_status: status === 'BUSINESS_STATUS_UNSPECIFIED' ? undefined : status,
    geometry: { location, viewport },
    icon_background_color: textOf(iconBackgroundColor),
    icon_mask_base_uri: textOf(iconMaskBaseUri),
    name,
    opening_hours: typeof openNow === 'boolean' ? { open_now: openNow } : undefined,
    permanently_closed: status === 'CLOSED_PERMANENTLY' ? true : undefined,
    photos: photos.length === 0 ? undefined : photos,
    place_id: id,
    plus_code:
      plusCode === undefined ? undefined : { compound_code: textOf(compoundCode), global_code: plusCode },
    price_level: PRICE_LEVELS.get(priceLevel),
    rating: numberOf(rating),
    reference: id,
    scope: 'GOOGLE',
    types: textsOf(types),
    user_ratings_total: numberOf(userRatingCount),
    vicinity: textOf(address),
  }
}

function pointOf(value: unknown): ClassicPoint | undefined {
  const { latitude, longitude } = fieldsOf(value)
  const [lat, lng] = [numberOf(latitude), numberOf(longitude)]
  return lat === undefined || lng === undefined ? undefined : { lat, lng }
}

/** `places/ID/photos/REFERENCE` with its size and authors; none without those. */
function photoOf(value: unknown): readonly ClassicPhoto[] {
  const { name, heightPx, widthPx, authorAttributions } = fieldsOf(value)
  const reference = textOf(name)?.split('/photos/')[1]
  const [height, width] = [numberOf(heightPx), numberOf(widthPx)]
  if (!reference || height === undefined || width === undefined) return []
  const authors = listOf(authorAttributions).flatMap((author) => {
    const { displayName, uri } = fieldsOf(author)
    return linkOf(textOf(displayName), textOf(uri))
  })
  return [{ height, html_attributions: authors, photo_reference: reference, width }]
}

/** Whom Google had a place from. */
function attributionsOf({ attributions }: Fields): readonly string[] {
  return listOf(attributions).flatMap((attribution) => {
    const { provider, providerUri } = fieldsOf(attribution)
    return linkOf(textOf(provider), textOf(providerUri))
  })
}

function linkOf(name: string | undefined, uri: string | undefined): readonly string[] {
  if (name === undefined) return []
  return [uri === undefined ? escapeHtml(name) : `<a href="${escapeHtml(uri)}">${escapeHtml(name)}</a>`]
}
