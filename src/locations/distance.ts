import geographiclib from 'geographiclib-geodesic'

/** Mean radius of the Earth in metres (IUGG). */
export const EARTH_RADIUS_METRES = 6_371_008.8
/** A sphere of that radius is off the ellipsoid's distances by less than this fraction, anywhere. */
const SPHERE_ERROR = 0.006
/** And by rounding, which shows at the poles: all longitudes are one place there. */
const SPHERE_ROUNDING_METRES = 1e-6

const RADIANS = Math.PI / 180

/** Distance on the sphere in metres (haversine): below `sphereMetresMax` of the true one. Degrees in. */
export function sphereMetres(
  latitudeA: number,
  longitudeA: number,
  latitudeB: number,
  longitudeB: number,
): number {
  const halfLatitude = Math.sin(((latitudeB - latitudeA) * RADIANS) / 2)
  const halfLongitude = Math.sin(((longitudeB - longitudeA) * RADIANS) / 2)
  const haversine =
    halfLatitude * halfLatitude +
    Math.cos(latitudeA * RADIANS) * Math.cos(latitudeB * RADIANS) * halfLongitude * halfLongitude
  return 2 * EARTH_RADIUS_METRES * Math.asin(Math.min(1, Math.sqrt(haversine)))
}

/** How far two places may be on the sphere when they are that far on the ellipsoid. */
export function sphereMetresMax(metres: number): number {
  return metres * (1 + SPHERE_ERROR) + SPHERE_ROUNDING_METRES
}

/** Distance on the WGS 84 ellipsoid in metres. Degrees in. */
export function ellipsoidMetres(
  latitudeA: number,
  longitudeA: number,
  latitudeB: number,
  longitudeB: number,
): number {
  const { Geodesic } = geographiclib
  return Geodesic.WGS84.Inverse(latitudeA, longitudeA, latitudeB, longitudeB, Geodesic.DISTANCE).s12 ?? 0
}
