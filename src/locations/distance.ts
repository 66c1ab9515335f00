import geographiclib from 'geographiclib-geodesic'

/** Mean radius of the Earth in metres (IUGG). */
export const EARTH_RADIUS_METRES = 6_371_008.8
/** A sphere of that radius is off the ellipsoid's distances by less than this fraction, anywhere. */
const SPHERE_ERROR = 0.006
/** And by rounding, which shows at the poles: all longitudes are one place there. */
const SPHERE_ROUNDING_METRES = 1e-6

/** WGS 84: half the equator's diameter in metres, and the square of the eccentricity. */
const EQUATOR_RADIUS_METRES = 6_378_137
const ECCENTRICITY_SQUARED = 0.006_694_379_990_141_316
/** Up to here, and up to this latitude, the ground is taken for flat … */
const FLAT_METRES_MAX = 50_000
const FLAT_LATITUDE_MAX = 79
/** … which is wrong by less than this times the cube of the distance (three times what was found; see the test). */
const FLAT_ERROR = 1e-13
const FLAT_ROUNDING_METRES = 1e-7
/** Where the flat ground says that a place is farther, the sphere may still say that it is as near as this. */
const FLAT_METRES_SURE = 0.99 * FLAT_METRES_MAX

const RADIANS = Math.PI / 180

/**
 * Distance in metres, quickly: wrong by at most `quickErrorMax`. Degrees in.
 *
 * Near places by the radii of curvature at the latitude in the middle, far ones on the sphere.
 */
export function quickMetres(
  latitudeA: number,
  longitudeA: number,
  latitudeB: number,
  longitudeB: number,
): number {
  if (Math.abs(latitudeA) <= FLAT_LATITUDE_MAX) {
    let degreesEast = longitudeB - longitudeA
    if (degreesEast > 180) degreesEast -= 360
    else if (degreesEast < -180) degreesEast += 360
    const cosine = Math.cos(((latitudeA + latitudeB) / 2) * RADIANS)
    const flattening = 1 - ECCENTRICITY_SQUARED * (1 - cosine * cosine)
    const eastRadius = EQUATOR_RADIUS_METRES / Math.sqrt(flattening)
    const northRadius = (eastRadius * (1 - ECCENTRICITY_SQUARED)) / flattening
    const north = northRadius * (latitudeB - latitudeA) * RADIANS
    const east = eastRadius * cosine * degreesEast * RADIANS
    const metres = Math.sqrt(north * north + east * east)
    if (metres <= FLAT_METRES_MAX) return metres
  }
  return sphereMetres(latitudeA, longitudeA, latitudeB, longitudeB)
}

/** How far `quickMetres` may be from the truth where it says `metres`, measured from that latitude. */
export function quickErrorMax(latitudeA: number, metres: number): number {
  if (metres <= FLAT_METRES_SURE && Math.abs(latitudeA) <= FLAT_LATITUDE_MAX) {
    return FLAT_ERROR * metres * metres * metres + FLAT_ROUNDING_METRES
  }
  return SPHERE_ERROR * metres + SPHERE_ROUNDING_METRES
}

/** The angle in radians, on the sphere, within which everything lies that is within so many metres. */
export function sphereRadians(metres: number): number {
  return Math.min(Math.PI, (metres * (1 + SPHERE_ERROR) + SPHERE_ROUNDING_METRES) / EARTH_RADIUS_METRES)
}

/** Distance on the sphere in metres (haversine). Degrees in. */
function sphereMetres(latitudeA: number, longitudeA: number, latitudeB: number, longitudeB: number): number {
  const halfLatitude = Math.sin(((latitudeB - latitudeA) * RADIANS) / 2)
  const halfLongitude = Math.sin(((longitudeB - longitudeA) * RADIANS) / 2)
  const haversine =
    halfLatitude * halfLatitude +
    Math.cos(latitudeA * RADIANS) * Math.cos(latitudeB * RADIANS) * halfLongitude * halfLongitude
  return 2 * EARTH_RADIUS_METRES * Math.asin(Math.min(1, Math.sqrt(haversine)))
}

/** Distance on the WGS 84 ellipsoid in metres, to the nanometre. Degrees in. */
export function ellipsoidMetres(
  latitudeA: number,
  longitudeA: number,
  latitudeB: number,
  longitudeB: number,
): number {
  const { Geodesic } = geographiclib
  return Geodesic.WGS84.Inverse(latitudeA, longitudeA, latitudeB, longitudeB, Geodesic.DISTANCE).s12 ?? 0
}
