/**
 * Google's Nearby Search (legacy): its answer is passed on as it came. It owns the API key, and must never show
 * it: the key stands in the URL of each request, so neither URLs nor foreign error messages leave this file.
 */
import { isUtf8 } from 'node:buffer'
import { defaultPlacesLimits, type PlacesLimits } from '../limits.ts'
import { type Area, type FailureStatus, type PlacesBody, type Provider, ProviderFailed } from '../provider.ts'
import type { PlacesWorld } from '../world.ts'

/** The public server of the legacy API. */
export const googleBaseUrl = 'https://maps.googleapis.com'

const PATH = '/maps/api/place/nearbysearch/json'
const BACKOFF_MS = 200
const BACKOFF_MS_MAX = 2_000
const REDACTED = '…'

/** What the provider is made of. */
export interface GoogleLegacyOptions {
  /** The API key, of visible ASCII characters. A secret. */
  readonly key: string
  /** Where the API is, without its path: `googleBaseUrl` by default. */
  readonly baseUrl?: string
  readonly limits?: Pick<PlacesLimits, 'totalMsMax' | 'tryMsMax' | 'retriesMax' | 'bodyBytesMax'>
  readonly world: PlacesWorld
}

/** One try's outcome. A try never rejects: what to do next is decided in one place. */
interface Outcome {
  readonly result: PlacesBody | ProviderFailed
  readonly mayRetry: boolean
  /** What the server asked us to wait, milliseconds. */
  readonly waitMsMin: number
}

/** Places from Google. */
export class GoogleLegacyPlaces implements Provider {
  readonly name = 'google'
  readonly local = false
  readonly snaps = true
  readonly #secrets: readonly string[]
  readonly #key: string
  readonly #endpoint: URL
  readonly #limits: Pick<PlacesLimits, 'totalMsMax' | 'tryMsMax' | 'retriesMax' | 'bodyBytesMax'>
  readonly #world: PlacesWorld

  /** @throws {TypeError} when the base URL isn't one. */
  constructor({ key, baseUrl = googleBaseUrl, limits = defaultPlacesLimits, world }: GoogleLegacyOptions) {
    this.#key = key
    const inQuery = new URLSearchParams([['', key]]).toString().slice(1)
    const spellings = [key, inQuery, encodeURIComponent(key), JSON.stringify(key).slice(1, -1)]
    this.#secrets = spellings.filter((text) => text !== '')
    this.#endpoint = new URL(PATH, baseUrl)
    this.#limits = limits
    this.#world = world
  }

