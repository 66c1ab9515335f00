import type { FixJson } from '../gateways/http/shapes.ts'
import { Nonsense } from './answers.ts'
import { Backoff, type BackoffLimits } from './backoff.ts'
import { HerdClosed, HerdProblem } from './errors.ts'
import { readEvents } from './event-stream.ts'
import { Newest } from './newest.ts'
import type { Platform } from './platform.ts'
import { type Box, type Circle, pathOf } from './questions.ts'
import { type Answering, type Servers, wordsOf } from './servers.ts'

/** What is watched: all clients everywhere, or less of it. */
export interface WatchQuestion {
  /** Only these. */
  readonly clients?: readonly string[]
  /** Only where they are within it; or `box`. */
  readonly circle?: Circle
  readonly box?: Box
  /**
   * `all`, the usual: first what is known. `now`: only what comes. A cursor: what came since somebody had it from `Watch.cursor`,
   * on whichever server.
   */
  readonly from?: 'all' | 'now' | { readonly cursor: string }
  /** Ends it when it is aborted. */
  readonly signal?: AbortSignal
}

/** `fix`: a client is here now. `exit`: it has left the area; this is where it went. */
export interface WatchEvent {
  readonly type: 'fix' | 'exit'
  readonly fix: FixJson
}

/** Whom to tell, as it happens. */
export interface WatchHandlers {
  readonly fix?: (fix: FixJson) => void
  readonly exit?: (fix: FixJson) => void
  /** A server tells from now on. */
  readonly connected?: (server: string) => void
  /** It tells no longer; the next one will. */
  readonly disconnected?: (server: string, reason: string) => void
  /** It was refused, and has ended. */
  readonly failed?: (problem: HerdProblem) => void
}

/** What a watch needs. */
export interface WatchContext {
  readonly servers: Servers
  readonly platform: Platform
  /** Servers send something at least every 15 s; one that is silent for so long is left. */
  readonly silenceMs: number
  readonly backoff: BackoffLimits
  /** Calls somebody else's function; what that throws is no business of ours. */
  readonly tell: (call: () => void) => void
}

/** Clients whose news wait for a slow reader of the iterator; then the server waits. */
const PENDING_MAX = 10_000
/** An address has no more characters. */
const PATH_CHARACTERS_MAX = 12_000
/** A stream that lived so long was a good one. */
const GOOD_STREAM_MS = 10_000

/**
 * One who watches: fixes as they come, from one server after the other. Each client's newest fix is told at least once, whatever fails;
 * none goes backwards. Where one iterates and is slow, only the newest of each client waits.
 */
export class Watch implements AsyncIterable<WatchEvent> {
  readonly #context: WatchContext
  readonly #question: WatchQuestion
  readonly #handlers: WatchHandlers | null
  readonly #newest = new Newest()
  readonly #ending = new AbortController()
  readonly #ready = Promise.withResolvers<void>()
  /** Comes back with this; `null`: was told nothing that counts. */
  #resume: string | null
  /** Everything up to here was handed on. */
  #cursor: string | null
  /** Told up to `#resume` once what waits was handed on. */
  readonly #pending = new Map<string, WatchEvent>()
  #wakeReader: () => void = () => {}
  #wakeStream: () => void = () => {}
  #problem: HerdProblem | null = null

  /** Resolves when the watch has ended: with the problem if it was refused, with `null` if it was closed. */
  readonly ended: Promise<HerdProblem | null>

