/** The answers of all remote providers of a server, in memory only, and the asks under way that share a call. */
import { LRUCache } from 'lru-cache'
import type { Answer } from './answer.ts'
import type { KeepingTerms, ProviderFailed } from './provider.ts'
import type { PlacesWorld } from './world.ts'

/** For a provider that says nothing of its own, milliseconds. */
const OK_FRESH_MS = 300_000
const OK_STALE_MS = 600_000
/** Nothing found, or a question that can't be answered, milliseconds. */
const NOTHING_FRESH_MS = 60_000
/** Stands until an answer's own time is known. */
const TTL_MS_DEFAULT = 60_000

/** What a call has brought: an answer, or a failure that would come again. */
export type Outcome = { readonly answer: Answer } | { readonly failure: ProviderFailed }

/** What is kept, and until when, in monotonic milliseconds. */
interface Kept {
  readonly outcome: Outcome
  readonly terms: KeepingTerms
  readonly goneAtMs: number
}

/** How an ask is answered: by a call of its own, one that it joined, or what was kept, fresh or stale. */
export interface Asked {
  readonly by: 'call' | 'join' | 'hit' | 'stale'
  /** `stale`: whether this ask began a call for a fresh one. */
  readonly isRefreshed: boolean
  readonly outcome: Promise<Outcome>
}

/** Bounds of the cache. */
export interface CacheLimits {
  readonly cacheEntriesMax: number
  /** An answer that alone is larger is given, but not kept. */
  readonly cacheBytesMax: number
}

/** One for all providers of a server. */
export class AnswerCache {
  readonly #world: PlacesWorld
  readonly #cache: LRUCache<string, Kept, () => Promise<Kept>>

  constructor({ cacheEntriesMax, cacheBytesMax }: CacheLimits, world: PlacesWorld) {
    this.#world = world
    this.#cache = new LRUCache({
      max: cacheEntriesMax,
      maxSize: cacheBytesMax,
      // What is too large for the cache is given to all who wait, but not stored. So is what may not be kept.
      sizeCalculation: (kept, key) =>
        kept.terms.freshMs + kept.terms.staleMs > 0 ? bytesOf(kept, key) : cacheBytesMax + 1,
      ttl: TTL_MS_DEFAULT,
      ttlResolution: 0, // Otherwise it would set a timer to forget the time again.
      perf: { now: () => world.nowMs() },
      // Under pressure the cache drops an ask under way; those who wait for it still get its answer.
      ignoreFetchAbort: true,
      // Nor does a call that fails drop what is stale: that is what it is kept for.
      noDeleteOnFetchRejection: true,
      fetchMethod: async (_key, _stale, { options, context }) => {
        const kept = await context()
        // 0 would be for ever.
        options.ttl = Math.max(1, Math.floor(kept.terms.freshMs))
        return kept
      },
    })
  }

  /** Answers kept, and asks under way. */
  get size(): number {
    return this.#cache.size
  }

  /** What they take, bytes. */
  get bytes(): number {
    return this.#cache.calculatedSize
  }

  /**
   * What is kept for the key, or else what `call` brings; of asks for one key at once, one calls. It begins within
   * this very turn, and the outcome rejects as the call does.
   */
  ask(key: string, keeping: KeepingTerms | undefined, call: () => Promise<Outcome>): Asked {
    const old = this.#cache.peek(key, { allowStale: true })
    const allowStale = old !== undefined && this.#world.nowMs() <= old.goneAtMs
    const status: LRUCache.Status<string, Kept, () => Promise<Kept>> = {}
    const fetched = this.#cache.fetch(key, {
      allowStale,
      status,
      context: async () => this.#toKeep(await call(), keeping),
    })
    const outcome = fetched.then(outcomeOf)
    if (status.returnedStale === true) {
      return { by: 'stale', isRefreshed: status.fetch === 'stale', outcome }
    }
    const by = status.fetch === 'hit' ? 'hit' : status.fetch === 'inflight' ? 'join' : 'call'
    return { by, isRefreshed: false, outcome }
  }

  #toKeep(outcome: Outcome, keeping: KeepingTerms | undefined): Kept {
    const terms = termsOf(outcome, keeping)
    return { outcome, terms, goneAtMs: this.#world.nowMs() + terms.freshMs + terms.staleMs }
  }
}

/** By how it went; what isn't known isn't kept. */
function termsOf(outcome: Outcome, keeping: KeepingTerms | undefined): KeepingTerms {
  const { freshMs, staleMs } = keeping ?? { freshMs: OK_FRESH_MS, staleMs: OK_STALE_MS }
  const status = 'answer' in outcome ? outcome.answer.status : outcome.failure.status
  if (status === 'OK') return { freshMs, staleMs }
  const isNothing = status === 'ZERO_RESULTS' || status === 'INVALID_REQUEST'
  return { freshMs: isNothing ? Math.min(NOTHING_FRESH_MS, freshMs) : 0, staleMs: 0 }
}

/** Only a call that is aborted brings none, and none is. */
function outcomeOf(kept: Kept | undefined): Outcome {
  if (kept === undefined) throw new TypeError('a call has brought nothing')
  return kept.outcome
}

/** What it takes, in bytes, from above: a string has at most two for a character. */
function bytesOf({ outcome }: Kept, key: string): number {
  if ('failure' in outcome) return 2 * (outcome.failure.message.length + key.length) + 1
  const { text, results } = outcome.answer
  return 2 * (text.length + key.length) + 8 * results.ends.length
}
