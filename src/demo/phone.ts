import type { Actor } from './cast.ts'
import { NotAllowed, NotTaken, type Protocol, type Reporter, type ServerAddress } from './reporters.ts'

/** What a phone is made of. */
export interface PhoneOptions {
  readonly actor: Actor
  readonly protocol: Protocol
  /** In the order in which it tries them, from `first` on, around. */
  readonly servers: readonly ServerAddress[]
  readonly first: number
  readonly open: Readonly<Record<Protocol, (server: ServerAddress) => Promise<Reporter>>>
  readonly wallMs: () => number
  /** A clock that only goes on. */
  readonly nowMs: () => number
  /** From [0, 1). */
  readonly random: () => number
}

/** What became of a turn of a phone. */
export type Turn =
  | { readonly outcome: 'reported'; readonly server: string; readonly protocol: Protocol }
  /** It still waits for an answer, or until it tries again. */
  | { readonly outcome: 'waits' }
  | {
      readonly outcome: 'failed'
      readonly server: string
      readonly protocol: Protocol
      readonly reason: string
      /** The server has answered, and not taken it. */
      readonly isRefused: boolean
      /** It was refused because of who this is, or who it isn't. */
      readonly isNotAllowed: boolean
    }

const RETRY_MS_MIN = 300
const RETRY_MS_MAX = 5000
/** After so many failures in a row a phone takes it that its protocol is spoken by nobody, … */
const FAILURES_MAX = 2
/** … and uses line commands for so long. */
const PLAIN_MS = 60_000

/** One that went on with another server looks so often whether its own is back. */
const HOME_MS = 20_000

/** A phone: reports to one server, and goes on with the next one when that fails. */
export class Phone {
  readonly #options: PhoneOptions
  #server: number
  #way: Promise<Reporter> | null = null
  #isBusy = false
  #failures = 0
  #notBeforeMs = Number.NEGATIVE_INFINITY
  #plainUntilMs = Number.NEGATIVE_INFINITY
  #homeAtMs = Number.POSITIVE_INFINITY

  constructor(options: PhoneOptions) {
    this.#options = options
    this.#server = this.#home
  }

  /** Whether it may report now. */
  get isIdle(): boolean {
    return !this.#isBusy && this.#options.nowMs() >= this.#notBeforeMs
  }

  /** Reports where its owner is. @param seconds since the demo began. */
  async report(seconds: number): Promise<Turn> {
    if (!this.isIdle) return { outcome: 'waits' }
    const { actor, servers, open, wallMs, nowMs } = this.#options
    if (nowMs() >= this.#homeAtMs) this.#goHome()
    const server = servers[this.#server]
    if (server === undefined) throw new Error('a demo has one server at least')
    const protocol = this.#protocol
    this.#isBusy = true
    try {
      this.#way ??= open[protocol](server)
      const way = await this.#way
      const { client, name, kind, mover } = actor
      await way.report({ client, tags: { name, kind }, timeMs: wallMs() }, mover.at(seconds))
      this.#failures = 0
      return { outcome: 'reported', server: server.name, protocol }
    } catch (error) {
      this.#failed()
      const reason = error instanceof Error ? error.message : String(error)
      return {
        ...{ outcome: 'failed', server: server.name, protocol, reason },
        isRefused: error instanceof NotTaken,
        isNotAllowed: error instanceof NotAllowed,
      }
    } finally {
      this.#isBusy = false
    }
  }

  /** Lets go of its server. */
  close(): void {
    const way = this.#way
    this.#way = null
    way?.then(
      (open) => open.close(),
      () => {},
    )
  }

  get #protocol(): Protocol {
    return this.#options.nowMs() < this.#plainUntilMs ? 'line' : this.#options.protocol
  }

  #goHome(): void {
    this.close()
    this.#server = this.#home
    this.#homeAtMs = Number.POSITIVE_INFINITY
  }

  get #home(): number {
    return this.#options.first % this.#options.servers.length
  }

  #failed(): void {
    const { servers, nowMs, random } = this.#options
    this.close()
    this.#failures++
    this.#server = (this.#server + 1) % servers.length
    this.#homeAtMs = this.#server === this.#home ? Number.POSITIVE_INFINITY : nowMs() + HOME_MS
    if (this.#failures % FAILURES_MAX === 0) this.#plainUntilMs = nowMs() + PLAIN_MS
    // The first time another server is tried at once.
    const growth = Math.min(RETRY_MS_MAX, RETRY_MS_MIN * 2 ** (this.#failures - 1))
    this.#notBeforeMs = nowMs() + (this.#failures === 1 ? 0 : growth * (0.5 + random() / 2))
  }
}
