/** Circles on the ground. Pure. */
import type { LonLat } from './trail.ts'

/** Metres; a sphere is near enough for what is drawn. */
const EARTH_RADIUS = 6_371_008.8
const CORNERS = 64

/** The corners of a circle, closed; longitudes may go past ±180°. */
export function circleRing([longitude, latitude]: LonLat, radiusMetres: number): LonLat[] {
  const angle = Math.min(radiusMetres / EARTH_RADIUS, Math.PI)
  const phi = (latitude * Math.PI) / 180
  return Array.from({ length: CORNERS + 1 }, (_, corner): LonLat => {
    const bearing = ((corner % CORNERS) / CORNERS) * 2 * Math.PI
    const sin = Math.sin(phi) * Math.cos(angle) + Math.cos(phi) * Math.sin(angle) * Math.cos(bearing)
    const y = Math.sin(bearing) * Math.sin(angle) * Math.cos(phi)
    const x = Math.cos(angle) - Math.sin(phi) * sin
    return [
      longitude + (Math.atan2(y, x) * 180) / Math.PI,
      (Math.asin(Math.max(-1, Math.min(1, sin))) * 180) / Math.PI,
    ]
  })
}

/** Metres between two points, on a sphere. */
export function metresBetween([lon1, lat1]: LonLat, [lon2, lat2]: LonLat): number {
  const radians = Math.PI / 180
  const a =
    Math.sin(((lat2 - lat1) * radians) / 2) ** 2 +
    Math.cos(lat1 * radians) * Math.cos(lat2 * radians) * Math.sin(((lon2 - lon1) * radians) / 2) ** 2
  return 2 * EARTH_RADIUS * Math.asin(Math.min(1, Math.sqrt(a)))
}
