/** Asks each second how the herd is. */

import type { HerdJson } from '../gateways/http/shapes.ts'
import type { Api } from './api.ts'

const POLL_MS = 1000
/** When nobody looks at it, the light in the bar is enough. */
const POLL_HIDDEN_MS = 4000
const ANSWER_MS_MAX = 4000

/** What is known of the herd. */
export interface HerdNews {
  /** The last answer; `null`: there was none yet. */
  readonly herd: HerdJson | null
  /** Milliseconds on the page's clock when it came. */
  readonly cameMs: number
  /** Why there is no newer one; empty: there is. */
  readonly problem: string
}

/** One page has one. */
export class HerdWatch {
  readonly #api: Pick<Api, 'get'>
  readonly #tell: (news: HerdNews) => void
  #news: HerdNews = { herd: null, cameMs: 0, problem: '' }
  #isShown = false
  #wake: () => void = () => undefined

  constructor(api: Pick<Api, 'get'>, tell: (news: HerdNews) => void) {
    this.#api = api
    this.#tell = tell
  }

  /** Whether somebody looks at the servers: then it is asked more often. */
  set isShown(isShown: boolean) {
    this.#isShown = isShown
    this.#wake()
  }

  /** Asks for ever. */
  async run(): Promise<never> {
    for (;;) {
      await this.#ask()
      this.#tell(this.#news)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.#isShown ? POLL_MS : POLL_HIDDEN_MS)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }

  async #ask(): Promise<void> {
    try {
      const herd = await this.#api.get<HerdJson>('v1/herd', AbortSignal.timeout(ANSWER_MS_MAX))
      this.#news = { herd, cameMs: performance.now(), problem: '' }
    } catch (error) {
      this.#news = { ...this.#news, problem: error instanceof Error ? error.message : String(error) }
    }
  }
}
