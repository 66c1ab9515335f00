/** What a guard needs to know of each open link to a server of ours. */
export interface ClockView {
  readonly neighbor: string
  /** The neighbor's clock minus ours; `null` before it is known. */
  readonly clockOffsetMs: number | null
}

/** Told in words, once each time. */
export interface ClockListener {
  /** A neighbor's clock and ours are far apart. */
  readonly apart: (neighbor: string, offsetMs: number) => void
  /** Ours is off, or `null`: no longer. */
  readonly off: (offsetMs: number | null) => void
}

/** Neighbors that must agree before we hold our own clock for wrong: of two clocks nobody knows which is. */
const NEIGHBORS_MIN = 2

/**
 * Watches how far this server's clock is from its neighbors'. When most of them, and at least two, say that it is far
 * off, it is taken for wrong: reports that it would stamp with a wrong time are refused, while fixes of others, which
 * carry their own, go on. Pure.
 */
export class ClockGuard {
  readonly #offsetMsMax: number
  readonly #listener: ClockListener
  #apart = new Set<string>()
  #offMs: number | null = null

  constructor(offsetMsMax: number, listener: ClockListener) {
    this.#offsetMsMax = offsetMsMax
    this.#listener = listener
  }

  /** By how many milliseconds this server's clock is behind its neighbors' (negative: ahead); `null`: it is in order. */
  get offMs(): number | null {
    return this.#offMs
  }

  /** Looks at all open links anew. */
  look(links: readonly ClockView[]): void {
    const known = links.flatMap(({ neighbor, clockOffsetMs }) =>
      clockOffsetMs === null ? [] : [{ neighbor, offsetMs: clockOffsetMs }],
    )
    const apart = known.filter(({ offsetMs }) => Math.abs(offsetMs) > this.#offsetMsMax)
    for (const { neighbor, offsetMs } of apart) {
      if (!this.#apart.has(neighbor)) this.#listener.apart(neighbor, offsetMs)
    }
    this.#apart = new Set(apart.map(({ neighbor }) => neighbor))
    const isOff = apart.length >= NEIGHBORS_MIN && apart.length * 2 > known.length
    const offMs = isOff ? median(apart.map(({ offsetMs }) => offsetMs)) : null
    const wasOff = this.#offMs !== null
    this.#offMs = offMs
    if (isOff !== wasOff) this.#listener.off(offMs)
  }
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1] ?? 0
}
