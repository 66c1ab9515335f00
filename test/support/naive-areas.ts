/**
 * Boxes and polygons as a school book has them, in whole numbers: places are 64ths of a degree, which doubles, six
 * decimals and integers all hold exactly. So borders are decided exactly too.
 */
import type { NaiveFix } from './naive-table.ts'

/** Longitude and latitude in 64ths of a degree. */
export type Spot = readonly [number, number]
/** An outline, then its holes; the last spot of each ring is the first again. */
export type SpotRings = readonly (readonly Spot[])[]

const IN_DEGREE = 64
const ROUND = 360 * IN_DEGREE

/** Degrees. */
export function degrees(units: number): number {
  return units / IN_DEGREE
}

/** `+34.015625-118.500000`: a spot as clients report it, brought back from beyond ±180° and ±90°. */
export function spotText([x, y]: Spot): string {
  const wrapped = x > ROUND / 2 ? x - ROUND : x < -ROUND / 2 ? x + ROUND : x
  return signed(clipLatitude(y)) + signed(wrapped)
}

/** No latitude is beyond a pole. */
export function clipLatitude(y: number): number {
  return Math.max(-90 * IN_DEGREE, Math.min(90 * IN_DEGREE, y))
}

function signed(units: number): string {
  return (units < 0 ? '' : '+') + degrees(units).toFixed(6)
}

/** The names that a client's place has on an endless map. */
function spotsOf({ latitude, longitude }: NaiveFix): Spot[] {
  const [x, y] = [longitude * IN_DEGREE, latitude * IN_DEGREE]
  if (!Number.isInteger(x) || !Number.isInteger(y)) throw new Error('not a 64th of a degree')
  return [
    [x - ROUND, y],
    [x, y],
    [x + ROUND, y],
  ]
}

/** Says whether a client is in a box or on its border; a box whose west is east of its east goes across ±180°. */
export function isInBox(fix: NaiveFix, [west, south]: Spot, [east, north]: Spot): boolean {
  const end = east < west ? east + ROUND : east
  return spotsOf(fix).some(([x, y]) => x >= west && x <= end && y >= south && y <= north)
}

/** Says whether a client is in one of the polygons or on a border. */
export function isInPolygons(fix: NaiveFix, polygons: readonly SpotRings[]): boolean {
  return spotsOf(fix).some((spot) => polygons.some((rings) => isInRings(spot, rings)))
}

/** On any edge, or with an odd number of edges to the east. */
function isInRings([x, y]: Spot, rings: SpotRings): boolean {
  let isOdd = false
  for (const ring of rings) {
    for (let corner = 1; corner < ring.length; corner++) {
      const [[x1, y1], [x2, y2]] = [ring[corner - 1], ring[corner]] as [Spot, Spot]
      const side = (x2 - x1) * (y - y1) - (y2 - y1) * (x - x1)
      const isBeside = x >= Math.min(x1, x2) && x <= Math.max(x1, x2)
      if (side === 0 && isBeside && y >= Math.min(y1, y2) && y <= Math.max(y1, y2)) return true
      if (y1 > y !== y2 > y && side > 0 === y2 > y1) isOdd = !isOdd
    }
  }
  return isOdd
}
