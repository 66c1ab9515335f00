/** Stands in front of a provider that isn't ours: whatever that throws or gives is a body or a `ProviderFailed`. */
import type { PlacesLimits } from './limits.ts'
import {
  type KeepingTerms,
  type NextCall,
  type PlacesBody,
  type PlacesQuery,
  type Provider,
  ProviderFailed,
} from './provider.ts'
import type { PlacesWorld } from './world.ts'

/** The limits that it holds a provider to by itself; the others stand around any provider. */
export type GuardLimits = Pick<PlacesLimits, 'tryMsMax' | 'bodyBytesMax'>

/** Time for a provider to close, milliseconds: then the server goes on without it. */
export const CLOSE_MS_MAX = 2_000

/** A provider of the user's own. */
export class GuardedProvider implements Provider {
  readonly name: string
  readonly local: boolean
  readonly snaps: boolean
  readonly keeping: KeepingTerms | undefined
  readonly #provider: Provider
  readonly #limits: GuardLimits
  readonly #world: PlacesWorld

  constructor(
    provider: Provider,
    { limits, world }: { readonly limits: GuardLimits; readonly world: PlacesWorld },
  ) {
    const { name, local, snaps, keeping } = provider
    this.name = name
    this.local = local
    this.snaps = snaps
    this.keeping = local || keeping === undefined ? undefined : { ...keeping }
    this.#provider = provider
    this.#limits = limits
    this.#world = world
  }

  async search(query: PlacesQuery, signal: AbortSignal, nextCall?: NextCall): Promise<PlacesBody> {
    try {
      const searched = this.local ? this.#inTime(query) : this.#provider.search(query, signal, nextCall)
      return this.#checked(await searched)
    } catch (error) {
      if (error instanceof ProviderFailed) throw error
      // What it says may have anything in it, so it is for the log alone.
      const cause = new Error(
        error instanceof Error ? `${error.name}: ${error.message}` : 'no Error was thrown',
      )
      throw new ProviderFailed(`${this.name} failed.`, 'UNKNOWN_ERROR', { cause })
    }
  }

  /** Never rejects, and never takes longer than `CLOSE_MS_MAX`. */
  async close(): Promise<void> {
    const late = Promise.withResolvers<void>()
    const stopTimer = this.#world.after(CLOSE_MS_MAX, late.resolve)
    try {
      await Promise.race([this.#provider.close?.(), late.promise])
    } catch {
      // The server is stopping: there is nothing left that could go wrong by it.
    } finally {
      stopTimer()
    }
  }

  /** Around one that is local stands no time limit: ours keep to themselves that they answer at once. */
  async #inTime(query: PlacesQuery): Promise<PlacesBody> {
    const { tryMsMax } = this.#limits
    const late = Promise.withResolvers<never>()
    const abort = new AbortController()
    const stopTimer = this.#world.after(tryMsMax, () => {
      const failure = new ProviderFailed(
        `${this.name} did not answer within ${tryMsMax} ms.`,
        'UNKNOWN_ERROR',
      )
      late.reject(failure)
      abort.abort(failure)
    })
    try {
      return await Promise.race([this.#provider.search(query, abort.signal), late.promise])
    } finally {
      stopTimer()
    }
  }

  /** A body as it must be, and nothing besides. */
  #checked(body: Partial<Record<keyof PlacesBody, unknown>> | undefined): PlacesBody {
    const { text, status, list = 'results', usd = 0 } = body ?? {}
    const wrong = (what: string): ProviderFailed =>
      new ProviderFailed(`${this.name} answered with ${what}.`, 'UNKNOWN_ERROR')
    if (typeof text !== 'string' || typeof status !== 'string') throw wrong('no text and status')
    if (list !== 'results' && list !== 'data') throw wrong('a list that is neither results nor data')
    if (typeof usd !== 'number' || !(usd >= 0 && usd < Number.POSITIVE_INFINITY)) {
      throw wrong('a price that is no number of 0 or more')
    }
    const { bodyBytesMax } = this.#limits
    if (Buffer.byteLength(text) > bodyBytesMax) throw wrong(`more than ${bodyBytesMax} bytes`)
    return { text, status, list, usd }
  }
}
