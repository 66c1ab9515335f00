import { isProblem, Nonsense, parseJson } from './answers.ts'
import { Backoff, type BackoffLimits } from './backoff.ts'
import { type Attempt, HerdProblem, HerdUnreachable } from './errors.ts'
import type { Platform } from './platform.ts'

/** What is shown to servers: a token, or whoever knows it now; `null`: nobody has one yet. */
export type ClientToken = string | (() => string | null | Promise<string | null>)

/** Who is asked, and how patiently. */
export interface ServersOptions {
  readonly servers: readonly (string | URL)[]
  /** `null`, also from the function: none is shown. */
  readonly token: ClientToken | null
  /** For one answer of one server, milliseconds. */
  readonly requestMs: number
  readonly backoff: BackoffLimits
}

/** What is asked. */
export interface Ask<Answer> {
  readonly path: string
  /** JSON that is posted; without it, it is a GET. */
  readonly body?: string
  readonly accept?: string
  /** For one answer, instead of what is usual. */
  readonly requestMs?: number
  /** For all servers and attempts together. */
  readonly totalMs: number
  readonly signal?: AbortSignal
  /** Reads the answer. What it throws is the server's mistake. */
  readonly read: (response: Response, from: Answering) => Promise<Answer>
}

/** The server that answers. */
export interface Answering {
  readonly server: Server
  /** Ends the answer, if it still comes. */
  readonly abort: (reason: Error) => void
}

/** A server as this client has come to know it. */
export interface Server {
  /** Its address, without a slash at the end. */
  readonly url: string
  readonly backoff: Backoff
  /** It is left alone until then. */
  untilMs: number
  /** When it failed last. */
  failedMs: number
  reason: string
  /** It has answered since it failed. */
  isProven: boolean
  /** It said that it is catching up: better than none. */
  isBehind: boolean
}

/** What the servers tell of themselves. */
export interface ServersEvents {
  readonly online: (server: string) => void
  readonly offline: (attempts: readonly Attempt[]) => void
}

/** Whether it is up to date is asked before a server is used; that takes no longer. */
const READY_MS_MAX = 3000
/** No server is left alone for longer because it asked for that. */
const RETRY_AFTER_MS_MAX = 60_000
/** Later it may be answered. */
const TOO_EARLY: ReadonlySet<number> = new Set([425, 429])

/** A server can't answer now, and says why. */
class Unable extends Error {
  readonly waitMs: number

  constructor(message: string, waitMs: number) {
    super(message)
    this.waitMs = waitMs
  }
}

/**
 * The servers of a herd, of which one is used: any can answer anything. It stays with the one that works; one that is unreachable,
 * slow, unable (5xx), catching up or talks nonsense is left alone for a while that grows, and the next is asked.
 */
export class Servers {
  readonly #options: ServersOptions
  readonly #platform: Platform
  readonly #events: ServersEvents
  readonly #servers: readonly Server[]
  #current = 0
  /** Those that failed since any answered. */
  readonly #failed = new Set<Server>()
  #isOnline: boolean | null = null
  readonly #sleepers = new Set<() => void>()

