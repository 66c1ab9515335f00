/**
 * One provider with all that stands around it. A remote one: cache, shared calls, snapping, retries, time limits,
 * breaker, rates and budget, in this order. A local one: nothing.
 */
import type { ProviderStatus } from '../replication/status.ts'
import { Admission, type CallBudget, Refused } from './admission.ts'
import { type Answer, asProviderFailed, readAnswer } from './answer.ts'
import type { AnswerCache, Outcome } from './answer-cache.ts'
import { Breaker } from './breaker.ts'
import { type AddressRates, CallRate } from './call-rate.ts'
import type { PlacesLimits } from './limits.ts'
import { type PlacesQuery, type Provider, ProviderFailed } from './provider.ts'
import { snap } from './snapping.ts'
import { SourceCounters } from './source-counters.ts'
import { Tries } from './tries.ts'
import type { PlacesWorld } from './world.ts'

/** Somebody to ask for places. */
export interface Source {
  readonly name: string
  readonly local: boolean
  readonly counters: SourceCounters
  readonly status: ProviderStatus
  /**
   * Asks, and answers or fails within `timeMs` milliseconds.
   *
   * @param address whose ask it is. @throws {ProviderFailed}
   */
  ask(query: PlacesQuery, timeMs: number, address: string): Promise<Answer>
  /** Ends what is under way, and closes the provider. */
  close(): Promise<void>
}

/** What a source is made of. */
export interface SourceOptions {
  readonly provider: Provider
  readonly limits: PlacesLimits
  readonly world: PlacesWorld
  /** One for all sources of a server. */
  readonly cache: AnswerCache
  /** One for all sources of a server. */
  readonly addressRates: AddressRates
  /** Takes every call, retries too. Not used for a provider that is local. */
  readonly budget: CallBudget
  /** Hears of each ask that failed, for the log. No key or URL is in it. */
  readonly onFailed?: (provider: string, failure: ProviderFailed) => void
  /** Hears when the provider is left alone, and for how long. */
  readonly onBreakerOpened?: (provider: string, openMs: number) => void
}

/** Puts around a provider what belongs there. */
export function makeSource(options: SourceOptions): Source {
  return options.provider.local ? new LocalSource(options) : new RemoteSource(options)
}

/** A signal for providers that answer from this machine. */
const NEVER = new AbortController().signal
/** An ask that joined another which was refused for its address's sake asks anew, so often at most. */
const JOINS_MAX = 8

class LocalSource implements Source {
  readonly counters: SourceCounters = new SourceCounters()
  readonly local = true
  readonly #options: SourceOptions

  constructor(options: SourceOptions) {
    this.#options = options
  }

  get name(): string {
    return this.#options.provider.name
  }

  get status(): ProviderStatus {
    return this.counters.status(this.#options.provider, 'closed')
  }

  async ask(query: PlacesQuery): Promise<Answer> {
    const { provider, world, onFailed } = this.#options
    this.counters.asks++
    this.counters.calls++
    const startMs = world.nowMs()
    try {
      return readAnswer(await provider.search(query, NEVER))
    } catch (error) {
      this.counters.errors++
      const failure = asProviderFailed(error)
      onFailed?.(this.name, failure)
      throw failure
    } finally {
      this.counters.took(world.nowMs() - startMs)
    }
  }

  async close(): Promise<void> {
    await this.#options.provider.close?.()
  }
}

class RemoteSource implements Source {
  readonly counters: SourceCounters = new SourceCounters()
  readonly local = false
  readonly #options: SourceOptions
  readonly #breaker: Breaker
  readonly #admission: Admission
  readonly #tries: Tries
  #inFlight = 0

