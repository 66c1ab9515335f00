/**
 * How the globe is cut into cells: bands of equal height in latitude, each cut into as many cells as make them
 * about as wide as high. So a cell is about 1.1 km square everywhere; the poles and the antimeridian are ordinary
 * places.
 */

/** Bands in one degree of latitude. */
const BANDS_IN_DEGREE = 100
export const BANDS: number = 180 * BANDS_IN_DEGREE
const RADIANS = Math.PI / 180
/** Height of a band in radians. */
export const BAND_RADIANS: number = RADIANS / BANDS_IN_DEGREE

/** Cells in each band, and the number of the first cell of each. */
const CELLS_IN_BAND = new Int32Array(BANDS)
const FIRST_CELL = new Int32Array(BANDS)
for (let band = 0, cells = 0; band < BANDS; band++) {
  const middle = ((band + 0.5) / BANDS_IN_DEGREE - 90) * RADIANS
  CELLS_IN_BAND[band] = Math.max(1, Math.round(360 * BANDS_IN_DEGREE * Math.cos(middle)))
  FIRST_CELL[band] = cells
  cells += CELLS_IN_BAND[band] as number
}

/** The band of a latitude in degrees. */
export function bandOf(latitude: number): number {
  return Math.min(BANDS - 1, Math.max(0, Math.floor((latitude + 90) * BANDS_IN_DEGREE)))
}

/** How many cells a band has. */
export function cellsInBand(band: number): number {
  return CELLS_IN_BAND[band] as number
}

/** The column of a longitude in degrees within a band; may be one too large or small at ±180°: see `cellAt`. */
export function columnOf(longitude: number, band: number): number {
  return Math.floor(((longitude + 180) / 360) * cellsInBand(band))
}

/** The number of a cell; columns wrap around. */
export function cellAt(band: number, column: number): number {
  const cells = cellsInBand(band)
  // Columns are rarely beyond the edge, and a remainder takes as long as all the rest.
  const wrapped = column >= 0 && column < cells ? column : ((column % cells) + cells) % cells
  return (FIRST_CELL[band] as number) + wrapped
}

/** The number of the cell that holds a position, in degrees. */
export function cellOf(latitude: number, longitude: number): number {
  const band = bandOf(latitude)
  return cellAt(band, columnOf(longitude, band))
}

/**
 * Half the width in longitude, in radians, that a circle on the sphere has within a band; −1 if it doesn't reach
 * the band, π if it goes all the way round (as it does around a pole).
 *
 * @param latitude of the centre, in radians. @param radius of the circle, in radians.
 */
export function halfWidthInBand(band: number, latitude: number, radius: number): number {
  const south = band * BAND_RADIANS - Math.PI / 2
  const north = south + BAND_RADIANS
  if (latitude + radius < south || latitude - radius > north) return -1
  let width = Math.max(halfWidthAt(south, latitude, radius), halfWidthAt(north, latitude, radius))
  // A circle is widest at sin φ = sin φ₀ / cos r, a little nearer to the pole than its centre; it may lie inside the
  // band and not reach either edge.
  const sineWidest = Math.sin(latitude) / Math.cos(radius)
  // So near to a pole that the sine is rounded to 1, or with the pole inside: then its centre does as well.
  const widest = Math.abs(sineWidest) < 1 ? Math.asin(sineWidest) : latitude
  if (isBetween(south, widest, north) || isBetween(south, latitude, north)) {
    const sineWidth = Math.sin(radius) / Math.cos(latitude)
    width = Math.max(width, sineWidth < 1 ? Math.asin(sineWidth) : Math.PI)
  }
  return width
}

function isBetween(low: number, value: number, high: number): boolean {
  return low <= value && value <= high
}

/** By haversines, which lose nothing where angles are small: a radius may be a few centimetres. */
function halfWidthAt(at: number, latitude: number, radius: number): number {
  const room = haversine(radius) - haversine(at - latitude)
  const cosines = Math.cos(at) * Math.cos(latitude)
  if (room <= 0) return 0
  return room >= cosines ? Math.PI : 2 * Math.asin(Math.sqrt(room / cosines))
}

function haversine(angle: number): number {
  return Math.sin(angle / 2) ** 2
}
