/** How many calls go out in a second: of a provider, and caused by one address. No clock. */
import { LRUCache } from 'lru-cache'

/** Addresses that are remembered; of more, those that asked longest ago have all their calls again. */
export const ADDRESSES_MAX = 10_000

/** A token bucket: so many calls a second on average, and a second's worth of them at once. */
export class CallRate {
  readonly #perSecond: number
  readonly #tokensMax: number
  #tokens: number
  #filledAtMs: number

  /** @param perSecond 0: no limit. @param nowMs monotonic time, as of every `nowMs` here. */
  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond
    // Below one call a second, a bucket that holds less than one token would never grant any.
    this.#tokensMax = Math.max(1, perSecond)
    this.#tokens = this.#tokensMax
    this.#filledAtMs = nowMs
  }

  /** Says whether a call may go out now. It takes none. */
  allows(nowMs: number): boolean {
    if (this.#perSecond === 0) return true
    const seconds = Math.max(0, nowMs - this.#filledAtMs) / 1_000
    this.#tokens = Math.min(this.#tokensMax, this.#tokens + seconds * this.#perSecond)
    this.#filledAtMs = nowMs
    return this.#tokens >= 1
  }

  /** Takes a call that was allowed, or one that can't wait: then as many fewer are allowed later. */
  take(): void {
    if (this.#perSecond > 0) this.#tokens -= 1
  }
}

/** A rate for each address, for all providers of a server together. */
export class AddressRates {
  readonly #perSecond: number
  readonly #rates: LRUCache<string, CallRate>

  /** @param perSecond 0: no limit. */
  constructor(perSecond: number, addressesMax: number = ADDRESSES_MAX) {
    this.#perSecond = perSecond
    this.#rates = new LRUCache({ max: addressesMax })
  }

  /** Addresses that are remembered. */
  get size(): number {
    return this.#rates.size
  }

  /** The rate of those who share a `networkOf`. */
  of(address: string, nowMs: number): CallRate {
    const network = networkOf(address)
    const known = this.#rates.get(network)
    if (known !== undefined) return known
    const rate = new CallRate(this.#perSecond, nowMs)
    if (this.#perSecond > 0) this.#rates.set(network, rate)
    return rate
  }
}

const GROUPS = 8
const GROUPS_OF_NETWORK = 4

/** What one customer has: an IPv4 address, also one in IPv6 clothes, or the 64 bits that an IPv6 address begins with. */
export function networkOf(address: string): string {
  const [bare = ''] = address.split('%', 1)
  if (!bare.includes(':')) return bare
  const dotted = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(bare)?.[1]
  if (dotted !== undefined) return dotted
  const [head = '', tail = ''] = bare.split('::', 2)
  const [first, last] = [head, tail].map((part) => part.split(':').filter((group) => group !== ''))
  const missing = GROUPS - (first?.length ?? 0) - (last?.length ?? 0)
  const groups = [...(first ?? []), ...Array<string>(Math.max(0, missing)).fill('0'), ...(last ?? [])]
  return groups
    .slice(0, GROUPS_OF_NETWORK)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')
}