  async search(area: Area, signal: AbortSignal): Promise<PlacesBody> {
    const giveUpAtMs = this.#world.nowMs() + this.#limits.totalMsMax
    for (let tries = 1; ; tries++) {
      const { result, mayRetry, waitMsMin } = await this.#try(area, signal)
      const jitterMs = this.#world.random() * Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** tries)
      const waitMs = Math.max(waitMsMin, jitterMs)
      const inTime = this.#world.nowMs() + waitMs < giveUpAtMs
      if (!mayRetry || tries > this.#limits.retriesMax || !inTime || signal.aborted) return settle(result)
      await this.#wait(waitMs, signal)
    }
  }

  async #try(area: Area, signal: AbortSignal): Promise<Outcome> {
    const late = new AbortController()
    const stopTimer = this.#world.after(this.#limits.tryMsMax, () => late.abort())
    try {
      const response = await fetch(this.#url(area), {
        redirect: 'manual', // A redirect would carry the key to wherever it points.
        signal: AbortSignal.any([signal, late.signal]),
      })
      if (!response.ok) return this.#refused(response)
      return this.#answered(await this.#read(response))
    } catch (error) {
      if (error instanceof ProviderFailed) return failed(error, false)
      const message = late.signal.aborted
        ? `Google did not answer within ${this.#limits.tryMsMax} ms.`
        : 'The connection to Google failed.'
      return failed(new ProviderFailed(message, 'UNKNOWN_ERROR', { cause: this.#harmless(error) }), true)
    } finally {
      stopTimer()
    }
  }

  #url(area: Area): URL {
    const url = new URL(this.#endpoint)
    url.searchParams.set('location', area.locationText)
    url.searchParams.set('radius', String(area.radiusMetres))
    url.searchParams.set('key', this.#key)
    return url
  }

  /** Reads the body as UTF-8 text, and stops at the bound: what comes beyond it is never kept. */
  async #read(response: Response): Promise<string> {
    const chunks: Uint8Array[] = []
    let bytes = 0
    for await (const chunk of response.body ?? []) {
      bytes += chunk.byteLength
      // Leaving the loop cancels the stream, and that closes the connection.
      if (bytes > this.#limits.bodyBytesMax) {
        throw new ProviderFailed(
          `Google's answer exceeds ${this.#limits.bodyBytesMax} bytes.`,
          'UNKNOWN_ERROR',
        )
      }
      chunks.push(chunk)
    }
    const body = Buffer.concat(chunks)
    return isUtf8(body) ? this.#redact(body.toString('utf8')) : '' // Neither is JSON.
  }

  /** An HTTP success, whose body tells how it went. */
  #answered(text: string): Outcome {
    const status = statusOf(text)
    if (status === undefined) {
      return failed(new ProviderFailed('Google answered with malformed JSON.', 'UNKNOWN_ERROR'), false)
    }
    return { result: { text, status }, mayRetry: status === 'UNKNOWN_ERROR', waitMsMin: 0 }
  }

  /** An HTTP failure; its body is of no use. */
  #refused(response: Response): Outcome {
    response.body?.cancel().catch(() => undefined) // It frees the connection; how that goes changes nothing.
    const { status } = response
    const failure = new ProviderFailed(`Google answered with HTTP status ${status}.`, legacyStatus(status))
    const waitMsMin = this.#retryAfterMs(response.headers.get('retry-after'))
    return { result: failure, mayRetry: status === 429 || status >= 500, waitMsMin }
  }

  /** `Retry-After` is a number of seconds or a date. */
  #retryAfterMs(header: string | null): number {
    if (header === null) return 0
    if (/^\d{1,9}$/.test(header)) return Number(header) * 1_000
    const atMs = Date.parse(header)
    return Number.isNaN(atMs) ? 0 : Math.max(0, atMs - this.#world.wallMs())
  }

  #wait(delayMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const stopTimer = this.#world.after(delayMs, done)
      signal.addEventListener('abort', done, { once: true })
      function done(): void {
        stopTimer()
        signal.removeEventListener('abort', done)
        resolve()
      }
    })
  }

  /** A copy of what an error says, for logs: the errors of `fetch` may carry the URL in their properties. */
  #harmless(error: unknown): Error {
    const said: string[] = []
    for (let link = error; link instanceof Error && said.length < 4; link = link.cause)
      said.push(link.message)
    return new Error(this.#redact(said.join(': ')))
  }

  #redact(text: string): string {
    return this.#secrets.reduce((clean, secret) => clean.replaceAll(secret, REDACTED), text)
  }
}

function failed(result: ProviderFailed, mayRetry: boolean): Outcome {
  return { result, mayRetry, waitMsMin: 0 }
}

function settle(result: PlacesBody | ProviderFailed): PlacesBody {
  if (result instanceof ProviderFailed) throw result
  return result
}

function legacyStatus(httpStatus: number): FailureStatus {
  if (httpStatus === 429) return 'OVER_QUERY_LIMIT'
  if (httpStatus === 401 || httpStatus === 403) return 'REQUEST_DENIED'
  return httpStatus === 400 ? 'INVALID_REQUEST' : 'UNKNOWN_ERROR'
}

/** The `status` of a legacy body, or undefined when the text isn't one. */
function statusOf(text: string): string | undefined {
  try {
    const body: unknown = JSON.parse(text)
    if (typeof body !== 'object' || body === null || !('status' in body)) return undefined
    return typeof body.status === 'string' ? body.status : undefined
  } catch {
    return undefined // The parser's own message would quote the text.
  }
}
