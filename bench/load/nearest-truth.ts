import { clientOf, positionOf } from './city.ts'

const EARTH_RADIUS_KM = 6371.0088
const RADIANS = Math.PI / 180
/**
 * In this city the ellipsoid, by which herd measures, is within 0.25 % of the sphere; Redis has a sphere 0.03 %
 * larger.
 */
const DISTANCE_ERROR = 0.003
/** Redis rounds a position to some 0.3 m, herd to less; both ends of a distance are rounded. */
const ROUNDING_KM = 0.001

/** Knows where everyone is who has not moved, and finds the nearest by looking at all: slow, and simple. */
export class NearestTruth {
  readonly #latitudes: Float64Array
  readonly #longitudes: Float64Array

  constructor(clients: number) {
    this.#latitudes = Float64Array.from({ length: clients }, (_, client) => positionOf(client, 0).latitude)
    this.#longitudes = Float64Array.from({ length: clients }, (_, client) => positionOf(client, 0).longitude)
  }

  /**
   * What is wrong with an answer to "who are the nearest `items` within `radiusKm` of the client?", or `undefined`.
   * Clients whose distances differ by less than the error of the measure may take each other's place.
   */
  problemWith(asker: number, radiusKm: number, items: number, ids: readonly string[]): string | undefined {
    const distances = this.#distancesFrom(asker)
    const sorted = distances.filter((km) => km <= most(radiusKm)).toSorted()
    // The asker is not its own neighbor.
    const surely = Math.min(items, sorted.filter((km) => km <= least(radiusKm)).length - 1)
    const atMost = Math.min(items, sorted.length - 1)
    if (ids.length < surely || ids.length > atMost) return `${ids.length} clients, not ${surely} to ${atMost}`
    if (new Set(ids).size !== ids.length) return 'a client comes twice'

    const found = ids.map((id) => distances[clientOf(id)] ?? Number.NaN)
    if (ids.some((id) => clientOf(id) === asker)) return 'the asker is among the others'
    const furthest = sorted[ids.length] ?? 0
    const stranger = found.findIndex((km) => !(least(km) <= most(furthest)))
    if (stranger !== -1) return `${ids[stranger]} is ${found[stranger]} km away, others are nearer`
    const unsorted = found.findIndex((km, index) => most(km) < least(found[index - 1] ?? 0))
    if (unsorted !== -1) return `${ids[unsorted]} comes behind one that is further away`
    // All of them are near enough, and so many; what remains is that none is left out that must be there.
    const musts = sorted.filter((km) => most(km) < least(furthest)).length - 1
    const theirs = found.filter((km) => most(km) < least(furthest)).length
    return theirs < musts ? `${musts - theirs} nearer clients are left out` : undefined
  }

  #distancesFrom(asker: number): Float64Array {
    const latitude = this.#latitudes[asker] ?? Number.NaN
    const longitude = this.#longitudes[asker] ?? Number.NaN
    return this.#latitudes.map((other, index) =>
      haversineKm(latitude, longitude, other, this.#longitudes[index] ?? Number.NaN),
    )
  }
}

/** Distance on a sphere, of places in degrees. */
export function haversineKm(
  latitudeA: number,
  longitudeA: number,
  latitudeB: number,
  longitudeB: number,
): number {
  const north = Math.sin(((latitudeB - latitudeA) * RADIANS) / 2)
  const east = Math.sin(((longitudeB - longitudeA) * RADIANS) / 2)
  const square = north ** 2 + Math.cos(latitudeA * RADIANS) * Math.cos(latitudeB * RADIANS) * east ** 2
  return 2 * EARTH_RADIUS_KM * Math.asin(Math.sqrt(square))
}

function least(km: number): number {
  return km * (1 - DISTANCE_ERROR) - ROUNDING_KM
}

function most(km: number): number {
  return km * (1 + DISTANCE_ERROR) + ROUNDING_KM
}
