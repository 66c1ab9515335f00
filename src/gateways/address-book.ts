/** Bounds of what one address may do. */
export interface AddressLimits {
  readonly connectionsMax: number
  readonly connectionsPerAddressMax: number
  /** IAMATs a second from one address; 0: any number. */
  readonly fixesPerSecondPerAddressMax: number
}

interface Entry {
  connections: number
  /** Fixes that may still be reported now: filled up at the allowed rate, to one second's worth at most. */
  allowance: number
  filledMs: number
}

/** An allowance is full again after this long. */
const ALLOWANCE_MS = 1000

/** Who is connected from where, and how much each address may still report. Holds no more than is connected. */
export class AddressBook {
  readonly #limits: AddressLimits
  readonly #entries = new Map<string, Entry>()
  /** Addresses without a connection, in the order in which they left: remembered until their allowance is full. */
  readonly #left = new Map<string, number>()
  #connections = 0

  constructor(limits: AddressLimits) {
    this.#limits = limits
  }

  /** Connections open now. */
  get connections(): number {
    return this.#connections
  }

  /** Whether reports are limited at all. */
  get isLimited(): boolean {
    return this.#limits.fixesPerSecondPerAddressMax > 0
  }

  /** Counts a connection in; returns the setting that forbids it, or `null` if it is welcome. */
  enter(address: string, nowMs: number): string | null {
    // First of all, or the entry found below might be one that is forgotten on the way.
    this.#forgetLeft(nowMs)
    const { connectionsMax, connectionsPerAddressMax, fixesPerSecondPerAddressMax } = this.#limits
    if (this.#connections >= connectionsMax) return `limits.connectionsMax (${connectionsMax})`
    const entry = this.#entries.get(address)
    if ((entry?.connections ?? 0) >= connectionsPerAddressMax) {
      return `limits.connectionsPerAddressMax (${connectionsPerAddressMax})`
    }
    this.#connections++
    this.#left.delete(address)
    if (entry !== undefined) entry.connections++
    else
      this.#entries.set(address, { connections: 1, allowance: fixesPerSecondPerAddressMax, filledMs: nowMs })
    return null
  }

  /** Counts a connection out. */
  leave(address: string, nowMs: number): void {
    const entry = this.#entries.get(address)
    if (entry === undefined) return
    this.#connections--
    if (--entry.connections > 0) return
    if (this.#limits.fixesPerSecondPerAddressMax === 0) this.#entries.delete(address)
    else this.#left.set(address, nowMs)
  }

  /** How many milliseconds an address must wait before it may report; 0: it may now. */
  fixWaitMs(address: string, nowMs: number): number {
    const rate = this.#limits.fixesPerSecondPerAddressMax
    const entry = this.#entries.get(address)
    if (rate === 0 || entry === undefined) return 0
    entry.allowance = Math.min(rate, entry.allowance + ((nowMs - entry.filledMs) / ALLOWANCE_MS) * rate)
    entry.filledMs = nowMs
    return entry.allowance >= 1 ? 0 : Math.ceil(((1 - entry.allowance) / rate) * ALLOWANCE_MS)
  }

  /** Takes one fix from what an address may report. */
  spendFix(address: string): void {
    if (this.#limits.fixesPerSecondPerAddressMax === 0) return
    const entry = this.#entries.get(address)
    if (entry !== undefined) entry.allowance--
  }

  #forgetLeft(nowMs: number): void {
    for (const [address, leftMs] of this.#left) {
      if (nowMs - leftMs < ALLOWANCE_MS) return
      this.#left.delete(address)
      this.#entries.delete(address)
    }
  }
}
