/** The time of a report, and the name under which it is kept. */
export interface Stamp {
  /** Seconds since 1970 as text, to the microsecond. */
  readonly time: string
  /** Sorts as the reports were made. */
  readonly key: string
}

/** A clock that goes back by no more is held until it has caught up: reports keep their order. */
const STEP_BACK_MICROS_MAX = 1_000_000
const KEY_DIGITS = 17
const MICROS_IN_KEY = /^(\d{17})-/

/** Stamps reports when they are made, no two alike; so they keep their order, whenever they are sent. */
export class Stamps {
  readonly #nowMs: () => number
  readonly #instance: string
  #lastTime = 0
  #lastKey = 0

  /** @param instance tells apart the keys of clients that share a store. */
  constructor(nowMs: () => number, instance: string) {
    this.#nowMs = nowMs
    this.#instance = instance
  }

  /** The next one. */
  next(): Stamp {
    const now = Math.floor(this.#nowMs() * 1000)
    const isStep = this.#lastTime - now > STEP_BACK_MICROS_MAX
    const micros = isStep ? now : Math.max(now, this.#lastTime + 1)
    this.#lastTime = micros
    this.#lastKey = Math.max(now, this.#lastKey + 1)
    return {
      time: `${Math.floor(micros / 1e6)}.${String(micros % 1e6).padStart(6, '0')}`,
      key: `${String(this.#lastKey).padStart(KEY_DIGITS, '0')}-${this.#instance}`,
    }
  }

  /** What comes from now on is later than what is kept under this key. */
  follow(key: string): void {
    const micros = MICROS_IN_KEY.exec(key)?.[1]
    if (micros !== undefined) this.#lastKey = Math.max(this.#lastKey, Number(micros))
  }
}
