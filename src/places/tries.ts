/** One ask of a provider: a call, and a few more when it fails in a way that passes, all within a time. */
import { type Answer, asProviderFailed, assertUsable, readAnswer } from './answer.ts'
import type { PlacesLimits } from './limits.ts'
import {
  type NextCall,
  type PlacesBody,
  type PlacesQuery,
  type Provider,
  ProviderFailed,
} from './provider.ts'
import type { PlacesWorld } from './world.ts'

const BACKOFF_MS = 200
const BACKOFF_MS_MAX = 2_000

/** What tries are made of. */
export interface TriesOptions {
  readonly provider: Provider
  readonly limits: Pick<PlacesLimits, 'tryMsMax' | 'retriesMax'>
  readonly world: PlacesWorld
  /** Asked before each retry. @throws {ProviderFailed} when none may go out. */
  readonly beforeRetry: () => void
  /** Told what each try has cost, US dollars. */
  readonly onCost: (usd: number) => void
}

/** A provider with time limits and retries around it. */
export class Tries {
  readonly #options: TriesOptions
  /** Ends what is under way: calls and the waits between them. */
  readonly #cancels = new Set<() => void>()
  #closed = false

  constructor(options: TriesOptions) {
    this.#options = options
  }

  /**
   * Asks, within `timeMs` milliseconds altogether.
   *
   * @param nextCall for what a try needs besides its first call. @throws {ProviderFailed} of the last try.
   */
  async ask(query: PlacesQuery, timeMs: number, retriesMax: number, nextCall: NextCall): Promise<Answer> {
    const { world } = this.#options
    const giveUpAtMs = world.nowMs() + timeMs
    for (let tries = 1; ; tries++) {
      try {
        return await this.#try(query, giveUpAtMs, nextCall)
      } catch (error) {
        const failure = asProviderFailed(error)
        const waitMs = this.#waitMs(tries, failure)
        const isLast = !failure.mayRetry || tries > retriesMax || this.#closed
        if (isLast || world.nowMs() + waitMs >= giveUpAtMs) throw failure
        await this.#wait(waitMs)
        if (this.#closed || !this.#mayRetry()) throw failure
      }
    }
  }

  /** Ends whatever is under way: each ask fails. */
  close(): void {
    this.#closed = true
    for (const cancel of [...this.#cancels]) cancel()
  }

  /** Full jitter: those who failed together do not come back together. */
  #waitMs(tries: number, failure: ProviderFailed): number {
    const jitterMs = this.#options.world.random() * Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** tries)
    return Math.max(failure.waitMs, jitterMs)
  }

  #mayRetry(): boolean {
    try {
      this.#options.beforeRetry()
      return true
    } catch (error) {
      if (error instanceof ProviderFailed) return false
      throw error
    }
  }

  /** The provider's own answer, or a failure when the time for it is up, even if it ignores the signal. */
  async #try(query: PlacesQuery, giveUpAtMs: number, nextCall: NextCall): Promise<Answer> {
    const { provider, limits, world, onCost } = this.#options
    const timeMs = Math.max(0, Math.min(limits.tryMsMax, giveUpAtMs - world.nowMs()))
    const end = Promise.withResolvers<never>()
    const abort = new AbortController()
    const stop = (message: string, mayRetry: boolean): void => {
      const failure = new ProviderFailed(message, 'UNKNOWN_ERROR', { mayRetry })
      end.reject(failure)
      abort.abort(failure)
    }
    const late = `${provider.name} did not answer within ${Math.round(timeMs)} ms.`
    const stopTimer = world.after(timeMs, () => stop(late, true))
    const cancel = (): void => stop('This server is stopping.', false)
    this.#cancels.add(cancel)
    try {
      const searched = searchOf(provider, query, abort.signal, () => {
        // One that goes on although it was told to stop gets no more calls.
        abort.signal.throwIfAborted()
        nextCall()
      })
      const body = await Promise.race([searched, end.promise])
      onCost(body.usd ?? 0)
      const answer = readAnswer(body)
      assertUsable(answer, provider.name)
      return answer
    } finally {
      stopTimer()
      this.#cancels.delete(cancel)
    }
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        stopTimer()
        this.#cancels.delete(done)
        resolve()
      }
      const stopTimer = this.#options.world.after(delayMs, done)
      this.#cancels.add(done)
    })
  }
}

/** A provider that throws instead of promising fails like any other. */
async function searchOf(
  provider: Provider,
  query: PlacesQuery,
  signal: AbortSignal,
  nextCall: NextCall,
): Promise<PlacesBody> {
  return provider.search(query, signal, nextCall)
}
