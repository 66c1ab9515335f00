/**
 * How the globe is cut into cells: bands of equal height in latitude, each cut into as many cells as make them about
 * as wide as high; the poles and the antimeridian are ordinary places. There are three levels. A cell of the
 * coarsest, `TOP`, is about 22 km square; each cell of a level is cut into 8 × 8 of the next, so that a cell of the
 * finest, `FINE`, is about 350 m square.
 */

/** The levels: coarse, middle, fine. */
export const TOP = 0
export const FINE = 2
/** Cells of a level along each side of a cell of the level above: 2³. */
export const SPLIT_SHIFT = 3
const SPLIT_MASK = (1 << SPLIT_SHIFT) - 1

const TOP_BANDS_IN_DEGREE = 5
const TOP_BANDS = 180 * TOP_BANDS_IN_DEGREE
const RADIANS = Math.PI / 180

/** Cells in each band of the top level, and the number of the first cell of each. */
const CELLS_IN_BAND = new Int32Array(TOP_BANDS)
const FIRST_CELL = new Int32Array(TOP_BANDS)
for (let band = 0, cells = 0; band < TOP_BANDS; band++) {
  const middle = ((band + 0.5) / TOP_BANDS_IN_DEGREE - 90) * RADIANS
  CELLS_IN_BAND[band] = Math.max(1, Math.round(360 * TOP_BANDS_IN_DEGREE * Math.cos(middle)))
  FIRST_CELL[band] = cells
  cells += CELLS_IN_BAND[band] as number
}

/** An area between two parallels and two meridians, in degrees. `east` is never less than `west`: it may be over 180. */
export interface Bounds {
  readonly south: number
  readonly north: number
  readonly west: number
  readonly east: number
}

/** How many bands a level has. */
export function bandsAt(level: number): number {
  return TOP_BANDS << (SPLIT_SHIFT * level)
}

/** The band of a latitude in degrees. */
export function bandOf(level: number, latitude: number): number {
  const scale = TOP_BANDS_IN_DEGREE << (SPLIT_SHIFT * level)
  return Math.min(bandsAt(level) - 1, Math.max(0, Math.floor((latitude + 90) * scale)))
}

/** How many cells a band has. */
export function cellsInBand(level: number, band: number): number {
  const shift = SPLIT_SHIFT * level
  return (CELLS_IN_BAND[band >> shift] as number) << shift
}

/** The column of a longitude in degrees within a band; beyond the band's cells where the longitude is beyond ±180°. */
export function columnOf(level: number, band: number, longitude: number): number {
  return Math.floor(((longitude + 180) / 360) * cellsInBand(level, band))
}

/** A column of a band, brought back from beyond ±180°. */
export function wrapColumn(column: number, cells: number): number {
  // Columns are rarely beyond the edge, and a remainder takes as long as all the rest.
  return column >= 0 && column < cells ? column : ((column % cells) + cells) % cells
}

/** The number of a cell, unique in its level: 32 bits, as a signed integer. */
export function cellNumber(level: number, band: number, column: number): number {
  const shift = SPLIT_SHIFT * level
  const topBand = band >> shift
  const cellsBefore = Math.imul(band & ((1 << shift) - 1), (CELLS_IN_BAND[topBand] as number) << shift)
  return (Math.imul(FIRST_CELL[topBand] as number, 1 << (2 * shift)) + cellsBefore + column) | 0
}

/** Which of the 8 × 8 cells of the level above's cell this is: the bit that stands for it there. */
export function bitOf(band: number, column: number): number {
  return ((band & SPLIT_MASK) << SPLIT_SHIFT) | (column & SPLIT_MASK)
}

/** So far bounds are widened, in degrees (1 cm), that rounding at the border of a cell can't lose anyone. */
const BOUNDS_MARGIN = 1e-7

/** Bounds so much wider that everything on their border is in a cell that they reach. */
export function widen({ south, north, west, east }: Bounds): Bounds {
  return {
    south: south - BOUNDS_MARGIN,
    north: north + BOUNDS_MARGIN,
    west: west - BOUNDS_MARGIN,
    east: east + BOUNDS_MARGIN,
  }
}

/**
 * The bounds of a circle on the sphere.
 *
 * @param latitude @param longitude of its centre, in degrees. @param radius in radians.
 */
export function boundsAround(latitude: number, longitude: number, radius: number): Bounds {
  const reach = radius / RADIANS + BOUNDS_MARGIN
  const south = latitude - reach
  const north = latitude + reach
  if (south <= -90 || north >= 90) return { south, north, west: -180, east: 180 }
  // The widest parallel lies a little nearer to the pole than the centre.
  const width = Math.asin(Math.min(1, Math.sin(reach * RADIANS) / Math.cos(latitude * RADIANS))) / RADIANS
  return { south, north, west: longitude - width - BOUNDS_MARGIN, east: longitude + width + BOUNDS_MARGIN }
}
