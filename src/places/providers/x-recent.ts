/**
 * Posts near a position, by the recent search of X: for herds whose clients expect posts instead of places. Its
 * answer is passed on as it came; the bearer token goes in a header.
 */
import { putMember } from '../json-text.ts'
import type { KeepingTerms, PlacesBody, PlacesQuery, Provider } from '../provider.ts'
import { PAGE_ITEMS } from '../provider.ts'
import { type Explanation, HttpAsker } from './http-asker.ts'
import { fieldsOf, isFields, listOf, parseJson, textOf } from './json-fields.ts'
import { wordsOf } from './place-words.ts'

/** The public server of the API. */
export const xBaseUrl = 'https://api.x.com'
/** What X bills for a post that is read, US dollars. */
export const X_USD_PER_POST = 0.005
/** The API searches within less than 40 km. */
export const X_RADIUS_METRES_MAX = 39_900

/** Posts are of the moment, and may be deleted. */
const KEEPING: KeepingTerms = { freshMs: 60_000, staleMs: 60_000 }
const PATH = '/2/tweets/search/recent'
/** The API takes no circle without an area. */
const RADIUS_METRES_MIN = 1
const CUT_MESSAGE = `X searches within less than 40 km: these posts are from within ${X_RADIUS_METRES_MAX / 1_000} km.`
const FIELDS = 'created_at,geo,author_id'
const PLACE_FIELDS = 'full_name,geo,place_type'

/** What the provider is made of. */
export interface XRecentOptions {
  /** The bearer token, of visible ASCII characters. A secret. */
  readonly token: string
  /** Where the API is, without its path: `xBaseUrl` by default. */
  readonly baseUrl?: string | undefined
  /** What the API calls the parameter that names the fields of a post: `tweet.fields` by default. */
  readonly fieldsParameter?: 'tweet.fields' | 'post.fields'
  /** A body, uncompressed, bytes. */
  readonly bodyBytesMax: number
  /** Milliseconds since the POSIX epoch. */
  readonly wallMs: () => number
}

/** Posts, the newest first whatever the rank. A type means nothing to X and is passed over. */
export class XRecent implements Provider {
  readonly name = 'x'
  readonly local = false
  readonly snaps = true
  readonly keeping: KeepingTerms = KEEPING
  readonly #endpoint: URL
  readonly #headers: Readonly<Record<string, string>>
  readonly #asker: HttpAsker

  /** @throws {TypeError} when the base URL isn't one. */
  constructor(options: XRecentOptions) {
    const { token, baseUrl = xBaseUrl, fieldsParameter = 'tweet.fields' } = options
    const { bodyBytesMax, wallMs } = options
    const url = new URL(PATH, baseUrl)
    url.searchParams.set('max_results', String(PAGE_ITEMS))
    url.searchParams.set(fieldsParameter, FIELDS)
    url.searchParams.set('expansions', 'geo.place_id,author_id')
    url.searchParams.set('place.fields', PLACE_FIELDS)
    this.#endpoint = url
    this.#headers = { authorization: `Bearer ${token}` }
    this.#asker = new HttpAsker({ source: 'X', bodyBytesMax, wallMs, secrets: [token], explain })
  }

  async search(query: PlacesQuery, signal: AbortSignal): Promise<PlacesBody> {
    const url = new URL(this.#endpoint)
    url.searchParams.set('query', searchQuery(query))
    let text = await this.#asker.ask({ method: 'GET', url, headers: this.#headers }, signal)
    const body = parseJson(text)
    const { data, meta } = isFields(body) ? body : {}
    if (data === undefined ? !isFields(meta) : !Array.isArray(data)) throw this.#asker.malformed()
    // X leaves the list out when it is empty, but clients look for it.
    if (data === undefined) text = putMember(text, 'data', [])
    if (query.radiusMetres > X_RADIUS_METRES_MAX) text = putMember(text, 'info_messages', [CUT_MESSAGE])
    const posts = listOf(data).length
    return { text, status: posts === 0 ? 'ZERO_RESULTS' : 'OK', list: 'data', usd: posts * X_USD_PER_POST }
  }

  async close(): Promise<void> {
    await this.#asker.close()
  }
}

function searchQuery({ latitude, longitude, radiusMetres, keyword }: PlacesQuery): string {
  const metres = Math.min(X_RADIUS_METRES_MAX, Math.max(RADIUS_METRES_MIN, radiusMetres))
  const circle = `point_radius:[${decimal(longitude)} ${decimal(latitude)} ${decimal(metres / 1_000)}km]`
  // In quotes, nothing of a word is an operator of the search.
  const words = wordsOf(keyword).map((word) => `"${word.replace(/["\\]/g, '')}"`)
  return [...words.filter((word) => word !== '""'), circle].join(' ')
}

/** A number without an exponent, to a centimetre on the ground. */
function decimal(value: number): string {
  return String(Number(value.toFixed(7)).toFixed(7))
    .replace(/\.?0+$/, '')
    .replace(/^-0$/, '0')
}

/** X's problems have a title and a detail; those of a wrong request, messages besides. */
function explain(text: string): Explanation {
  const { title, detail, errors } = fieldsOf(parseJson(text))
  const [first] = listOf(errors)
  const { message } = fieldsOf(first)
  return { message: textOf(message) ?? textOf(detail) ?? textOf(title) }
}
