import { anyClient } from './city.ts'

/** Who reports next: after `advance` has said true, `client` after `move` moves. Nothing is made for each report. */
export interface Feed {
  readonly client: number
  readonly move: number
  /** False: that was all. */
  advance(): boolean
}

/** Every client from `first` to before `end`, once. */
export class FillFeed implements Feed {
  client: number
  readonly move = 0
  readonly #end: number

  constructor(first: number, end: number) {
    this.client = first - 1
    this.#end = end
  }

  advance(): boolean {
    if (this.client + 1 >= this.#end) return false
    this.client += 1
    return true
  }
}

/** The clients before `end` in turn, each a little further every time, until `isOver`. */
export class UpdateFeed implements Feed {
  client = -1
  move = 0
  readonly #end: number
  readonly #isOver: () => boolean

  constructor(end: number, isOver: () => boolean) {
    this.#end = end
    this.#isOver = isOver
  }

  advance(): boolean {
    this.client += 1
    if (this.client === this.#end) {
      this.client = 0
      this.move += 1
    }
    return !this.#isOver()
  }
}

/** New clients from `first` to before `end`; between any two of them a known one moves. */
export class GrowFeed implements Feed {
  client = 0
  move = 0
  readonly #end: number
  #known: number
  #turn = 0

  /** `first`, the number of clients that are known at the start, must not be 0. */
  constructor(first: number, end: number) {
    this.#known = first
    this.#end = end
  }

  advance(): boolean {
    if (this.#known >= this.#end) return false
    this.#turn += 1
    if (this.#turn % 2 === 0) {
      this.client = this.#known
      this.move = 0
      this.#known += 1
    } else {
      this.client = anyClient(this.#turn, this.#known)
      // Never 0: where it was first is no news.
      this.move = 1 + (this.#turn % 8)
    }
    return true
  }
}
