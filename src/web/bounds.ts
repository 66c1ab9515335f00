/** The smallest part of the map that has some points in it. Pure. */
import type { LonLat } from './trail.ts'

/** West may be greater than −180 and east greater than 180: the box goes on across the antimeridian. */
export interface Bounds {
  readonly west: number
  readonly south: number
  readonly east: number
  readonly north: number
}

/** The box that is narrowest, across the antimeridian or not; `null`: there are no points. */
export function boundsOf(points: Iterable<LonLat>): Bounds | null {
  const longitudes: number[] = []
  let [south, north] = [90, -90]
  for (const [longitude, latitude] of points) {
    longitudes.push(longitude)
    south = Math.min(south, latitude)
    north = Math.max(north, latitude)
  }
  longitudes.sort((a, b) => a - b)
  const [first] = longitudes
  const last = longitudes.at(-1)
  if (first === undefined || last === undefined) return null
  // The widest gap is what the box leaves out; the one across the antimeridian unless there is a wider one.
  let bounds: Bounds = { west: first, south, east: last, north }
  let widest = first + 360 - last
  for (const [index, longitude] of longitudes.entries()) {
    const next = longitudes[index + 1]
    if (next === undefined || next - longitude <= widest) continue
    widest = next - longitude
    bounds = { west: next, south, east: longitude + 360, north }
  }
  return bounds
}