  /** @throws {TypeError} when the question makes no sense. */
  constructor(question: WatchQuestion, handlers: WatchHandlers | null, context: WatchContext) {
    this.#context = context
    this.#question = question
    this.#handlers = handlers
    const { from, signal } = question
    this.#resume = typeof from === 'object' ? from.cursor : null
    this.#cursor = this.#resume
    checkQuestion(question, this.#path())
    this.#ready.promise.catch(() => {})
    signal?.addEventListener('abort', () => this.close(), { signal: this.#ending.signal })
    if (signal?.aborted === true) this.close()
    this.ended = this.#run()
  }

  /**
   * Resolves at the first cursor: from then on nothing is missed, whatever fails. It rejects when the watch ends before.
   */
  get ready(): Promise<void> {
    return this.#ready.promise
  }

  /** What to begin with another time (`from: { cursor }`), to be told what was not handed on yet. `null`: there is none yet. */
  get cursor(): string | null {
    return this.#cursor
  }

  /** Ends it. An iteration ends, too. */
  close(): void {
    this.#ending.abort(new HerdClosed('it is watched no longer'))
    this.#pending.clear()
    this.#wakeReader()
    this.#wakeStream()
  }

  /** Events as they come; ends when the watch is closed. To be used once. @throws {HerdProblem} when it was refused. */
  async *[Symbol.asyncIterator](): AsyncGenerator<WatchEvent, void, undefined> {
    try {
      for (;;) {
        for (const [client, event] of this.#pending) {
          this.#pending.delete(client)
          yield event
          if (this.#pending.size < PENDING_MAX) this.#wakeStream()
        }
        // What is yielded is handed on when the next is asked for.
        this.#cursor = this.#resume
        if (this.#problem !== null) throw this.#problem
        if (this.#ending.signal.aborted) return
        await new Promise<void>((resolve) => {
          this.#wakeReader = resolve
        })
      }
    } finally {
      this.close()
    }
  }

  async #run(): Promise<HerdProblem | null> {
    const { servers, platform, backoff: limits } = this.#context
    const { signal } = this.#ending
    const backoff = new Backoff(limits, platform.random)
    while (!signal.aborted) {
      const beganMs = platform.elapsedMs()
      const resumedWith = this.#resume
      try {
        await this.#watchOne()
      } catch (error) {
        if (signal.aborted) break
        const isOld = error instanceof HerdProblem && error.status === 400 && this.#isOurs(resumedWith)
        if (error instanceof HerdProblem && !isOld) return this.#fail(error)
        // A cursor that a herd gave and doesn't know any more: all is told anew.
        if (isOld) this.#resume = null
      }
      const isGood = this.#resume !== resumedWith || platform.elapsedMs() - beganMs > GOOD_STREAM_MS
      if (isGood) backoff.reset()
      else await servers.sleep(backoff.next(), signal).catch(() => {})
    }
    this.#ready.reject(new HerdClosed('nothing was watched yet'))
    return null
  }

  /** Whether a cursor was given by a server, and not by the caller. */
  #isOurs(cursor: string | null): boolean {
    const { from } = this.#question
    return cursor !== null && !(typeof from === 'object' && from.cursor === cursor)
  }

  #fail(problem: HerdProblem): HerdProblem {
    this.#problem = problem
    this.#ready.reject(problem)
    this.#context.tell(() => this.#handlers?.failed?.(problem))
    this.#wakeReader()
    return problem
  }

  /** Watches on one server until it ends. @throws {HerdProblem} when that is refused. */
  async #watchOne(): Promise<void> {
    const { servers, platform, silenceMs, tell } = this.#context
    const { signal } = this.#ending
    const { response, from } = await servers.ask({
      ...{ path: this.#path(), accept: 'text/event-stream', totalMs: Number.POSITIVE_INFINITY, signal },
      read: async (answer: Response, answering: Answering) => {
        if (answer.headers.get('content-type')?.startsWith('text/event-stream') !== true) {
          throw new Nonsense('is no server of a herd: it sent no stream')
        }
        return { response: answer, from: answering }
      },
    })
    const beganMs = platform.elapsedMs()
    const { url } = from.server
    tell(() => this.#handlers?.connected?.(url))
    let reason = 'ended the stream'
    try {
      const sink = {
        fix: (fix: FixJson) => this.#take({ type: 'fix', fix }),
        exit: (fix: FixJson) => this.#take({ type: 'exit', fix }),
        cursor: (cursor: string) => this.#takeCursor(cursor),
        ready: () => this.#room(),
      }
      await readEvents(response, sink, silenceMs, platform, from.abort)
    } catch (error) {
      if (signal.aborted) return
      reason = wordsOf(error)
    } finally {
      from.abort(new HerdClosed('it is watched no longer'))
    }
    if (signal.aborted) return
    servers.leave(from.server, reason, beganMs)
    tell(() => this.#handlers?.disconnected?.(url, reason))
  }

  #take(event: WatchEvent): void {
    const { fix, type } = event
    if (this.#ending.signal.aborted || !this.#newest.isNews(fix, type === 'exit')) return
    const handlers = this.#handlers
    if (handlers !== null) {
      this.#context.tell(() => (type === 'fix' ? handlers.fix?.(fix) : handlers.exit?.(fix)))
      return
    }
    this.#pending.set(fix.client, event)
    this.#wakeReader()
  }

  #takeCursor(cursor: string): void {
    this.#resume = cursor
    this.#ready.resolve()
    if (this.#handlers !== null) this.#cursor = cursor
    else if (this.#pending.size === 0) this.#wakeReader()
  }

  /** Resolves when the iteration has room for more. */
  async #room(): Promise<void> {
    while (this.#pending.size >= PENDING_MAX && !this.#ending.signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#wakeStream = resolve
      })
    }
  }

  #path(): string {
    const { clients, circle, box, from } = this.#question
    // An ID may hold a comma.
    const escaped = clients?.map((client) => client.replaceAll('%', '%25').replaceAll(',', '%2C'))
    const since =
      this.#resume === null ? { from: from === 'now' ? 'now' : 'all' } : { last_event_id: this.#resume }
    return pathOf('/v1/stream', { client: escaped?.join(','), ...circle, box: box?.join(','), ...since })
  }
}

function checkQuestion({ clients, circle, box }: WatchQuestion, path: string): void {
  if (clients?.length === 0) throw new TypeError('clients: name one at least, or leave it out to watch all')
  if (circle !== undefined && box !== undefined) throw new TypeError('watch a circle or a box, and not both')
  if (path.length > PATH_CHARACTERS_MAX) {
    throw new TypeError(
      `clients: so many don't fit into an address (${PATH_CHARACTERS_MAX} characters); watch them in parts, or an area`,
    )
  }
}
