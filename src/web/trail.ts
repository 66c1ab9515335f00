/** Where a client has been. Pure. */

/** Longitude and latitude in degrees. */
export type LonLat = readonly [longitude: number, latitude: number]

/** Points of one trail. */
export const TRAIL_POINTS_MAX = 96
/** Nearer points than this are one, degrees: about a metre. */
const SAME_DEGREES = 1e-5
/** A trail is drawn in this many parts, each fainter than the next. */
export const TRAIL_PARTS = 3

/** The last points of a client, the oldest first. */
export class Trail {
  readonly #points: LonLat[] = []

  /** How many points there are. */
  get length(): number {
    return this.#points.length
  }

  /** Adds where the client is now. */
  add(point: LonLat): void {
    const last = this.#points.at(-1)
    if (last !== undefined && Math.hypot(last[0] - point[0], last[1] - point[1]) < SAME_DEGREES) return
    this.#points.push(point)
    if (this.#points.length > TRAIL_POINTS_MAX) this.#points.shift()
  }

  /**
   * The lines to draw, the oldest first, each joined to the next; empty ones are left out. @param head where the client is drawn: it
   * stands in place of the newest point.
   */
  parts(head: LonLat): LonLat[][] {
    const points = unwrapped([...this.#points.slice(0, -1), head])
    const size = Math.ceil((points.length - 1) / TRAIL_PARTS)
    const parts: LonLat[][] = []
    for (let end = points.length - 1; end > 0; end -= size) {
      parts.unshift(points.slice(Math.max(0, end - size), end + 1))
    }
    return parts
  }
}

/** The same points with longitudes that go on past ±180° where the client crossed the antimeridian; the last one is left as it is. */
export function unwrapped(points: readonly LonLat[]): LonLat[] {
  const result = [...points]
  for (let index = result.length - 2; index >= 0; index--) {
    const [next] = result[index + 1] ?? [0]
    const [longitude, latitude] = result[index] ?? [0, 0]
    result[index] = [longitude + 360 * Math.round((next - longitude) / 360), latitude]
  }
  return result
}