  /** @throws {TypeError} when an address is none. */
  constructor(options: ServersOptions, platform: Platform, events: ServersEvents) {
    if (options.servers.length === 0) throw new TypeError('servers: name one at least')
    this.#options = options
    this.#platform = platform
    this.#events = events
    this.#servers = [...new Set(options.servers.map(addressOf))].map((url) => ({
      url,
      backoff: new Backoff(options.backoff, platform.random),
      untilMs: Number.NEGATIVE_INFINITY,
      failedMs: Number.NEGATIVE_INFINITY,
      reason: 'was not tried',
      isProven: false,
      isBehind: false,
    }))
  }

  /** Whether the last that was tried answered; `null`: nothing was tried. */
  get isOnline(): boolean | null {
    return this.#isOnline
  }

  /** The server that answers; `null`: none does. */
  get current(): string | null {
    return this.#isOnline === true ? (this.#servers[this.#current]?.url ?? null) : null
  }

  /** The network is back: nobody is left alone any longer. */
  retryNow(): void {
    for (const server of this.#servers) {
      server.backoff.reset()
      server.untilMs = Number.NEGATIVE_INFINITY
    }
    for (const wake of [...this.#sleepers]) wake()
  }

  /**
   * Asks one server after the other until one answers.
   *
   * @throws {HerdProblem} when one refuses. @throws {HerdUnreachable} when none answers in time. @throws the signal's reason.
   */
  async ask<Answer>(ask: Ask<Answer>): Promise<Answer> {
    const beganMs = this.#platform.elapsedMs()
    const endMs = beganMs + ask.totalMs
    let isTried = false
    for (;;) {
      ask.signal?.throwIfAborted()
      const nowMs = this.#platform.elapsedMs()
      const wakeMs = Math.min(...this.#servers.map(({ untilMs }) => untilMs))
      // Who has little time tries the likeliest, even if it is to be left alone.
      const server = this.#pick(nowMs) ?? (wakeMs >= endMs && !isTried ? this.#likeliest() : null)
      if (nowMs >= endMs || (server === null && wakeMs >= endMs)) throw this.#unreachable(nowMs - beganMs)
      if (server === null) {
        await this.sleep(wakeMs - nowMs, ask.signal)
        continue
      }
      isTried = true
      const remainingMs = endMs - nowMs
      if (!(await this.#isReady(server, remainingMs, ask.signal))) continue
      const answered = await this.#attempt(server, ask, endMs)
      if (answered !== null) return answered.answer
    }
  }

  /**
   * It answered, and failed all the same: the next is asked from now on.
   *
   * @param beganMs when was begun what failed, as `Platform.elapsedMs` has it.
   */
  leave(server: Server, reason: string, beganMs: number): void {
    this.#fail(server, reason, 0, beganMs)
  }

  /** Waits, but no longer than until the network is back. @throws the signal's reason. */
  sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        cancel()
        this.#sleepers.delete(end)
        signal?.removeEventListener('abort', end)
        if (signal?.aborted === true) reject(reasonOf(signal))
        else resolve()
      }
      const cancel = this.#platform.after(ms, end)
      this.#sleepers.add(end)
      signal?.addEventListener('abort', end)
    })
  }

  /** The one that works, or the next that isn't left alone, or one that is only behind. */
  #pick(nowMs: number): Server | null {
    const inOrder = this.#inOrder()
    const usable = inOrder.find(({ untilMs }) => untilMs <= nowMs)
    return usable ?? inOrder.find(({ isBehind }) => isBehind) ?? null
  }

  #likeliest(): Server | null {
    return this.#inOrder().toSorted((a, b) => a.untilMs - b.untilMs)[0] ?? null
  }

  #inOrder(): Server[] {
    return [...this.#servers.slice(this.#current), ...this.#servers.slice(0, this.#current)]
  }

  /** Asks a server that isn't known to work whether it is up to date. */
  async #isReady(server: Server, remainingMs: number, signal: AbortSignal | undefined): Promise<boolean> {
    if (server.isProven) return true
    // Nobody better is there: it was asked a moment ago.
    if (server.isBehind && server.untilMs > this.#platform.elapsedMs()) return true
    // What it says to that decides nothing else: who doesn't know the question is asked the real one.
    const requestMs = Math.min(READY_MS_MAX, this.#options.requestMs, remainingMs)
    const beganMs = this.#platform.elapsedMs()
    try {
      const { status } = await this.#exchange(server, { path: '/readyz', requestMs, signal }, (response) =>
        response.text().then(() => response),
      )
      if (status !== 503) {
        server.isBehind = false
        return true
      }
    } catch (error) {
      if (signal?.aborted === true) throw reasonOf(signal)
      this.#fail(server, wordsOf(error), 0, beganMs)
      return false
    }
    server.isBehind = true
    server.reason = 'is catching up'
    server.untilMs = this.#platform.elapsedMs() + server.backoff.next()
    this.#advance(server)
    return false
  }

  /** @returns `null` when the next is to be asked. */
  async #attempt<Answer>(
    server: Server,
    ask: Ask<Answer>,
    endMs: number,
  ): Promise<{ readonly answer: Answer } | null> {
    const beganMs = this.#platform.elapsedMs()
    const requestMs = Math.min(ask.requestMs ?? this.#options.requestMs, endMs - beganMs)
    try {
      const answer = await this.#exchange(server, { ...ask, requestMs }, async (response, from) => {
        if (!response.ok) throw await refusalOf(response)
        return ask.read(response, from)
      })
      this.#succeed(server)
      return { answer }
    } catch (error) {
      if (ask.signal?.aborted === true) throw reasonOf(ask.signal)
      if (error instanceof HerdProblem) {
        this.#succeed(server)
        const waitMs = this.#waitMsOf(error, server)
        if (waitMs === null || this.#platform.elapsedMs() + waitMs >= endMs) throw error
        await this.sleep(waitMs, ask.signal)
        return null
      }
      this.#fail(server, wordsOf(error), error instanceof Unable ? error.waitMs : 0, beganMs)
      return null
    }
  }

  /** How long to wait before a refused question is put again to the same server; `null`: never. */
  #waitMsOf({ status, retryAfter }: HerdProblem, { backoff }: Server): number | null {
    if (!TOO_EARLY.has(status)) return null
    return retryAfter === null ? backoff.next() : Math.max(retryAfter * 1000, backoff.next())
  }

  /** One request, one answer, in time. */
  async #exchange<Answer>(
    server: Server,
    ask: Pick<Ask<unknown>, 'path' | 'body' | 'accept'> & {
      readonly requestMs: number
      readonly signal?: AbortSignal | undefined
    },
    read: (response: Response, from: Answering) => Promise<Answer>,
  ): Promise<Answer> {
    const { body, signal, requestMs } = ask
    const { token } = this.#options
    const control = new AbortController()
    const late = new Error(`did not answer within ${Math.round(requestMs)} ms`)
    const cancel = this.#platform.after(requestMs, () => control.abort(late))
    const ended = signal === undefined ? control.signal : AbortSignal.any([control.signal, signal])
    try {
      const shown = typeof token === 'function' ? await beforeAbort(token(), ended) : token
      const response = await this.#platform.fetch(server.url + ask.path, {
        method: body === undefined ? 'GET' : 'POST',
        headers: {
          accept: ask.accept ?? 'application/json',
          ...(body !== undefined && { 'content-type': 'application/json' }),
          ...(shown !== null && { authorization: `Bearer ${shown}` }),
        },
        ...(body !== undefined && { body }),
        ...{ cache: 'no-store', credentials: 'omit', redirect: 'error', signal: ended },
      })
      return await read(response, { server, abort: (reason) => control.abort(reason) })
    } catch (error) {
      throw control.signal.aborted ? reasonOf(control.signal) : error
    } finally {
      cancel()
    }
  }

  #succeed(server: Server): void {
    // One that is behind is used for want of a better one, and asked again how it is when its time has come.
    if (!server.isBehind) {
      server.isProven = true
      server.untilMs = Number.NEGATIVE_INFINITY
      server.backoff.reset()
    }
    this.#failed.clear()
    const place = this.#servers.indexOf(server)
    if (this.#isOnline === true && this.#current === place) return
    this.#isOnline = true
    this.#current = place
    this.#events.online(server.url)
  }

  /** @param beganMs when was begun what failed: what began before another failure says nothing new. */
  #fail(server: Server, reason: string, waitMs: number, beganMs: number): void {
    server.reason = reason
    server.isProven = false
    server.isBehind = false
    this.#failed.add(server)
    if (beganMs >= server.failedMs) {
      const nowMs = this.#platform.elapsedMs()
      server.failedMs = nowMs
      server.untilMs = nowMs + Math.max(server.backoff.next(), Math.min(waitMs, RETRY_AFTER_MS_MAX))
    }
    this.#advance(server)
    if (this.#failed.size < this.#servers.length || this.#isOnline === false) return
    this.#isOnline = false
    this.#events.offline(this.#attempts())
  }

  /** The next one is asked first from now on, if this one was. */
  #advance(server: Server): void {
    if (this.#servers[this.#current] === server) this.#current = (this.#current + 1) % this.#servers.length
  }

  #attempts(): Attempt[] {
    return this.#servers.map(({ url, reason }) => ({ server: url, reason }))
  }

  #unreachable(afterMs: number): HerdUnreachable {
    return new HerdUnreachable(this.#attempts(), afterMs)
  }
}

