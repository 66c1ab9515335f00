import pointInPolygon from 'point-in-polygon-hao'
import type { Position } from '../protocol/index.ts'
import { type Bounds, widen } from './grid-cells.ts'

/** Around a place: answers are the nearest, nearest first. */
export interface Circle {
  readonly kind: 'circle'
  readonly center: Position
  /** How far at most, on the ellipsoid, bounds included. */
  readonly radiusMetres: number
}

/** Within an outline: answers are in the order of their IDs. */
export interface Shape {
  readonly kind: 'shape'
  /** Everything within lies well within these. */
  readonly bounds: Bounds
  /** What `contains` costs, where looking at a record costs 1. */
  readonly cost: number
  /** Says whether a place lies within or on the border. Degrees. */
  contains(latitude: number, longitude: number): boolean
}

/** Where a search looks. */
export type Area = Circle | Shape

/** Longitude and latitude in degrees, in this order, as in GeoJSON. */
export type LonLat = readonly [number, number, ...number[]]
/** Rings as in GeoJSON: the outline, then the holes; the last place of each is the first again. */
export type PolygonRings = readonly (readonly LonLat[])[]

/** Corners whose test takes about as long as looking at one record. */
const CORNERS_AT_COST_1 = 16

/** The area between two corners, both included; where west is east of east, it lies across ±180°. */
export function makeBox(southWest: Position, northEast: Position): Shape {
  const { latitude: south, longitude: west } = southWest
  const { latitude: north } = northEast
  const east = northEast.longitude < west ? northEast.longitude + 360 : northEast.longitude
  return {
    kind: 'shape',
    bounds: widen({ south, north, west, east }),
    cost: 1,
    contains: (latitude, longitude) =>
      latitude >= south &&
      latitude <= north &&
      ((longitude >= west && longitude <= east) || longitude + 360 <= east || longitude - 360 >= west),
  }
}

/**
 * The area within one or more polygons, borders included. As GeoJSON has it (RFC 7946): edges are straight lines in
 * longitude and latitude; what lies across ±180° is cut there in two, or goes on beyond it (181 is −179). The test
 * rests on robust predicates: polygons that share an edge agree on who is on which side of it.
 */
export function makePolygons(polygons: readonly PolygonRings[]): Shape {
  const parts = polygons.map((rings) => ({
    rings: rings.map((ring) => ring.map(([longitude, latitude]): [number, number] => [longitude, latitude])),
    bounds: boundsOf(rings[0] ?? []),
  }))
  const corners = polygons.flat().reduce((sum, ring) => sum + ring.length, 0)
  return {
    kind: 'shape',
    bounds: widen({
      south: Math.min(...parts.map((part) => part.bounds.south)),
      north: Math.max(...parts.map((part) => part.bounds.north)),
      west: Math.min(...parts.map((part) => part.bounds.west)),
      east: Math.max(...parts.map((part) => part.bounds.east)),
    }),
    cost: 1 + corners / CORNERS_AT_COST_1,
    contains: (latitude, longitude) =>
      parts.some(({ rings, bounds }) => {
        if (latitude < bounds.south || latitude > bounds.north) return false
        return [longitude - 360, longitude, longitude + 360].some(
          (turned) =>
            // 0: on the border.
            turned >= bounds.west &&
            turned <= bounds.east &&
            pointInPolygon([turned, latitude], rings) !== false,
        )
      }),
  }
}

function boundsOf(ring: readonly LonLat[]): Bounds {
  let [south, north, west, east] = [90, -90, 540, -540]
  for (const [longitude, latitude] of ring) {
    south = Math.min(south, latitude)
    north = Math.max(north, latitude)
    west = Math.min(west, longitude)
    east = Math.max(east, longitude)
  }
  return { south, north, west, east }
}
