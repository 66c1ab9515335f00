/**
 * Spots: the ground in whole numbers, so that near places mostly have near numbers (a Z-order curve). Every cell of
 * a grid that halves degrees again and again is one range of spots, so an index by spot finds what is within a
 * circle as a few ranges, at any scale. Pure.
 */
import { sphereRadians } from '../../locations/distance.ts'
import type { Circle } from '../best-places.ts'

/** Halvings of 360° of longitude and of 180° of latitude: 26 of each make a spot of 52 bits, a safe integer. */
export const DEPTH = 26

const HALF = 2 ** 13
const DEGREES = 180 / Math.PI
/** What rounding may do to a coordinate in [0, 1]: far above a double's, far below a place's own precision. */
const SLACK = 1e-12

/** Spots from `from` up to, but not including, `to`. */
export interface SpotRange {
  readonly from: number
  readonly to: number
}

/** A cell of the grid at some depth: column and row, counted from the west and the south. */
interface Cell {
  readonly column: number
  readonly row: number
}

/** In [0, 1], from west to east and from south to north. */
export interface Box {
  readonly west: number
  readonly east: number
  readonly south: number
  readonly north: number
}

/** The spot of a position in degrees, −90 … 90 and −180 … 180. */
export function spotOf(latitude: number, longitude: number): number {
  return spotOfCell({
    column: cellNumber((longitude + 180) / 360, DEPTH),
    row: cellNumber((latitude + 90) / 180, DEPTH),
  })
}

/**
 * Ranges that together hold every spot in a circle, and some more around it; in order and apart from each other.
 *
 * @param cellsMax as many cells at most, at the finest depth that has so few.
 */
export function spotsAround(circle: Circle, cellsMax: number): readonly SpotRange[] {
  const boxes = boxesAround(circle)
  let cells: readonly Cell[] = [{ column: 0, row: 0 }]
  let depth = 0
  while (depth < DEPTH) {
    const finer = cells.flatMap(quarters).filter((cell) => boxes.some((box) => touches(cell, depth + 1, box)))
    if (finer.length > cellsMax) break
    cells = finer
    depth++
  }
  return joined(cells, depth)
}

/**
 * The numbers of all cells at a depth that hold something of a circle: the spot of what is in a cell, divided by
 * `4 ** (DEPTH - depth)` and rounded down. Undefined when there are more than `cellsMax`, as around the poles.
 */
export function cellsAround(circle: Circle, depth: number, cellsMax: number): readonly number[] | undefined {
  const numbers = new Set<number>()
  for (const { west, east, south, north } of boxesAround(circle)) {
    const [firstColumn, lastColumn] = [cellNumber(west, depth), cellNumber(east, depth)]
    const [firstRow, lastRow] = [cellNumber(south, depth), cellNumber(north, depth)]
    if ((lastColumn - firstColumn + 1) * (lastRow - firstRow + 1) > cellsMax) return undefined
    for (let column = firstColumn; column <= lastColumn; column++) {
      for (let row = firstRow; row <= lastRow; row++) numbers.add(spotOfCell({ column, row }))
    }
  }
  return numbers.size > cellsMax ? undefined : [...numbers]
}

/** One box, or two where ±180° lies within. A circle that reaches a pole has all longitudes. */
export function boxesAround({ latitude, longitude, radiusMetres }: Circle): readonly Box[] {
  const angle = sphereRadians(radiusMetres)
  const degreesNorth = angle * DEGREES
  const south = Math.max(0, (latitude - degreesNorth + 90) / 180 - SLACK)
  const north = Math.min(1, (latitude + degreesNorth + 90) / 180 + SLACK)
  const ratio = Math.sin(angle) / Math.cos(latitude / DEGREES)
  if (angle >= Math.PI / 2 || Math.abs(latitude) + degreesNorth >= 90 || ratio >= 1) {
    return [{ west: 0, east: 1, south, north }]
  }
  const middle = (longitude + 180) / 360
  const half = (Math.asin(ratio) * DEGREES) / 360 + SLACK
  const [west, east] = [middle - half, middle + half]
  if (west < 0)
    return [
      { west: 0, east, south, north },
      { west: west + 1, east: 1, south, north },
    ]
  if (east > 1)
    return [
      { west, east: 1, south, north },
      { west: 0, east: east - 1, south, north },
    ]
  // −180° and 180° are the same line, but not the same spot.
  if (west === 0 || east === 1) {
    return [
      { west, east, south, north },
      { west: west === 0 ? 1 : 0, east: west === 0 ? 1 : 0, south, north },
    ]
  }
  return [{ west, east, south, north }]
}

function cellNumber(fraction: number, depth: number): number {
  return Math.max(0, Math.min(2 ** depth - 1, Math.floor(fraction * 2 ** depth)))
}

function quarters({ column, row }: Cell): readonly Cell[] {
  return [
    { column: 2 * column, row: 2 * row },
    { column: 2 * column + 1, row: 2 * row },
    { column: 2 * column, row: 2 * row + 1 },
    { column: 2 * column + 1, row: 2 * row + 1 },
  ]
}

function touches({ column, row }: Cell, depth: number, { west, east, south, north }: Box): boolean {
  return (
    column >= cellNumber(west, depth) &&
    column <= cellNumber(east, depth) &&
    row >= cellNumber(south, depth) &&
    row <= cellNumber(north, depth)
  )
}

function joined(cells: readonly Cell[], depth: number): readonly SpotRange[] {
  const size = 4 ** (DEPTH - depth)
  const ranges: { from: number; to: number }[] = []
  for (const number of cells.map(spotOfCell).sort((a, b) => a - b)) {
    const last = ranges.at(-1)
    if (last?.to === number * size) last.to += size
    else ranges.push({ from: number * size, to: (number + 1) * size })
  }
  return ranges
}

/** Interleaves the bits of column (even) and row (odd). Above 32 bits, JavaScript has no bit operations. */
function spotOfCell({ column, row }: Cell): number {
  const low = spread(column % HALF) + 2 * spread(row % HALF)
  const high = spread(Math.floor(column / HALF)) + 2 * spread(Math.floor(row / HALF))
  return high * HALF * HALF + low
}

/** Puts a 0 before each of 13 bits. */
function spread(bits: number): number {
  let x = bits
  x = (x | (x << 8)) & 0x00ff00ff
  x = (x | (x << 4)) & 0x0f0f0f0f
  x = (x | (x << 2)) & 0x33333333
  return (x | (x << 1)) & 0x55555555
}