/** An address as it is put before a path. @throws {TypeError} when it is none. */
function addressOf(address: string | URL): string {
  const url = URL.canParse(address) ? new URL(address) : null
  if (url === null || !/^https?:$/.test(url.protocol) || url.search !== '' || url.username !== '') {
    throw new TypeError(
      `servers: ${JSON.stringify(String(address))} is no address of a server, such as http://localhost:12000`,
    )
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '')
}

/** What an answer that isn't OK means: refused for good, or that this server can't. */
async function refusalOf(response: Response): Promise<Error> {
  const { status, statusText, headers } = response
  const seconds = Number(headers.get('retry-after') ?? Number.NaN)
  const retryAfter = Number.isFinite(seconds) && seconds >= 0 ? seconds : null
  const text = await response.text()
  const json = text.startsWith('{') ? parseJson(text) : null
  const problem = isProblem(json) ? { ...json, status } : null
  // 421: it doesn't go by the name that it is called by here; another may.
  if (status >= 500 || status === 408 || status === 421) {
    const detail = problem === null ? statusText : problem.detail
    return new Unable(`answered ${status}: ${detail}`, (retryAfter ?? 0) * 1000)
  }
  // A server of a herd knows its routes, and gives its reasons.
  const isRoute = problem?.type === 'urn:herd:no-such-route'
  if (status < 400 || isRoute || (problem === null && [404, 405, 501].includes(status))) {
    return new Nonsense(`is no server of a herd: it answered ${status} ${statusText}`.trimEnd())
  }
  const unexplained = { type: 'about:blank', status, detail: `the server answered ${status} ${statusText}` }
  return new HerdProblem(problem ?? unexplained, retryAfter)
}

/** Why something was aborted. */
function reasonOf({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new Error(String(reason))
}

function beforeAbort<Value>(value: Value | Promise<Value>, signal: AbortSignal): Promise<Value> {
  return new Promise((resolve, reject) => {
    signal.addEventListener('abort', () => reject(reasonOf(signal)), { once: true })
    Promise.resolve(value).then(resolve, reject)
  })
}

/** An error in words; that of `fetch` hides them in its cause. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const { cause } = error
  if (!(cause instanceof Error)) return error.message
  return `${error.message}: ${cause.message || ('code' in cause ? String(cause.code) : cause.name)}`
}
