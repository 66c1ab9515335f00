import type { FixJson, HerdJson, ProblemJson, ReportedJson, ReportJson } from '../gateways/http/shapes.ts'
import { isProblem, parseJson, readFix, readFound, readHerd, readOutcomes, readPlaces } from './answers.ts'
import type { BackoffLimits } from './backoff.ts'
import { type Attempt, HerdClosed, HerdProblem, type HerdStoreFailed } from './errors.ts'
import { type Platform, realPlatform } from './platform.ts'
import {
  type Box,
  type CallOptions,
  clientPath,
  type Found,
  type NearQuestion,
  type Places,
  type PlacesQuestion,
  type Polygon,
  pathOf,
  type Wanted,
} from './questions.ts'
import { isForLater, type Outcome, type Pressure, type QueueLimits, ReportQueue } from './report-queue.ts'
import { type ClientToken, Servers } from './servers.ts'
import { Stamps } from './stamps.ts'
import { MemoryStore, type ReportStore } from './stores/report-store.ts'
import { Watch, type WatchHandlers, type WatchQuestion } from './watch.ts'

/** How the queue is kept. */
export interface QueueOptions extends Partial<QueueLimits> {
  /** Where reports wait; in memory unless said otherwise. */
  readonly store?: ReportStore
  /** Told when the queue is over three quarters full, and when it is below a half again. */
  readonly onPressure?: (pressure: Pressure) => void
}

/** How long is waited, milliseconds. */
export interface Timeouts {
  /** For one answer of one server: 5,000. */
  readonly requestMs?: number
  /** For all servers and attempts of one question: 20,000. Reports wait for ever. */
  readonly totalMs?: number
  /** A stream that is silent for so long is dead: 35,000. Servers send something every 15 s. */
  readonly silenceMs?: number
}

/** How a client is made. */
export interface HerdClientOptions {
  /** Servers of one herd, such as `http://localhost:12000`; the first is tried first. */
  readonly servers: readonly (string | URL)[]
  /** Shown to each server; a function is asked before each request, and `null` from it shows none. */
  readonly token?: ClientToken
  readonly queue?: QueueOptions
  readonly timeouts?: Timeouts
  /** How long servers that failed are left alone: 200 ms at first, 10 s at most. */
  readonly backoff?: Partial<BackoffLimits>
  /** Instead of the platform's own. */
  readonly platform?: Partial<Platform>
}

/** What a client tells of itself. */
export interface HerdClientEvents {
  /** This server answers; also when another one did before. */
  readonly online: (server: string) => void
  /** No server answers. */
  readonly offline: (attempts: readonly Attempt[]) => void
  /** So many reports wait now. */
  readonly queued: (queued: number) => void
  /** A server has taken a report. */
  readonly reported: (reported: ReportedJson, report: ReportJson) => void
  /** A report was refused for good; it waits no longer. */
  readonly refused: (problem: HerdProblem, report: ReportJson) => void
  /** What was sent could not be forgotten; it will be sent once more. */
  readonly storeFailed: (error: HerdStoreFailed) => void
}

/** The usual bounds of the queue. */
export const QUEUE_LIMITS: QueueLimits = { reportsMax: 10_000, charactersMax: 8 * 1024 * 1024 }
const BACKOFF: BackoffLimits = { firstMs: 200, mostMs: 10_000 }
const REQUEST_MS = 5000
const TOTAL_MS = 20_000
const SILENCE_MS = 35_000
const CLOSE_MS = 5000
/** Providers of places take their time. */
const PLACES_MS_MIN = 12_000

type EventName = keyof HerdClientEvents

/**
 * A herd, as those see it who report to it, ask it and watch it: whichever of its servers answers. Questions go to the next server
 * when one fails. Reports wait in a queue until a server takes them.
 */
