/** Asks each second how the herd is. */

import { HerdProblem, type HerdState } from '../client/index.ts'
import type { PageHerd } from './page-herd.ts'

const POLL_MS = 1000
/** When nobody looks at it, the light in the bar is enough. */
const POLL_HIDDEN_MS = 4000
const ANSWER_MS_MAX = 4000
const SILENT = 'the server does not answer'

/** What is known of the herd. */
export interface HerdNews {
  /** The last answer; `null`: there was none yet. */
  readonly herd: HerdState | null
  /** Milliseconds on the page's clock when it came. */
  readonly cameMs: number
  /** Why there is no newer one; empty: there is. */
  readonly problem: string
}

/** One page has one. */
export class HerdWatch {
  readonly #herd: Pick<PageHerd, 'ask' | 'onLost'>
  readonly #tell: (news: HerdNews) => void
  #news: HerdNews = { herd: null, cameMs: 0, problem: '' }
  #isShown = false
  #wake: () => void = () => undefined

  constructor(herd: Pick<PageHerd, 'ask' | 'onLost'>, tell: (news: HerdNews) => void) {
    this.#herd = herd
    this.#tell = tell
  }

  /** Whether somebody looks at the servers: then it is asked more often. */
  set isShown(isShown: boolean) {
    this.#isShown = isShown
    this.#wake()
  }

  /** Asks for ever. */
  async run(): Promise<never> {
    // The stream may notice it long before the next question.
    this.#herd.onLost(() => {
      this.#fail(SILENT)
      this.#wake()
    })
    for (;;) {
      await this.#ask()
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
      const herd = await this.#herd.ask((client) =>
        client.state({ signal: AbortSignal.timeout(ANSWER_MS_MAX) }),
      )
      this.#news = { herd, cameMs: performance.now(), problem: '' }
      this.#tell(this.#news)
    } catch (error) {
      this.#fail(error instanceof HerdProblem ? error.detail : SILENT)
    }
  }

  #fail(problem: string): void {
    this.#news = { ...this.#news, problem }
    this.#tell(this.#news)
  }
}
