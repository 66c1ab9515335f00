import { haversineKm } from './nearest-truth.ts'
import type { Position } from './places-clients.ts'

/** The ellipsoid, by which herd measures, is within 0.56 % of the sphere; Redis has a sphere 0.03 % larger. */
const DISTANCE_ERROR = 0.006
/** Redis rounds a position to some 0.3 m, herd to a metre; both ends of a distance are rounded. */
const ROUNDING_KM = 0.003

/** What an answer must keep to: the nearest of all, some that are in the circle, or no more than how many there are. */
export type Expected = 'nearest' | 'inside' | 'items'

/** Finds what is near by looking at every place: slow, and simple. */
export class PlacesTruth {
  readonly #places: readonly Position[]

  constructor(places: readonly Position[]) {
    this.#places = places
  }

  /** What is wrong with an answer to "which places are within `radiusKm` of here?", or `undefined`. */
  problemWith(
    centre: Position,
    radiusKm: number,
    items: number,
    answer: readonly Position[],
    expected: Expected,
  ): string | undefined {
    if (expected === 'items') {
      return answer.length === items ? undefined : `${answer.length} places, not ${items}`
    }
    const all = this.#places.map((place) => kmBetween(centre, place)).toSorted((a, b) => a - b)
    const within = (km: number): number => Math.min(items, all.filter((one) => one <= km).length)
    const [surely, atMost] = [within(least(radiusKm)), within(most(radiusKm))]
    if (answer.length < surely || answer.length > atMost) {
      return `${answer.length} places, not ${surely} to ${atMost}`
    }
    const found = answer.map((place) => kmBetween(centre, place))
    const outside = found.find((km) => !(km <= most(radiusKm)))
    if (outside !== undefined) return `a place is ${outside} km away`
    if (expected === 'inside') return undefined
    const unsorted = found.findIndex((km, index) => most(km) < least(found[index - 1] ?? 0))
    if (unsorted !== -1) return `place ${unsorted} comes behind one that is farther away`
    // By another measure other places may be nearest, but none by more than the measures differ.
    const farther = found
      .toSorted((a, b) => a - b)
      .findIndex((km, index) => least(km) > most(all[index] ?? 0))
    return farther === -1
      ? undefined
      : `there are more than ${farther} places nearer than ${found[farther]} km`
  }
}

function kmBetween(a: Position, b: Position): number {
  return haversineKm(a.latitude, a.longitude, b.latitude, b.longitude)
}

function least(km: number): number {
  return km * (1 - DISTANCE_ERROR) - ROUNDING_KM
}

function most(km: number): number {
  return km * (1 + DISTANCE_ERROR) + ROUNDING_KM
}
