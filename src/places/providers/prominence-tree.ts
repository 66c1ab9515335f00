/**
 * Finds the best known places in a circle. Beside the kd-tree of their positions it keeps, for each of its branches,
 * how well known the best of the branch is, so that most branches need no look. Pure.
 */
import type KDBush from 'kdbush'
import { quickErrorMax, quickMetres } from '../../locations/distance.ts'
import type { Circle } from '../best-places.ts'
import { boxesAround } from '../index/spots.ts'

/** A place by its number, as `bestOf` wants it. */
export interface TreePlace {
  readonly place: number
  readonly latitude: number
  readonly longitude: number
  readonly prominence: number
}

const PROMINENCES = 256

/** The tree of an index whose places lie in its own order, and their prominences in the same. */
export class ProminenceTree {
  readonly #index: KDBush
  readonly #prominences: Uint8Array
  /** Of the branch from `left` to `right`, at the place in its middle: no two branches have the same. */
  readonly #best: Uint8Array

  constructor(index: KDBush, prominences: Uint8Array) {
    this.#index = index
    this.#prominences = prominences
    this.#best = new Uint8Array(prominences.length)
    this.#fill(0, prominences.length - 1)
  }

  /**
   * All that could be among the `itemsMax` best known places of a circle, equals included; and maybe more, never less.
   *
   * @param isWanted by the number of a place.
   */
  possible(circle: Circle, itemsMax: number, isWanted: (place: number) => boolean): readonly TreePlace[] {
    const found = new Found(circle, itemsMax)
    for (const { west, east, south, north } of boxesAround(circle)) {
      const from = [west * 360 - 180, south * 180 - 90] as const
      const to = [east * 360 - 180, north * 180 - 90] as const
      this.#walk(0, this.#prominences.length - 1, 0, { from, to, found, isWanted })
    }
    return found.places.filter(({ prominence }) => prominence >= found.least)
  }

  #fill(left: number, right: number): number {
    if (right < left) return 0
    const middle = (left + right) >> 1
    let best = this.#prominences[middle] ?? 0
    if (right - left <= this.#index.nodeSize) {
      for (let place = left; place <= right; place++) best = Math.max(best, this.#prominences[place] ?? 0)
    } else {
      best = Math.max(best, this.#fill(left, middle - 1), this.#fill(middle + 1, right))
    }
    this.#best[middle] = best
    return best
  }

  /** Longitude halves a branch on axis 0, latitude on axis 1, as kdbush has it. */
  #walk(left: number, right: number, axis: 0 | 1, look: Look): void {
    const middle = (left + right) >> 1
    if (right < left || (this.#best[middle] ?? 0) < look.found.least) return
    if (right - left <= this.#index.nodeSize) {
      for (let place = left; place <= right; place++) this.#see(place, look)
      return
    }
    this.#see(middle, look)
    const split = this.#index.coords[2 * middle + axis] ?? 0
    const other = axis === 0 ? 1 : 0
    const below = (): void => {
      if (look.from[axis] <= split) this.#walk(left, middle - 1, other, look)
    }
    const above = (): void => {
      if (look.to[axis] >= split) this.#walk(middle + 1, right, other, look)
    }
    // The better half first: what it has may make the other needless.
    if (this.#bestOf(left, middle - 1) >= this.#bestOf(middle + 1, right)) {
      below()
      above()
    } else {
      above()
      below()
    }
  }

  #bestOf(left: number, right: number): number {
    return right < left ? 0 : (this.#best[(left + right) >> 1] ?? 0)
  }

  #see(place: number, { from, to, found, isWanted }: Look): void {
    const prominence = this.#prominences[place] ?? 0
    if (prominence < found.least) return
    const { coords } = this.#index
    const longitude = coords[2 * place] ?? 0
    const latitude = coords[2 * place + 1] ?? 0
    if (longitude < from[0] || longitude > to[0] || latitude < from[1] || latitude > to[1]) return
    if (isWanted(place)) found.add({ place, latitude, longitude, prominence })
  }
}

/** What a walk through the tree looks for. Positions are longitude and latitude. */
interface Look {
  readonly from: readonly [number, number]
  readonly to: readonly [number, number]
  readonly found: Found
  readonly isWanted: (place: number) => boolean
}

/** The places found so far, and how well known another must be to matter. */
class Found {
  readonly places: TreePlace[] = []
  /** Less than this can't be among the best. */
  least = 0
  readonly #circle: Circle
  readonly #itemsMax: number
  /** How many that are surely within have each prominence from `least` on, and together. */
  readonly #counts: Uint32Array = new Uint32Array(PROMINENCES)
  #sure = 0

  constructor(circle: Circle, itemsMax: number) {
    this.#circle = circle
    this.#itemsMax = itemsMax
  }

  add(place: TreePlace): void {
    const { latitude, longitude, radiusMetres } = this.#circle
    const quick = quickMetres(latitude, longitude, place.latitude, place.longitude)
    const error = quickErrorMax(latitude, quick)
    if (quick - error > radiusMetres) return
    this.places.push(place)
    if (quick + error > radiusMetres) return
    this.#counts[place.prominence] = (this.#counts[place.prominence] ?? 0) + 1
    this.#sure++
    // Once there are enough without those of the least prominence, these don't matter any more.
    for (let count = this.#countOfLeast; this.#sure - count >= this.#itemsMax; count = this.#countOfLeast) {
      this.#sure -= count
      this.least++
    }
  }

  get #countOfLeast(): number {
    return this.#counts[this.least] ?? 0
  }
}
