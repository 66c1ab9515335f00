/** Moves positions to a coarse grid, so that those who ask nearby for what is best known share an answer. Pure. */
import type { Area } from './provider.ts'

const CELL_METRES_MIN = 10
const CELL_METRES_MAX = 500
/** A cell is this part of the radius: then most of the answer is the true one. */
const CELLS_IN_RADIUS = 100
/** A degree of a great circle of the WGS 84 sphere of equal volume, metres. */
const METRES_IN_DEGREE = 111_195
/** A tenth of a metre, which is far below a cell. */
const DIGITS = 6

/** How far the points of the grid lie apart at most, in metres. */
export function cellMetres(radiusMetres: number): number {
  return Math.min(CELL_METRES_MAX, Math.max(CELL_METRES_MIN, radiusMetres / CELLS_IN_RADIUS))
}

/**
 * The same circle around the next point of the grid. Its rows are parallels, the poles among them; each row has as
 * many points as it has room for, the first at −180°, which is +180°.
 */
export function snap<T extends Area>(area: T): T {
  const cell = cellMetres(area.radiusMetres)
  const rows = Math.ceil((180 * METRES_IN_DEGREE) / cell)
  const rowDegrees = 180 / rows
  const row = Math.round((area.latitude + 90) / rowDegrees)
  const latitude = -90 + row * rowDegrees
  // Where the row is widest, which is at its border towards the equator.
  const widest = Math.max(0, Math.abs(latitude) - rowDegrees / 2)
  const circumference = 360 * METRES_IN_DEGREE * Math.cos((widest * Math.PI) / 180)
  const columns = row === 0 || row === rows ? 1 : Math.ceil(circumference / cell)
  const column = Math.round(((area.longitude + 180) * columns) / 360) % columns
  const texts = [latitude, columns === 1 ? 0 : -180 + (column * 360) / columns].map(toText)
  const [snappedLatitude = 0, snappedLongitude = 0] = texts.map(Number)
  return { ...area, latitude: snappedLatitude, longitude: snappedLongitude, locationText: texts.join(',') }
}

/** Decimal text with no sign on a zero. */
function toText(degrees: number): string {
  return degrees.toFixed(DIGITS).replace(/^-(?=[0.]+$)/, '')
}
