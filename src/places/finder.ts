/**
 * Answers asks for places out of several sources: the next is asked when one fails, within one time for all of them.
 * It always has a text for the client.
 */
import type { ProviderStatus } from '../replication/status.ts'
import { Refused } from './admission.ts'
import { type Answer, AnswerFailed, asProviderFailed } from './answer.ts'
import { cutAt, insertMessages, toClassicJson } from './json-text.ts'
import type { PlacesLimits } from './limits.ts'
import type { PlacesQuery, ProviderFailed } from './provider.ts'
import type { Source } from './source.ts'
import { timeShareMs } from './time-shares.ts'
import type { PlacesWorld } from './world.ts'

/** What happened so far, of all sources together; the sources' own counters tell more. */
export interface PlacesCounters {
  /** Asks of clients. */
  readonly asks: number
  /** Asks that went on to a provider, and what a search of several calls took besides its first. */
  readonly calls: number
  /** Calls that were made again because they failed. */
  readonly retries: number
  /** Asks of providers that were answered from the cache. */
  readonly hits: number
  /** Those that were answered by what is stale. */
  readonly stale: number
  /** Asks of providers that joined one for the same area under way. */
  readonly coalesced: number
  /** Asks of providers that a limit of ours turned away. */
  readonly refused: number
  /** Calls that failed. */
  readonly errors: number
  /** Asks of clients that a later provider answered because an earlier one failed … */
  readonly failedOver: number
  /** … and that nobody answered. */
  readonly failed: number
}

/** What a finder is made of. */
export interface PlacesFinderOptions {
  /** In the order in which they are asked. */
  readonly sources: readonly Source[]
  readonly limits: Pick<PlacesLimits, 'totalMsMax' | 'tryMsMax'>
  readonly world: PlacesWorld
}

/** A source that did not answer. */
interface Miss {
  readonly source: Source
  readonly failure: ProviderFailed
}

/** Asks sources one after the other. */
export class PlacesFinder {
  readonly #options: PlacesFinderOptions
  readonly #remotes: number
  #asks = 0
  #failedOver = 0
  #failed = 0

  constructor(options: PlacesFinderOptions) {
    this.#options = options
    this.#remotes = options.sources.filter(({ local }) => !local).length
  }

  /** What happened so far. */
  get counters(): PlacesCounters {
    const all = this.#options.sources.map(({ counters }) => counters)
    const sum = (name: 'calls' | 'retries' | 'hits' | 'stale' | 'coalesced' | 'refusedAll' | 'errors') =>
      all.reduce((total, counters) => total + counters[name], 0)
    return {
      ...{ asks: this.#asks, calls: sum('calls'), retries: sum('retries'), hits: sum('hits') },
      ...{ stale: sum('stale'), coalesced: sum('coalesced'), refused: sum('refusedAll') },
      ...{ errors: sum('errors'), failedOver: this.#failedOver, failed: this.#failed },
    }
  }

  /** Each source, as `herd status` shows it. */
  get statuses(): readonly ProviderStatus[] {
    return this.#options.sources.map(({ status }) => status)
  }

  /**
   * Finds places: a Nearby Search (legacy) body, or what a source gives instead, with at most `items` results, without
   * adjacent newlines and without one at its end. It never rejects; what goes wrong is told in such a body too.
   *
   * @param address whose ask it is.
   */
  async find(query: PlacesQuery, items: number, address: string): Promise<string> {
    this.#asks++
    const misses: Miss[] = []
    const answer = await this.#firstAnswer(query, address, misses)
    const [first] = misses
    if (answer === undefined) {
      this.#failed++
      return failureText(first?.failure, items)
    }
    const text = cutAt(answer.text, answer.results, items)
    if (first === undefined) return text
    this.#failedOver++
    return insertMessages(text, misses.map(messageOf))
  }

  /** Closes every source. */
  async close(): Promise<void> {
    await Promise.all(this.#options.sources.map((source) => source.close()))
  }

  async #firstAnswer(query: PlacesQuery, address: string, misses: Miss[]): Promise<Answer | undefined> {
    const { sources, limits, world } = this.#options
    const giveUpAtMs = world.nowMs() + limits.totalMsMax
    let remotesAfter = this.#remotes
    let nothing: Answer | undefined
    for (const source of sources) {
      // Who finds nothing on this machine has answered; only another that costs nothing is asked as well.
      if (nothing !== undefined && !source.local) break
      if (!source.local) remotesAfter--
      const shareMs = timeShareMs(limits, giveUpAtMs - world.nowMs(), this.#remotes, remotesAfter)
      try {
        const answer = await source.ask(query, shareMs, address)
        if (!source.local || answer.status !== 'ZERO_RESULTS') return answer
        nothing ??= answer
      } catch (error) {
        misses.push({ source, failure: asProviderFailed(error) })
      }
    }
    return nothing
  }
}

function messageOf({ source, failure }: Miss): string {
  return `${source.name} ${failure instanceof Refused ? 'was not asked' : 'did not answer'}: ${failure.message}`
}

/** The first failure, as its source tells it where it does, else in our words. */
function failureText(failure: ProviderFailed | undefined, items: number): string {
  if (failure instanceof AnswerFailed) return cutAt(failure.answer.text, failure.answer.results, items)
  const error_message = failure?.message ?? 'This server has no provider of places.'
  const status = failure?.status ?? 'UNKNOWN_ERROR'
  return toClassicJson({ error_message, html_attributions: [], results: [], status })
}
