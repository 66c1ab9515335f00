/** The world out of Natural Earth, and the names on it. Pure. */
import { feature, mesh } from 'topojson-client'
import type { GeometryCollection, Topology } from 'topojson-specification'
import { type LonLat, unwrapped } from './trail.ts'

/** The topology that the build makes of world-atlas. */
export type World = Topology<{ countries: GeometryCollection<{ name: string }> }>

/** `data/map-labels.json`: columns, the most important place first. */
export interface Labels {
  readonly names: readonly string[]
  /** In 1/100 of a degree. */
  readonly longitudes: readonly number[]
  readonly latitudes: readonly number[]
  /** The numbers of those that are capitals. */
  readonly capitals: readonly number[]
}

type Features = GeoJSON.FeatureCollection

/** The land, one feature for each country, on a flat map: what crosses the antimeridian goes on past ±180°. */
export function landOf(world: World): Features {
  const { features } = feature(world, world.objects.countries)
  return collection(features.map((country) => ({ ...country, geometry: flat(country.geometry) })))
}

function flat(geometry: GeoJSON.Geometry): GeoJSON.Geometry {
  if (geometry.type === 'Polygon') return { ...geometry, coordinates: geometry.coordinates.map(flatRing) }
  if (geometry.type !== 'MultiPolygon') return geometry
  return { ...geometry, coordinates: geometry.coordinates.map((rings) => rings.map(flatRing)) }
}

/** A ring without jumps from one edge of the map to the other; one around a pole is led along the edge of the map. */
export function flatRing(ring: readonly GeoJSON.Position[]): GeoJSON.Position[] {
  const points = unwrapped(ring.map(([longitude = 0, latitude = 0]): LonLat => [longitude, latitude]))
  const [first = [0, 0]] = points
  const last = points.at(-1) ?? first
  const flatPoints = points.map((at) => [...at])
  if (Math.abs(first[0] - last[0]) < 180) return flatPoints
  const pole = first[1] < 0 ? -90 : 90
  return [...flatPoints, [last[0], pole], [first[0], pole], [...first]]
}

/** The borders between countries. */
export function bordersOf(world: World): GeoJSON.Feature {
  const geometry = mesh(world, world.objects.countries, (a, b) => a !== b)
  return { type: 'Feature', properties: {}, geometry }
}

/** The names of countries, each in the middle of its largest part; `area` in square degrees as they are drawn. */
export function countryNames(land: Features): Features {
  return collection(
    land.features.flatMap(({ geometry, properties }) => {
      const rings = geometry.type === 'Polygon' ? [geometry.coordinates[0]] : []
      if (geometry.type === 'MultiPolygon') rings.push(...geometry.coordinates.map(([outer]) => outer))
      const [largest] = rings
        .flatMap((ring) => (ring === undefined ? [] : [middleOf(ring)]))
        .toSorted((a, b) => b.area - a.area)
      return largest === undefined
        ? []
        : [point(largest.middle, { name: properties?.name, area: largest.area })]
    }),
  )
}

/** The names of towns; `rank` 0 is the most important one. */
export function townNames({ names, longitudes, latitudes, capitals }: Labels): Features {
  const isCapital = new Set(capitals)
  return collection(
    names.map((name, rank) =>
      point([(longitudes[rank] ?? 0) / 100, (latitudes[rank] ?? 0) / 100], {
        ...{ name, rank },
        ...(isCapital.has(rank) && { capital: true }),
      }),
    ),
  )
}

/** Lines each ten degrees. */
export function graticule(): GeoJSON.Feature {
  const lines: GeoJSON.Position[][] = []
  for (let longitude = -180; longitude < 180; longitude += 10) {
    lines.push(Array.from({ length: 35 }, (_, step) => [longitude, step * 5 - 85]))
  }
  for (let latitude = -80; latitude <= 80; latitude += 10) {
    lines.push(Array.from({ length: 73 }, (_, step) => [step * 5 - 180, latitude]))
  }
  return { type: 'Feature', properties: {}, geometry: { type: 'MultiLineString', coordinates: lines } }
}

/** A collection of features. */
export function collection(features: GeoJSON.Feature[]): Features {
  return { type: 'FeatureCollection', features }
}

/** A point with properties. */
export function point(coordinates: LonLat, properties: GeoJSON.GeoJsonProperties): GeoJSON.Feature {
  return { type: 'Feature', properties, geometry: { type: 'Point', coordinates: [...coordinates] } }
}

function middleOf(ring: readonly GeoJSON.Position[]): { readonly middle: LonLat; readonly area: number } {
  let [area, x, y] = [0, 0, 0]
  for (const [index, [x1 = 0, y1 = 0]] of ring.slice(0, -1).entries()) {
    const [x2 = 0, y2 = 0] = ring[index + 1] ?? []
    const cross = x1 * y2 - x2 * y1
    area += cross / 2
    x += (x1 + x2) * cross
    y += (y1 + y2) * cross
  }
  const middle: LonLat = area === 0 ? [0, 0] : [x / (6 * area), y / (6 * area)]
  // What lies far from the equator is drawn larger.
  return { middle, area: Math.abs(area) / Math.max(0.1, Math.cos((middle[1] * Math.PI) / 180)) }
}
