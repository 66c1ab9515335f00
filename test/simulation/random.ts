/** Makes another seed of a seed, for all that concerns disks. */
export const DISKS_SEED = 0x0d15c000

/**
 * Chance that can be had again: sfc32 (Chris Doty-Humphrey, PractRand), seeded by splitmix32. The simulator knows no
 * other.
 */
export class Random {
  #a: number
  #b: number
  #c: number
  #counter = 1

  /** @param seed any integer: equal seeds give equal numbers. */
  constructor(seed: number) {
    let state = seed | 0
    const split = (): number => {
      state = (state + 0x9e3779b9) | 0
      let mixed = Math.imul(state ^ (state >>> 16), 0x21f0aaad)
      mixed = Math.imul(mixed ^ (mixed >>> 15), 0x735a2d97)
      return mixed ^ (mixed >>> 15)
    }
    this.#a = split()
    this.#b = split()
    this.#c = split()
    for (let turn = 0; turn < 12; turn++) this.word()
  }

  /** 32 bits, signed. */
  word(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum
  }

  /** From [0, 1). */
  next(): number {
    return (this.word() >>> 0) / 2 ** 32
  }

  /** An integer from [0, end). */
  below(end: number): number {
    return Math.floor(this.next() * end)
  }

  /** A number from [low, high). */
  between(low: number, high: number): number {
    return low + this.next() * (high - low)
  }

  /** As many times as not, if the chance is 0.5. */
  chance(probability: number): boolean {
    return this.next() < probability
  }

  /** One of some things; there must be one. */
  pick<T>(things: readonly T[]): T {
    const picked = things[this.below(things.length)]
    if (picked === undefined) throw new Error('there is nothing to choose from')
    return picked
  }

  /** The time to the next of events that come `perSecond` on average, in milliseconds. */
  waitMs(perSecond: number): number {
    return (-Math.log(1 - this.next()) / perSecond) * 1000
  }

  /** Another one, whose numbers are its own. */
  fork(): Random {
    return new Random(this.word())
  }
}
