/**
 * One try of one HTTP request for a provider: bounded, never redirected, with every error made a `ProviderFailed`
 * that has no secret in it. Retries, time limits and budgets stand around the provider, not here.
 */
import { isUtf8 } from 'node:buffer'
import { pipeline, type Readable } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { type Dispatcher, EnvHttpProxyAgent, Pool } from 'undici'
import { type FailureStatus, ProviderFailed } from '../provider.ts'
import { type ProxyEnvironment, proxiesOf } from './proxies.ts'
import { redactionOf } from './redaction.ts'

/** Time for a connection, its name's look-up and TLS included, and as long for a proxy to make it, milliseconds. */
export const CONNECT_MS_MAX = 2_000
/** Connections to a source at a time; further requests wait for one, within their own time limit. */
export const CONNECTIONS_MAX = 16
/** How long a connection that nobody uses is kept open, milliseconds. */
const KEEP_ALIVE_MS = 30_000
/** What is read of the body of an HTTP failure, bytes: enough for any API's explanation. */
const EXPLANATION_BYTES_MAX = 64 * 1024
/** What is passed on of a source's explanation, characters. */
const EXPLANATION_LENGTH_MAX = 300
/** A source that asks us to wait longer asks for this, milliseconds. */
export const WAIT_MS_MAX: number = 24 * 3600 * 1_000
/** How deep in an error's causes one looks for words. */
const CAUSES_MAX = 4

const POOL: Pool.Options = {
  connectTimeout: CONNECT_MS_MAX,
  connections: CONNECTIONS_MAX,
  pipelining: 1,
  keepAliveTimeout: KEEP_ALIVE_MS,
  allowH2: false, // One slow answer must not hold up others on its connection.
}

/** What an API's own error body says. */
export interface Explanation {
  readonly status?: FailureStatus | undefined
  readonly message?: string | undefined
}

/** What an asker is made of. */
export interface HttpAskerOptions {
  /** What messages call the source: `Google`. */
  readonly source: string
  /** A body, uncompressed, bytes. What comes beyond is never kept. */
  readonly bodyBytesMax: number
  /** Milliseconds since the POSIX epoch, for dates in `Retry-After`. */
  readonly wallMs: () => number
  /** What must be in no message, cause or body. */
  readonly secrets?: readonly string[]
  /** Reads the body of an HTTP failure; undefined when it explains nothing. */
  readonly explain?: (text: string) => Explanation | undefined
  /** Where the proxy stands that is to be used, if any: the process's environment by default. */
  readonly env?: ProxyEnvironment
}

/** A request. */
export interface HttpAsk {
  readonly method: 'GET' | 'POST'
  readonly url: URL
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

/** Asks one source. */
export class HttpAsker {
  readonly #source: string
  readonly #bodyBytesMax: number
  readonly #wallMs: () => number
  readonly #explain: (text: string) => Explanation | undefined
  /** For what an answer brings. */
  readonly #redact: (text: string) => string
  /** For what is said of a failure. A proxy's password may be a word of any answer, so it is looked for only there. */
  readonly #redactFailure: (text: string) => string
  readonly #agent: Dispatcher

