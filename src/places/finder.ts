/**
 * Asks a provider for places the way a good citizen does: never twice for the same thing at once, not again
 * while an answer is fresh, and never beyond the limits. It always has a text for the client.
 */
import { LRUCache } from 'lru-cache'
import { CallBudget } from './call-budget.ts'
import { cutAt, findResults, type ResultsSpan, squeezeNewlines, toClassicJson } from './json-text.ts'
import type { PlacesLimits } from './limits.ts'
import { type Area, type PlacesBody, type Provider, ProviderFailed } from './provider.ts'
import type { PlacesWorld } from './world.ts'

/** How long an answer is kept, milliseconds, by its status. What isn't listed isn't kept. */
const KEPT_MS: ReadonlyMap<string, number> = new Map([
  ['OK', 300_000],
  ['ZERO_RESULTS', 60_000],
  ['INVALID_REQUEST', 60_000],
])
/** Stands until an answer's own time is known. */
const KEPT_MS_DEFAULT = 60_000

/** A signal for providers that answer from memory. */
const NEVER = new AbortController().signal

/** What happened so far. Each ask is one of a call, a hit, coalesced or refused. */
export interface PlacesCounters {
  /** Asks of clients. */
  readonly asks: number
  /** Asks that went on to the provider. */
  readonly calls: number
  /** Asks answered from the cache. */
  readonly hits: number
  /** Asks that joined one for the same area under way. */
  readonly coalesced: number
  /** Asks that a limit of ours turned away. */
  readonly refused: number
  /** Calls that failed. */
  readonly errors: number
}

/** What a finder is made of. */
export interface PlacesFinderOptions {
  readonly provider: Provider
  readonly limits: PlacesLimits
  readonly world: PlacesWorld
  /** Calls in a UTC day; 0: no limit. */
  readonly callsPerDayMax?: number
  /** Hears of each failed call, for the log. No key or URL is in it. */
  readonly onFailed?: (failure: ProviderFailed) => void
}

/** A provider's answer, squeezed and scanned once, cut often. */
interface Answer {
  readonly text: string
  readonly results: ResultsSpan
  readonly status: string
}

/** A limit of ours forbids the call. Not the provider's failure, so not counted or logged as one. */
class Refused extends ProviderFailed {
  constructor(message: string) {
    super(message, 'OVER_QUERY_LIMIT')
  }
}

/** Answers asks for places out of one provider. */
export class PlacesFinder {
  readonly #provider: Provider
  readonly #limits: PlacesLimits
  readonly #world: PlacesWorld
  readonly #onFailed: (failure: ProviderFailed) => void
  readonly #budget: CallBudget
  readonly #cache: LRUCache<string, Answer, Area>
  readonly #counters = { asks: 0, calls: 0, hits: 0, coalesced: 0, refused: 0, errors: 0 }
  #inFlight = 0