  constructor(options: SourceOptions) {
    const { provider, limits, world, budget } = options
    this.#options = options
    this.#breaker = new Breaker(limits)
    const rate = new CallRate(limits.callsPerSecondMax, world.nowMs())
    this.#admission = new Admission({ provider: provider.name, limits, breaker: this.#breaker, rate, budget })
    this.#tries = new Tries({
      ...{ provider, limits, world },
      beforeRetry: () => {
        this.#admission.again(world.nowMs())
        this.counters.retries++
      },
      onCost: (usd) => {
        this.counters.usd += usd
      },
    })
  }

  get name(): string {
    return this.#options.provider.name
  }

  get status(): ProviderStatus {
    return this.counters.status(this.#options.provider, this.#breaker.state)
  }

  async ask(query: PlacesQuery, timeMs: number, address: string): Promise<Answer> {
    const { provider, cache } = this.#options
    const { counters } = this
    counters.asks++
    const asked = provider.snaps && query.rank === 'prominence' ? snap(query) : query
    const key = keyOf(provider, asked)
    for (let joins = 1; ; joins++) {
      const { by, isRefreshed, outcome } = cache.ask(key, provider.keeping, () =>
        this.#call(asked, timeMs, address),
      )
      if (isRefreshed) counters.refreshes++
      if (by === 'hit') counters.hits++
      if (by === 'stale') counters.stale++
      if (by !== 'join') return answerOf(await outcome)
      try {
        // A call that somebody else began may take longer than this ask may.
        const answer = answerOf(await this.#within(timeMs, outcome))
        counters.coalesced++
        return answer
      } catch (error) {
        if (joins <= JOINS_MAX && this.#isOthersLimit(error, address)) continue
        counters.coalesced++
        throw error
      }
    }
  }

  async close(): Promise<void> {
    this.#tries.close()
    await this.#options.provider.close?.()
  }

  #isOthersLimit(error: unknown, address: string): boolean {
    const { addressRates, world } = this.#options
    if (!(error instanceof Refused) || error.rate === undefined) return false
    return error.rate !== addressRates.of(address, world.nowMs())
  }

  async #within(timeMs: number, outcome: Promise<Outcome>): Promise<Outcome> {
    const late = Promise.withResolvers<never>()
    const stopTimer = this.#options.world.after(timeMs, () => {
      const text = `${this.name} did not answer within ${Math.round(timeMs)} ms.`
      late.reject(new ProviderFailed(text, 'UNKNOWN_ERROR'))
    })
    try {
      return await Promise.race([outcome, late.promise])
    } finally {
      stopTimer()
    }
  }

  /** One call to the provider, within the limits. What would fail again is an outcome too, to be kept. */
  async #call(query: PlacesQuery, timeMs: number, address: string): Promise<Outcome> {
    const { limits, world, onFailed, onBreakerOpened } = this.#options
    const { counters } = this
    const startMs = world.nowMs()
    this.#admit(address, startMs)
    const watched = this.#breaker.begin()
    counters.calls++
    this.#inFlight++
    try {
      const retriesMax = watched.isTrial ? 0 : limits.retriesMax
      const answer = await this.#tries.ask(query, timeMs, retriesMax, () => this.#admitFurther(address))
      watched.succeeded()
      return { answer }
    } catch (error) {
      if (error instanceof Refused) {
        // It is our limit: the provider has answered what it was asked until then.
        watched.succeeded()
        throw error
      }
      counters.errors++
      const failure = asProviderFailed(error)
      onFailed?.(this.name, failure)
      const openMs = watched.failed(failure, world.nowMs())
      if (openMs > 0) {
        counters.breakerOpened++
        onBreakerOpened?.(this.name, openMs)
      }
      if (failure.status === 'INVALID_REQUEST') return { failure }
      throw failure
    } finally {
      this.#inFlight--
      counters.took(world.nowMs() - startMs)
    }
  }

  /** @throws {Refused} */
  #admit(address: string, nowMs: number): void {
    const rate = this.#options.addressRates.of(address, nowMs)
    this.#counted(() => this.#admission.begin(this.#inFlight, rate, nowMs))
  }

  /** @throws {Refused} */
  #admitFurther(address: string): void {
    const { addressRates, world } = this.#options
    const rate = addressRates.of(address, world.nowMs())
    this.#counted(() => this.#admission.further(rate))
    this.counters.calls++
  }

  #counted(admit: () => void): void {
    try {
      admit()
    } catch (error) {
      if (error instanceof Refused) this.counters.refused[error.limit]++
      throw error
    }
  }
}

function answerOf(outcome: Outcome): Answer {
  if ('failure' in outcome) throw outcome.failure
  return outcome.answer
}

/** Neither the API key nor the number of items is part of it: any client's ask serves all. */
function keyOf(
  provider: Provider,
  { rank, type, keyword, radiusMetres, latitude, longitude }: PlacesQuery,
): string {
  // The language is the same for all asks of a server. Texts that clients make up can't run into each other in JSON.
  return JSON.stringify([provider.name, rank, type ?? '', keyword ?? '', radiusMetres, latitude, longitude])
}