  /** @throws {ProxyUnusable} */
  constructor({ source, bodyBytesMax, wallMs, secrets = [], explain, env = process.env }: HttpAskerOptions) {
    this.#source = source
    this.#bodyBytesMax = bodyBytesMax
    this.#wallMs = wallMs
    this.#explain = explain ?? (() => undefined)
    const { secrets: proxySecrets, ...proxies } = proxiesOf(env)
    this.#redact = redactionOf(secrets)
    this.#redactFailure = redactionOf([...secrets, ...proxySecrets])
    this.#agent = new EnvHttpProxyAgent({
      ...{ ...POOL, ...proxies },
      // The connections to a proxy are bounded like any others …
      factory: (origin, options) => new Pool(origin, Object.assign({}, POOL, options)),
      // … and those that are still to become a tunnel are given up like one that isn't made in time.
      clientFactory: (origin, options) =>
        new Pool(origin, { ...POOL, headersTimeout: CONNECT_MS_MAX, ...options }),
    })
  }

  /**
   * The text of a success (HTTP 2xx), without the secrets.
   *
   * @throws {ProviderFailed} in any other case. When `signal` is aborted with a `ProviderFailed`, that one.
   */
  async ask(ask: HttpAsk, signal: AbortSignal): Promise<string> {
    let reply: Dispatcher.ResponseData
    try {
      signal.throwIfAborted()
      reply = await this.#request(ask, signal)
    } catch (error) {
      throw this.#broken(error, signal)
    }
    const isSuccess = reply.statusCode >= 200 && reply.statusCode < 300
    return isSuccess ? await this.#success(reply, signal) : await this.#refused(reply)
  }

  /** Ends every connection; asks under way fail. */
  async close(): Promise<void> {
    await this.#agent.destroy()
  }

  /** A failure that this source's answer has, though HTTP knows none. Its message begins with the source's name. */
  failed(says: string, status: FailureStatus, options?: { readonly mayRetry?: boolean }): ProviderFailed {
    return new ProviderFailed(this.#redactFailure(`${this.#source} ${says}`), status, options)
  }

  /** It answered with something that isn't what its API has. */
  malformed(): ProviderFailed {
    return this.failed('answered with malformed JSON.', 'UNKNOWN_ERROR')
  }

  #request({ method, url, headers, body }: HttpAsk, signal: AbortSignal): Promise<Dispatcher.ResponseData> {
    const { promise, resolve, reject } = Promise.withResolvers<Dispatcher.ResponseData>()
    // A request that waits for a connection hears of the signal only when it gets one. Who asked is told at once.
    const stop = (): void => reject(new Error('stopped'))
    signal.addEventListener('abort', stop, { once: true })
    this.#agent
      .request({
        origin: url.origin,
        path: url.pathname + url.search,
        method,
        headers: { accept: 'application/json', 'accept-encoding': 'gzip', ...headers },
        body: body ?? null,
        signal,
      })
      .then(resolve, reject)
      .finally(() => signal.removeEventListener('abort', stop))
    return promise
  }

  async #success(reply: Dispatcher.ResponseData, signal: AbortSignal): Promise<string> {
    try {
      const bytes = await this.#read(reply, this.#bodyBytesMax)
      if (!isUtf8(bytes)) throw this.malformed()
      return this.#redact(bytes.toString('utf8'))
    } catch (error) {
      throw error instanceof ProviderFailed ? error : this.#broken(error, signal)
    }
  }

  /** Reads a body, and stops at the bound. */
  async #read(reply: Dispatcher.ResponseData, bytesMax: number): Promise<Buffer> {
    const chunks: Buffer[] = []
    let bytes = 0
    for await (const chunk of this.#uncompressed(reply)) {
      // Leaving the loop destroys the stream, and that closes the connection.
      if (!Buffer.isBuffer(chunk)) throw this.malformed()
      bytes += chunk.length
      if (bytes > bytesMax) throw this.failed(`answered with more than ${bytesMax} bytes.`, 'UNKNOWN_ERROR')
      chunks.push(chunk)
    }
    return Buffer.concat(chunks)
  }

  #uncompressed({ headers, body }: Dispatcher.ResponseData): Readable {
    const encoding = headerOf(headers, 'content-encoding')?.toLowerCase() ?? 'identity'
    if (encoding === 'identity') return body
    if (encoding === 'gzip' || encoding === 'x-gzip') return pipeline(body, createGunzip(), () => undefined)
    body.on('error', () => undefined).destroy()
    throw this.failed('answered in an encoding that was not asked for.', 'UNKNOWN_ERROR')
  }

  /** An HTTP failure: what its status says, or its body says better. */
  async #refused(reply: Dispatcher.ResponseData): Promise<never> {
    const { statusCode: status, headers } = reply
    let says: Explanation | undefined
    try {
      says = this.#explain(
        this.#redactFailure((await this.#read(reply, EXPLANATION_BYTES_MAX)).toString('utf8')),
      )
    } catch {
      // Cut off, too long or no text: the status alone must do.
    }
    const reason = says?.message?.trim().slice(0, EXPLANATION_LENGTH_MAX)
    throw new ProviderFailed(
      `${this.#source} answered with HTTP status ${status}${reason ? `: ${reason}` : '.'}`,
      says?.status ?? legacyStatus(status),
      { mayRetry: status === 429 || status >= 500, waitMs: this.#waitMs(headers) },
    )
  }

  /** `Retry-After` is a number of seconds or a date; X tells in `x-rate-limit-reset` the second at which to go on. */
  #waitMs(headers: Dispatcher.ResponseData['headers']): number {
    const after = headerOf(headers, 'retry-after')?.trim()
    const reset = headerOf(headers, 'x-rate-limit-reset')?.trim() ?? ''
    if (after !== undefined && /^\d{1,9}$/.test(after)) return Math.min(WAIT_MS_MAX, Number(after) * 1_000)
    const dateMs = Date.parse(after ?? '')
    const untilMs = Number.isNaN(dateMs) && /^\d{1,12}$/.test(reset) ? Number(reset) * 1_000 : dateMs
    return Number.isNaN(untilMs) ? 0 : Math.min(WAIT_MS_MAX, Math.max(0, untilMs - this.#wallMs()))
  }

  /** No answer, or not all of one. */
  #broken(error: unknown, signal: AbortSignal): ProviderFailed {
    if (signal.aborted) {
      const reason: unknown = signal.reason
      return reason instanceof ProviderFailed
        ? reason
        : this.failed('was not waited for any longer.', 'UNKNOWN_ERROR')
    }
    // A new error: those of the network may carry the request in their properties.
    const cause = new Error(this.#redactFailure(wordsOf(error)))
    const message = `The connection to ${this.#source} failed.`
    return new ProviderFailed(message, 'UNKNOWN_ERROR', { cause, mayRetry: true })
  }
}

/** What an error and its causes say. */
function wordsOf(error: unknown): string {
  const said: string[] = []
  for (let link = error; link instanceof Error && said.length < CAUSES_MAX; link = link.cause) {
    // The error of several addresses that were tried says nothing itself.
    const inner: unknown = link instanceof AggregateError ? link.errors[0] : undefined
    said.push(link.message || (inner instanceof Error ? inner.message : link.name))
  }
  return said.join(': ')
}

function headerOf(headers: Dispatcher.ResponseData['headers'], name: string): string | undefined {
  const value = headers[name]
  return typeof value === 'string' ? value : value?.[0]
}

function legacyStatus(httpStatus: number): FailureStatus {
  if (httpStatus === 402 || httpStatus === 429) return 'OVER_QUERY_LIMIT'
  if (httpStatus === 401 || httpStatus === 403) return 'REQUEST_DENIED'
  return httpStatus === 400 ? 'INVALID_REQUEST' : 'UNKNOWN_ERROR'
}
