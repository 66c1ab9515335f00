import { degreesAround, destination, type GlobePoint, GreatCircle } from './sphere.ts'

/** Where one is on a path. */
export interface PathPoint extends GlobePoint {
  /** Clockwise from north. */
  readonly heading: number
  /** Metres over ground for each metre of path: less than 1 where a corner is cut. */
  readonly stretch: number
}

/** A way, measured from its beginning. */
export interface Path {
  readonly metres: number
  at(metres: number): PathPoint
}

/** Metres east and north of a city's middle. */
export type PlanePoint = readonly [east: number, north: number]

/** Great circles from place to place. */
export function overGlobe(places: readonly GlobePoint[]): Path {
  const legs: { readonly from: number; readonly circle: GreatCircle }[] = []
  let metres = 0
  for (const [index, place] of places.entries()) {
    const next = places[index + 1]
    if (next === undefined) break
    const circle = new GreatCircle(place, next)
    legs.push({ from: metres, circle })
    metres += circle.metres
  }
  return {
    metres,
    at: (along) => {
      const leg = legs.findLast(({ from }) => along >= from) ?? legs[0]
      if (leg === undefined) throw new Error('a path has two places at least')
      return { ...leg.circle.at(Math.max(0, along - leg.from)), stretch: 1 }
    },
  }
}

/** There and back again: the second half is the first one the other way round. */
export function thereAndBack(path: Path): Path {
  return {
    metres: path.metres * 2,
    at: (along) => {
      if (along <= path.metres) return path.at(along)
      const point = path.at(path.metres * 2 - along)
      return { ...point, heading: degreesAround(point.heading + 180) }
    },
  }
}

/**
 * Streets of a city. Corners are rounded: one is where one would be on average over a few metres before and behind, so that
 * directions change smoothly, and speed with them.
 *
 * @param middle of the city. @param corners the last one is followed by the first where the way is closed.
 * @param round over how many metres to each side.
 */
export function overStreets(
  middle: GlobePoint,
  corners: readonly PlanePoint[],
  { isClosed, round }: { readonly isClosed: boolean; readonly round: number },
): Path {
  const first = corners[0] ?? [0, 0]
  const all = isClosed ? [...corners, first] : corners
  const starts = [0]
  for (const [index, corner] of all.slice(1).entries()) {
    starts.push((starts[index] ?? 0) + planeMetres(all[index] ?? first, corner))
  }
  const metres = starts.at(-1) ?? 0
  const cornered = (along: number): PlanePoint => {
    const at = isClosed ? ((along % metres) + metres) % metres : Math.max(0, Math.min(metres, along))
    const leg = Math.max(0, Math.min(all.length - 2, upTo(starts, at)))
    const [[fromEast, fromNorth], [toEast, toNorth]] = [all[leg] ?? first, all[leg + 1] ?? first]
    const start = starts[leg] ?? 0
    const length = (starts[leg + 1] ?? 0) - start
    const part = length === 0 ? 0 : (at - start) / length
    return [fromEast + (toEast - fromEast) * part, fromNorth + (toNorth - fromNorth) * part]
  }
  return {
    metres,
    at: (along) => {
      const [east, north] = averaged(cornered, along, round)
      const [behind, before] = [cornered(along - round), cornered(along + round)]
      const moved = planeMetres(behind, before)
      const heading = toHeading(before[0] - behind[0], before[1] - behind[1])
      const place = destination(middle, toHeading(east, north), Math.hypot(east, north))
      return { ...place, heading, stretch: moved / (2 * round) }
    },
  }
}

/** The average over a window, by Simpson's rule on so many pieces. */
const PIECES = 16

function averaged(point: (along: number) => PlanePoint, along: number, round: number): PlanePoint {
  let [east, north] = [0, 0]
  for (let piece = 0; piece <= PIECES; piece++) {
    const weight = (piece === 0 || piece === PIECES ? 1 : piece % 2 === 1 ? 4 : 2) / (3 * PIECES)
    const [pointEast, pointNorth] = point(along - round + (2 * round * piece) / PIECES)
    east += pointEast * weight
    north += pointNorth * weight
  }
  return [east, north]
}

function toHeading(east: number, north: number): number {
  return degreesAround((Math.atan2(east, north) * 180) / Math.PI)
}

function planeMetres([east, north]: PlanePoint, [otherEast, otherNorth]: PlanePoint): number {
  return Math.hypot(otherEast - east, otherNorth - north)
}

/** The index of the last start that is not beyond. */
function upTo(starts: readonly number[], at: number): number {
  return starts.findLastIndex((start) => start <= at)
}
