/** The herd, by the server that this page came from and nobody else, with a token that the person is asked for. */
import { type Fix, HerdClient, HerdProblem } from '../client/index.ts'

/** Longer than that a page that lost its server doesn't wait before it tries again. */
const BACKOFF = { firstMs: 200, mostMs: 3000 } as const
/** No token, a wrong one, or one that isn't for that. */
const REFUSED: ReadonlySet<number> = new Set([401, 403])

/** Where tokens come from when the server wants one. */
export interface TokenSource {
  /** The token to use; `null`: none yet. */
  readonly token: string | null
  /** Asks the person for a token. @param reason what the server said. @returns whether there is another one now. */
  ask(reason: string): Promise<boolean>
}

/** Who is told what happens. */
export interface LiveSink {
  /** A client is somewhere. */
  fix(fix: Fix): void
  /** A client is no longer among those that are watched. */
  exit(client: string): void
  /** All that was known has been told. */
  caughtUp(): void
  /** `live`: the stream is open. `lost`: it is not; it will be tried again. `refused`: it is not wanted, and that was all. */
  state(state: 'live' | 'lost' | 'refused'): void
}

/** One page has one. */
export class PageHerd {
  readonly #client: HerdClient
  readonly #tokens: TokenSource

  /** @param base where the page is; paths are relative to it, so that it may lie anywhere behind a proxy. */
  constructor(base: string, tokens: TokenSource) {
    this.#tokens = tokens
    this.#client = new HerdClient({
      servers: [base],
      token: () => tokens.token,
      backoff: BACKOFF,
      // A proxy before the server may want what the browser has for it.
      platform: { fetch: (url, init) => fetch(url, { ...init, credentials: 'same-origin' }) },
    })
  }

  /** Listens for the server being gone. */
  onLost(listener: () => void): void {
    this.#client.on('offline', listener)
  }

  /**
   * Asks, and again with another token when the one is refused.
   *
   * @param question as the client puts it. @throws what that throws.
   */
  async ask<Answer>(question: (client: HerdClient) => Promise<Answer>): Promise<Answer> {
    for (;;) {
      try {
        return await question(this.#client)
      } catch (error) {
        if (!(await this.#isForAnotherToken(error))) throw error
      }
    }
  }

  /** Watches all clients, from where it was whenever it was interrupted, until it is closed or refused. */
  async watch(sink: LiveSink): Promise<void> {
    let isOpen = false
    const tell = (isNow: boolean) => (): void => {
      isOpen = isNow
      sink.state(isNow ? 'live' : 'lost')
    }
    // Before it was ever open nobody tells that it is closed.
    this.onLost(() => {
      if (!isOpen) sink.state('lost')
    })
    let cursor: string | null = null
    for (;;) {
      const watch = this.#client.watch(cursor === null ? {} : { from: { cursor } }, {
        fix: (fix) => sink.fix(fix),
        exit: ({ client }) => sink.exit(client),
        connected: tell(true),
        disconnected: tell(false),
      })
      void watch.ready.then(
        () => sink.caughtUp(),
        () => {},
      )
      const problem = await watch.ended
      if (problem === null) return
      if (await this.#isForAnotherToken(problem)) {
        cursor = watch.cursor
        continue
      }
      // A cursor that the server knows no more: all is told anew.
      if (cursor !== null && problem.status === 400) cursor = null
      else return sink.state('refused')
    }
  }

  /** Ends it. */
  async close(): Promise<void> {
    await this.#client.close({ withinMs: 0 })
  }

  async #isForAnotherToken(error: unknown): Promise<boolean> {
    return error instanceof HerdProblem && REFUSED.has(error.status) && this.#tokens.ask(error.detail)
  }
}
