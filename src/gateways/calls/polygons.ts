import { Type } from 'typebox'
import { Value } from 'typebox/value'
import { makePolygons, type PolygonRings, type Shape } from '../../locations/index.ts'

/** Corners of all rings together: they are what a search within polygons costs. */
export const CORNERS_MAX = 4096

const place = Type.Tuple([
  Type.Number({ minimum: -360, maximum: 360 }),
  Type.Number({ minimum: -90, maximum: 90 }),
])
const rings = Type.Array(Type.Array(place, { minItems: 4 }), { minItems: 1 })
const polygon = Type.Object({ type: Type.Literal('Polygon'), coordinates: rings })
const multiPolygon = Type.Object({
  type: Type.Literal('MultiPolygon'),
  coordinates: Type.Array(rings, { minItems: 1 }),
})

/**
 * Reads the GeoJSON (RFC 7946) of a Polygon or MultiPolygon, positions without altitude.
 *
 * @returns `null` when it is none: wrong type, a ring that isn't closed, a place that isn't on Earth, or more than
 *   `CORNERS_MAX` corners.
 */
export function readPolygons(text: string): Shape | null {
  return polygonsOf(parseJson(text))
}

/** Does the same with what was parsed already. */
export function polygonsOf(geometry: unknown): Shape | null {
  let polygons: readonly PolygonRings[]
  if (Value.Check(polygon, geometry)) polygons = [geometry.coordinates]
  else if (Value.Check(multiPolygon, geometry)) polygons = geometry.coordinates
  else return null
  const all = polygons.flat()
  if (all.reduce((sum, ring) => sum + ring.length, 0) > CORNERS_MAX) return null
  return all.every(isClosed) ? makePolygons(polygons) : null
}

function isClosed(ring: PolygonRings[number]): boolean {
  const [first, last] = [ring[0], ring.at(-1)]
  return first?.[0] === last?.[0] && first?.[1] === last?.[1]
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}
