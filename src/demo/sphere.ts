/** A place on the globe, in degrees; longitudes from −180 up to, but not including, 180. */
export interface GlobePoint {
  readonly lat: number
  readonly lon: number
}

/** Mean radius: a demo needs no ellipsoid. */
const EARTH_METRES = 6_371_008.8
const RADIANS = Math.PI / 180

/** The great circle from one place to another. */
export class GreatCircle {
  readonly metres: number
  readonly #from: GlobePoint
  readonly #bearing: number

  constructor(from: GlobePoint, to: GlobePoint) {
    this.#from = from
    this.metres = angleBetween(from, to) * EARTH_METRES
    this.#bearing = bearing(from, to)
  }

  /** The place so far along it, and the direction there, in degrees clockwise from north. */
  at(metres: number): GlobePoint & { readonly heading: number } {
    const here = destination(this.#from, this.#bearing, metres)
    // The way back points the other way, and is never of length 0 but at the start.
    const heading = metres < 1 ? this.#bearing : bearing(here, this.#from) + 180
    return { ...here, heading: degreesAround(heading) }
  }
}

/** Where one is after so many metres in a direction, along a great circle. */
export function destination({ lat, lon }: GlobePoint, heading: number, metres: number): GlobePoint {
  const angle = metres / EARTH_METRES
  const [phi, theta] = [lat * RADIANS, heading * RADIANS]
  const sin = Math.sin(phi) * Math.cos(angle) + Math.cos(phi) * Math.sin(angle) * Math.cos(theta)
  const east = Math.sin(theta) * Math.sin(angle) * Math.cos(phi)
  const turned = Math.atan2(east, Math.cos(angle) - Math.sin(phi) * sin)
  return { lat: Math.asin(Math.max(-1, Math.min(1, sin))) / RADIANS, lon: longitude(lon + turned / RADIANS) }
}

/** Metres between two places. */
export function metresBetween(one: GlobePoint, other: GlobePoint): number {
  return angleBetween(one, other) * EARTH_METRES
}

/** The direction in which a great circle begins. */
export function bearing(from: GlobePoint, to: GlobePoint): number {
  const [phi, next] = [from.lat * RADIANS, to.lat * RADIANS]
  const lambda = (to.lon - from.lon) * RADIANS
  const east = Math.sin(lambda) * Math.cos(next)
  const north = Math.cos(phi) * Math.sin(next) - Math.sin(phi) * Math.cos(next) * Math.cos(lambda)
  return degreesAround(Math.atan2(east, north) / RADIANS)
}

/** A direction as a number from 0 up to, but not including, 360. */
export function degreesAround(degrees: number): number {
  const around = ((degrees % 360) + 360) % 360
  return around >= 360 ? 0 : around
}

function longitude(degrees: number): number {
  return degreesAround(degrees + 180) - 180
}

function angleBetween(one: GlobePoint, other: GlobePoint): number {
  const [phi, next] = [one.lat * RADIANS, other.lat * RADIANS]
  const haversine =
    Math.sin((next - phi) / 2) ** 2 +
    Math.cos(phi) * Math.cos(next) * Math.sin(((other.lon - one.lon) * RADIANS) / 2) ** 2
  return 2 * Math.asin(Math.min(1, Math.sqrt(haversine)))
}