  constructor({
    provider,
    limits,
    world,
    callsPerDayMax = 0,
    onFailed = () => undefined,
  }: PlacesFinderOptions) {
    this.#provider = provider
    this.#limits = limits
    this.#world = world
    this.#onFailed = onFailed
    this.#budget = new CallBudget(limits.callsPerSecondMax, callsPerDayMax, world.nowMs())
    this.#cache = new LRUCache<string, Answer, Area>({
      max: limits.cacheEntriesMax,
      maxSize: limits.cacheBytesMax,
      // What is too large for the cache is given to all who wait, but not stored. So is what may not be kept.
      sizeCalculation: (answer, key) =>
        KEPT_MS.has(answer.status) ? bytesOf(answer, key) : limits.cacheBytesMax + 1,
      ttl: KEPT_MS_DEFAULT,
      ttlResolution: 0, // Otherwise it would set a timer to forget the time again.
      perf: { now: () => world.nowMs() },
      // Under pressure the cache drops an ask under way; those who wait for it still get its answer.
      ignoreFetchAbort: true,
      fetchMethod: async (_key, _stale, { options, context }) => {
        const answer = await this.#call(context)
        options.ttl = KEPT_MS.get(answer.status) ?? KEPT_MS_DEFAULT
        return answer
      },
    })
  }

  /** What happened so far. */
  get counters(): PlacesCounters {
    return { ...this.#counters }
  }

  /**
   * Finds places: a Nearby Search (legacy) body with at most `items` results, without adjacent newlines and
   * without one at its end. It never rejects; what goes wrong is told in such a body too.
   */
  async find(area: Area, items: number): Promise<string> {
    this.#counters.asks++
    try {
      const status: LRUCache.Status<string, Answer, Area> = {}
      const asked = this.#cache.fetch(keyOf(this.#provider, area), { context: area, status })
      if (status.fetch === 'hit') this.#counters.hits++
      if (status.fetch === 'inflight') this.#counters.coalesced++
      const answer = await asked
      if (answer === undefined)
        throw new ProviderFailed('The places provider gave no answer.', 'UNKNOWN_ERROR')
      return cutAt(answer.text, answer.results, items)
    } catch (error) {
      return failureBody(asProviderFailed(error))
    }
  }

  /** One call to the provider, within the limits. */
  async #call(area: Area): Promise<Answer> {
    this.#admit()
    this.#counters.calls++
    this.#inFlight++
    try {
      const body = this.#provider.local
        ? await this.#provider.search({ ...area, rank: 'distance' }, NEVER)
        : await this.#search(area)
      const text = squeezeNewlines(body.text)
      return { text, results: findResults(text), status: body.status }
    } catch (error) {
      this.#counters.errors++
      const failure = asProviderFailed(error)
      this.#onFailed(failure)
      throw failure
    } finally {
      this.#inFlight--
    }
  }

  /** @throws {Refused} when a limit forbids one more call. */
  #admit(): void {
    if (this.#provider.local) return
    const { asksInFlightMax } = this.#limits
    if (this.#inFlight >= asksInFlightMax) {
      this.#refuse(
        `This server has ${asksInFlightMax} asks for places under way (asksInFlightMax): ask again soon.`,
      )
    }
    const verdict = this.#budget.take(this.#world.nowMs(), this.#world.wallMs())
    if (verdict === 'callsPerSecondMax') {
      this.#refuse('This server asks for places no faster (callsPerSecondMax): ask again soon.')
    }
    if (verdict === 'callsPerDayMax') {
      this.#refuse("This server's asks for places are used up (callsPerDayMax): ask again after 00:00 UTC.")
    }
  }

  #refuse(message: string): never {
    this.#counters.refused++
    throw new Refused(message)
  }

  /** The provider's own answer, or a failure when the time for all of it is up, even if it ignores the signal. */
  async #search(area: Area): Promise<PlacesBody> {
    const { totalMsMax } = this.#limits
    const late = Promise.withResolvers<never>()
    const abort = new AbortController()
    const stopTimer = this.#world.after(totalMsMax, () => {
      const message = `The places provider did not answer within ${totalMsMax} ms.`
      late.reject(new ProviderFailed(message, 'UNKNOWN_ERROR'))
      abort.abort()
    })
    try {
      return await Promise.race([
        this.#provider.search({ ...area, rank: 'distance' }, abort.signal),
        late.promise,
      ])
    } finally {
      stopTimer()
    }
  }
}

/** The API key and the number of items are kept out of it: any client's ask serves all. */
function keyOf(provider: Provider, area: Area): string {
  return `${provider.name}|${area.radiusMetres}|${area.locationText}`
}

/** What an answer takes, in bytes, from above: a string has at most two for a character. */
function bytesOf({ text, results }: Answer, key: string): number {
  return 2 * (text.length + key.length) + 8 * results.ends.length
}

function asProviderFailed(error: unknown): ProviderFailed {
  if (error instanceof ProviderFailed) return error
  return new ProviderFailed('The places provider failed.', 'UNKNOWN_ERROR', { cause: error })
}

function failureBody({ message, status }: ProviderFailed): string {
  return toClassicJson({ error_message: message, html_attributions: [], results: [], status })
}
