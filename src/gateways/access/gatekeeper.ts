import type { Counters } from '../../counters.ts'
import { EVERYTHING, type Gatekeeper, type Grant, type Refused } from './grant.ts'
import { TokenBook, type TokenEntry } from './tokens.ts'

/** What a gatekeeper goes by. */
export interface GatekeeperOptions {
  /** Whether other machines are admitted while there are no tokens. */
  readonly open: boolean
  readonly counters: Counters
}

const LOOPBACK = /^(?:::ffff:)?127\.|^::1$/

const PROTECTED: Refused = {
  reason:
    'this server takes commands from its own machine only, until it has client tokens (herd token create) or its herd file says clients.open: true',
}
const NO_TOKEN: Refused = { reason: 'this herd wants a client token (herd token create)' }
const WRONG_TOKEN: Refused = { reason: 'that client token is none of this herd' }

/**
 * Who may do what. With tokens, nobody is admitted without one. Without any, everybody on this machine is, and nobody else unless the
 * herd file opens the door: as with the protected mode of Redis.
 */
export class TokenGatekeeper implements Gatekeeper {
  readonly #options: GatekeeperOptions
  #book = new TokenBook([])

  constructor(options: GatekeeperOptions) {
    this.#options = options
  }

  /** Whether tokens are asked for. */
  get asksForTokens(): boolean {
    return this.#book.size > 0
  }

  /** From now on these are the tokens. Connections that were admitted stay so. */
  use(entries: readonly TokenEntry[]): void {
    this.#book = new TokenBook(entries)
  }

  admit(token: string | null, address: string): Grant | Refused {
    const admitted = this.#judge(token, address)
    if (admitted === WRONG_TOKEN) this.#options.counters.tokensWrong++
    else if (admitted === PROTECTED || admitted === NO_TOKEN) this.#options.counters.tokensMissing++
    return admitted
  }

  #judge(token: string | null, address: string): Grant | Refused {
    if (this.asksForTokens) return token === null ? NO_TOKEN : (this.#book.find(token) ?? WRONG_TOKEN)
    return this.#options.open || isLoopbackAddress(address) ? EVERYTHING : PROTECTED
  }
}

/** Whether an address is this machine's own. A connection that is gone has none, and is nobody's. */
export function isLoopbackAddress(address: string): boolean {
  return LOOPBACK.test(address)
}