export class HerdClient {
  readonly #platform: Platform
  readonly #servers: Servers
  readonly #queue: ReportQueue
  readonly #options: HerdClientOptions
  readonly #listeners: { readonly [Name in EventName]: Set<HerdClientEvents[Name]> } = {
    ...{ online: new Set(), offline: new Set(), queued: new Set() },
    ...{ reported: new Set(), refused: new Set(), storeFailed: new Set() },
  }
  readonly #watches = new Set<Watch>()
  readonly #closing = new AbortController()
  readonly #forgetNetwork: () => void
  #closed: Promise<readonly ReportJson[]> | null = null
  #pauseMs = 0

  /** @throws {TypeError} when an address is none. */
  constructor(options: HerdClientOptions) {
    const { servers, token = null, queue = {}, timeouts: { requestMs = REQUEST_MS } = {} } = options
    const { store = new MemoryStore(), onPressure = () => {}, ...limits } = queue
    this.#options = options
    this.#platform = { ...realPlatform, ...options.platform }
    this.#servers = new Servers({ servers, token, requestMs, backoff: this.#backoff }, this.#platform, {
      online: (server) => this.#emit('online', (listener) => listener(server)),
      offline: (attempts) => this.#emit('offline', (listener) => listener(attempts)),
    })
    const { nowMs, random } = this.#platform
    this.#queue = new ReportQueue({
      store,
      limits: { ...QUEUE_LIMITS, ...limits },
      stamps: new Stamps(nowMs, random().toString(36).slice(2, 10).padEnd(8, '0')),
      send: (reports, signal) => this.#send(reports, signal),
      onQueued: (queued) => this.#emit('queued', (listener) => listener(queued)),
      onPressure: (pressure) => this.#tell(() => onPressure(pressure)),
      onReported: (reported, report) => this.#emit('reported', (listener) => listener(reported, report)),
      onRefused: (problem, report) => this.#emit('refused', (listener) => listener(problem, report)),
      onStoreFailed: (error) => this.#emit('storeFailed', (listener) => listener(error)),
    })
    this.#forgetNetwork = this.#platform.onNetwork(() => this.#servers.retryNow())
  }

  /** Whether a server answered when one was asked last; `null`: none was asked yet. */
  get isOnline(): boolean | null {
    return this.#servers.isOnline
  }

  /** The address of the server that answers; `null`: none does. */
  get server(): string | null {
    return this.#servers.current
  }

  /** How many reports wait. */
  get queued(): number {
    return this.#queue.queued
  }

  /** Listens. @returns takes that back. */
  on<Name extends EventName>(name: Name, listener: HerdClientEvents[Name]): () => void {
    this.#listeners[name].add(listener)
    return () => this.#listeners[name].delete(listener)
  }

  /**
   * Reports where a client is. Without a time, it is there now: the report is stamped at once, whenever it is sent.
   *
   * @returns what became of it, once a server has taken it, however long that takes. Wait for it, or listen to `refused`.
   * @throws {HerdProblem} when it is refused for good. @throws {HerdQueueFull} when no more may wait: nothing was kept.
   * @throws {HerdStoreFailed} when the queue's store can't keep it. @throws {HerdClosed} when the client is closed before.
   */
  report(report: ReportJson): Promise<ReportedJson> {
    if (this.#closed !== null) return Promise.reject(new HerdClosed('the report was not kept'))
    return this.#queue.add(report)
  }

  /** Resolves when no report waits any more. */
  sent(): Promise<void> {
    return this.#queue.emptied()
  }

  /** The newest fix of a client; `null`: nobody has heard of it. */
  async get(client: string, options?: CallOptions): Promise<FixJson | null> {
    try {
      return await this.#ask(clientPath(client), readFix, options)
    } catch (error) {
      if (error instanceof HerdProblem && error.code === 'unknown-client') return null
      throw error
    }
  }

  /** Who is near a place or a client, the nearest first. */
  near(question: NearQuestion, options?: CallOptions): Promise<Found> {
    return this.#ask(pathOf('/v1/near', { ...question }), readFound, options)
  }

  /** Who is within a box or polygon, by ID. */
  within(area: Box | Polygon, wanted: Wanted = {}, options?: CallOptions): Promise<Found> {
    if ('type' in area) {
      return this.#ask(pathOf('/v1/within', { ...wanted }), readFound, options, {
        body: JSON.stringify(area),
      })
    }
    return this.#ask(pathOf('/v1/within', { box: area.join(','), ...wanted }), readFound, options)
  }

  /** Places near a client. */
  async places(client: string, question: PlacesQuestion = {}, options?: CallOptions): Promise<Places> {
    const path = pathOf(`${clientPath(client)}/places`, { ...question })
    const requestMs = Math.max(PLACES_MS_MIN, this.#options.timeouts?.requestMs ?? 0)
    return await this.#ask(path, readPlaces, options, { requestMs })
  }

  /** The herd as the server sees it that answers: servers, links, how they are, whether their tables agree. */
  state(options?: CallOptions): Promise<HerdJson> {
    return this.#ask('/v1/herd', readHerd, options)
  }

  /**
   * Watches: fixes as they come. Hand in handlers, or iterate: `for await (const { type, fix } of herd.watch())`.
   *
   * @throws {TypeError} when the question makes no sense. @throws {HerdClosed}
   */
  watch(question: WatchQuestion = {}, handlers: WatchHandlers | null = null): Watch {
    this.#checkOpen()
    const watch = new Watch(question, handlers, {
      servers: this.#servers,
      platform: this.#platform,
      silenceMs: this.#options.timeouts?.silenceMs ?? SILENCE_MS,
      backoff: this.#backoff,
      tell: (call) => this.#tell(call),
    })
    this.#watches.add(watch)
    void watch.ended.then(() => this.#watches.delete(watch))
    return watch
  }

  /**
   * Ends everything: watches and questions at once, reports when they are sent.
   *
   * @param options `withinMs`: how long to wait for reports that wait; 5,000 unless said otherwise.
   * @returns the reports that no server is known to have taken. A store that lasts keeps them for the next client.
   */
  close({ withinMs = CLOSE_MS }: { readonly withinMs?: number } = {}): Promise<readonly ReportJson[]> {
    this.#closed ??= this.#close(withinMs)
    return this.#closed
  }

  async #close(withinMs: number): Promise<readonly ReportJson[]> {
    this.#closing.abort(new HerdClosed('it was not answered'))
    for (const watch of this.#watches) watch.close()
    if (this.#queue.queued > 0 && withinMs > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.#platform.after(withinMs, resolve)
        void this.#queue.emptied().then(() => {
          cancel()
          resolve()
        })
      })
    }
    this.#forgetNetwork()
    return this.#queue.close()
  }

  get #backoff(): BackoffLimits {
    return { ...BACKOFF, ...this.#options.backoff }
  }

  #checkOpen(): void {
    if (this.#closed !== null) throw new HerdClosed('nothing can be asked')
  }

  async #ask<Answer>(
    path: string,
    read: (json: unknown) => Answer,
    { signal }: CallOptions = {},
    more: { readonly body?: string; readonly requestMs?: number } = {},
  ): Promise<Answer> {
    this.#checkOpen()
    const closing = this.#closing.signal
    return await this.#servers.ask({
      ...more,
      path,
      totalMs: this.#options.timeouts?.totalMs ?? TOTAL_MS,
      signal: signal === undefined ? closing : AbortSignal.any([signal, closing]),
      read: async (response) => read(parseJson(await response.text())),
    })
  }

  /** Sends a batch, to one server after the other, until one has taken it. */
  async #send(reports: readonly ReportJson[], signal: AbortSignal): Promise<readonly Outcome[]> {
    if (this.#pauseMs > 0) await this.#servers.sleep(this.#pauseMs, signal)
    const clients = reports.map(({ client }) => client)
    const beganMs = this.#platform.elapsedMs()
    const { answers, server } = await this.#servers.ask({
      ...{ path: '/v1/fixes', body: JSON.stringify(reports), totalMs: Number.POSITIVE_INFINITY, signal },
      read: async (response, from) => ({
        answers: readOutcomes(parseJson(await response.text()), clients),
        server: from.server,
      }),
    })
    const outcomes = answers.map(outcomeOf)
    const later = answers.filter(isProblem).filter(isForLater)
    // It may have taken some: but what it can't take now goes to the next one, or back to it after a while.
    const unable = later.find(({ status }) => status >= 500 && status !== HELD_TOO_LATE)
    if (unable !== undefined) this.#servers.leave(server, unable.detail, beganMs)
    const isTooFast = later.length > 0 && unable === undefined
    this.#pauseMs = isTooFast ? Math.min(BACKOFF.mostMs, Math.max(PAUSE_MS_MIN, this.#pauseMs * 2)) : 0
    return outcomes
  }

  #emit<Name extends EventName>(name: Name, call: (listener: HerdClientEvents[Name]) => void): void {
    for (const listener of this.#listeners[name]) this.#tell(() => call(listener))
  }

  /** Calls somebody else's function: what it throws is thrown where nothing of ours is in the way. */
  #tell(call: () => void): void {
    try {
      call()
    } catch (error) {
      this.#platform.after(0, () => {
        throw error
      })
    }
  }
}

/** The report was taken, but is not held as widely as the herd wants. */
const HELD_TOO_LATE = 504
const PAUSE_MS_MIN = 250

function outcomeOf(answer: ReportedJson | ProblemJson): Outcome {
  if (!isProblem(answer)) return { became: 'taken', reported: answer }
  if (isForLater(answer)) return { became: 'later' }
  return { became: 'refused', problem: new HerdProblem(answer) }
}
