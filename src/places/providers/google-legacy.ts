/**
 * Google's Nearby Search (legacy): its answer is passed on as it came, failures that it tells with HTTP 200 included.
 * The API key stands in the URL of each request, so neither URLs nor foreign error messages leave the asker.
 */
import { ellipsoidMetres } from '../../locations/distance.ts'
import { classicBody } from '../classic-place.ts'
import { cutAt, findResults } from '../json-text.ts'
import type { KeepingTerms, PlacesBody, PlacesQuery, Provider } from '../provider.ts'
import { HttpAsker } from './http-asker.ts'
import { fieldsOf, listOf, numberOf, parseJson, textOf } from './json-fields.ts'

/** The public server of the legacy API. */
export const googleBaseUrl = 'https://maps.googleapis.com'

/** What Google bills for a call that it answers, US dollars, without any volume discount. */
export const GOOGLE_LEGACY_USD = 0.032

/** What Google's terms leave room for: places in memory for a short time, never on a disk. */
export const GOOGLE_KEEPING: KeepingTerms = { freshMs: 5 * 60_000, staleMs: 10 * 60_000 }

const PATH = '/maps/api/place/nearbysearch/json'
/** With `rankby=distance` the API wants a type or a keyword. Every place that it has is one of these. */
const ANY_TYPE = 'establishment'
const BILLED: ReadonlySet<string> = new Set(['OK', 'ZERO_RESULTS'])

/** What the provider is made of. */
export interface GoogleLegacyOptions {
  /** The API key, of visible ASCII characters. A secret. */
  readonly key: string
  /** Where the API is, without its path: `googleBaseUrl` by default. */
  readonly baseUrl?: string | undefined
  /** A body, uncompressed, bytes. */
  readonly bodyBytesMax: number
  /** The language of names, a tag such as `en`; Google's own choice by default. */
  readonly language?: string | undefined
  /** Milliseconds since the POSIX epoch. */
  readonly wallMs: () => number
}

/** Places from Google, by the API that new projects can't have any more. */
export class GoogleLegacyPlaces implements Provider {
  readonly name = 'google-legacy'
  readonly local = false
  readonly snaps = true
  readonly keeping: KeepingTerms = GOOGLE_KEEPING
  readonly #key: string
  readonly #endpoint: URL
  readonly #language: string | undefined
  readonly #asker: HttpAsker

  /** @throws {TypeError} when the base URL isn't one. */
  constructor({ key, baseUrl = googleBaseUrl, bodyBytesMax, language, wallMs }: GoogleLegacyOptions) {
    this.#key = key
    this.#endpoint = new URL(PATH, baseUrl)
    this.#language = language
    this.#asker = new HttpAsker({ source: 'Google', bodyBytesMax, wallMs, secrets: [key] })
  }

  async search(query: PlacesQuery, signal: AbortSignal): Promise<PlacesBody> {
    const text = await this.#asker.ask({ method: 'GET', url: this.#url(query) }, signal)
    const { status: told, results } = fieldsOf(parseJson(text))
    const status = textOf(told)
    if (status === undefined) throw this.#asker.malformed()
    const usd = BILLED.has(status) ? GOOGLE_LEGACY_USD : 0
    if (status !== 'OK' || query.rank !== 'distance') return { text, status, usd }
    return { ...cutToCircle(text, listOf(results), query), usd }
  }

  async close(): Promise<void> {
    await this.#asker.close()
  }

  #url({ locationText, radiusMetres, rank, type, keyword }: PlacesQuery): URL {
    const url = new URL(this.#endpoint)
    const put = (name: string, value: string | undefined) => value && url.searchParams.set(name, value)
    put('location', locationText)
    // The API forbids a radius here: it gives the nearest, however far they are.
    if (rank === 'distance') put('rankby', 'distance')
    else put('radius', String(radiusMetres))
    put('type', type ?? (rank === 'distance' && !keyword ? ANY_TYPE : undefined))
    put('keyword', keyword)
    put('language', this.#language)
    put('key', this.#key)
    return url
  }
}

/** Results that are sorted by distance, up to the last one in the circle. */
function cutToCircle(text: string, results: readonly unknown[], query: PlacesQuery): PlacesBody {
  const { latitude, longitude, radiusMetres } = query
  const span = findResults(text)
  const beyond = results.findIndex((result) => {
    const { geometry } = fieldsOf(result)
    const { location } = fieldsOf(geometry)
    const { lat, lng } = fieldsOf(location)
    const [latitudeThere, longitudeThere] = [numberOf(lat), numberOf(lng)]
    if (latitudeThere === undefined || longitudeThere === undefined) return true
    return ellipsoidMetres(latitude, longitude, latitudeThere, longitudeThere) > radiusMetres
  })
  if (beyond === 0) return classicBody([], [])
  return { text: beyond === -1 ? text : cutAt(text, span, beyond), status: 'OK' }
}
