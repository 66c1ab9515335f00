/**
 * The file of places that comes with the package: how it is written (by `scripts/build-places.ts`) and read.
 * Columns of little-endian numbers in the order of a kd-tree, so that the index needs no sorting and no column
 * of its own when it is loaded; names stay bytes until one is asked for. Pure.
 *
 *     header      Uint32: magic, version, count of places, of vicinities, of airport codes
 *     longitudes  Int32 each, in 1/100,000 of a degree
 *     latitudes   Int32 each, likewise
 *     ids         Int32 each: GeoNames id (0: not known), or for an airport the number of its code
 *     vicinities  Uint16 each: number of a vicinity
 *     kinds       Uint8 each: number of a place kind
 *     prominences Uint8 each: how well known, as prominence.ts counts it
 *     three string tables (names, vicinities, airport codes): Uint8 lengths of all, then UTF-8 bytes of all
 */
import KDBush from 'kdbush'

/** What a place is, as far as its source tells. The order is the file format's. */
export const placeKinds = ['locality', 'sublocality', 'airport'] as const

/** One of `placeKinds`. */
export type PlaceKind = (typeof placeKinds)[number]

/** What Google calls such a place, from specific to general. */
export const typesOfKind: Readonly<Record<PlaceKind, readonly string[]>> = {
  locality: ['locality', 'political'],
  sublocality: ['sublocality', 'political'],
  airport: ['airport', 'point_of_interest', 'establishment'],
}

/** One place of the embedded file. */
export interface Place {
  readonly name: string
  /** Decimal degrees, five decimals. */
  readonly latitude: number
  /** Decimal degrees, five decimals. */
  readonly longitude: number
  readonly kind: PlaceKind
  /** Region and country, or city and country. */
  readonly vicinity: string
  /** How well known it is, 0 … 255: `prominenceOf`. */
  readonly prominence: number
  /** An airport's OurAirports code, else the GeoNames id in decimal, or empty when that isn't known. */
  readonly sourceId: string
}

const MAGIC = 0x31_44_52_48 // "HRD1" in the file
const VERSION = 2
const HEADER_NUMBERS = 5
const UNITS_PER_DEGREE = 100_000
/** Places in a leaf of the kd-tree. It shapes the order of the columns, so it belongs to the format. */
const NODE_SIZE = 64
/** Bytes of the columns, for each place. */
const NUMBERS_BYTES = 3 * 4 + 2 + 1 + 1

/** The file's bytes can't be those that `encodePlaces` wrote. */
export class PlaceTableBroken extends Error {
  override readonly name = 'PlaceTableBroken'
}

/** Places read out of a file's bytes, with the index to find them by. */
export class PlaceTable {
  /** Finds the numbers of places by longitude and latitude, in degrees. */
  readonly index: KDBush
  /** Of every place, by its number. */
  readonly prominences: Uint8Array
  readonly #ids: Int32Array
  readonly #vicinityOf: Uint16Array
  readonly #kinds: Uint8Array
  readonly #names: StringTable
  readonly #vicinities: readonly string[]
  readonly #codes: StringTable

  /**
   * Takes the uncompressed file.
   *
   * @throws {PlaceTableBroken} when these aren't the bytes of such a file, or the machine is big-endian.
   */
  constructor(bytes: Uint8Array) {
    const buffer = new Uint8Array(bytes).buffer // A copy of its own is aligned, which the columns need.
    if (buffer.byteLength < HEADER_NUMBERS * 4) throw new PlaceTableBroken('The file of places is too short.')
    const [magic, version, count = 0, vicinities = 0, codes = 0] = new Uint32Array(buffer, 0, HEADER_NUMBERS)
    if (magic !== MAGIC || version !== VERSION) {
      throw new PlaceTableBroken('The file of places has another format, or this machine is big-endian.')
    }
    const fixedBytes = HEADER_NUMBERS * 4 + count * NUMBERS_BYTES
    if (buffer.byteLength < fixedBytes) throw new PlaceTableBroken('The file of places is cut short.')

    const columnsAt = HEADER_NUMBERS * 4
    const longitudes = new Int32Array(buffer, columnsAt, count)
    const latitudes = new Int32Array(buffer, columnsAt + count * 4, count)
    this.#ids = new Int32Array(buffer, columnsAt + count * 8, count)
    this.#vicinityOf = new Uint16Array(buffer, columnsAt + count * 12, count)
    this.#kinds = new Uint8Array(buffer, columnsAt + count * 14, count)
    this.prominences = new Uint8Array(buffer, columnsAt + count * 15, count)
    this.#names = new StringTable(buffer, fixedBytes, count)
    const vicinityTable = new StringTable(buffer, this.#names.end, vicinities)
    // Few, and each for many places.
    this.#vicinities = Array.from({ length: vicinities }, (_, vicinity) => vicinityTable.at(vicinity))
    this.#codes = new StringTable(buffer, vicinityTable.end, codes)
    this.index = indexInOrder(longitudes, latitudes)
  }

  /** How many places there are. */
  get count(): number {
    return this.#ids.length
  }

  /** Where the place of a number below `count` lies, in decimal degrees. */
  position(place: number): Pick<Place, 'latitude' | 'longitude'> {
    // In tree order, a place's number is its position in the index too.
    const { coords } = this.index
    return { longitude: coords[2 * place] ?? 0, latitude: coords[2 * place + 1] ?? 0 }
  }

  /** What the place of a number below `count` is. */
  kindOf(place: number): PlaceKind {
    return placeKinds[this.#kinds[place] ?? 0] ?? 'locality'
  }

  /** What the place of a number below `count` is called. */
  nameOf(place: number): string {
    return this.#names.at(place)
  }

  /** The place of a number below `count`. */
  at(place: number): Place {
    const kind = this.kindOf(place)
    const id = this.#ids[place] ?? 0
    const { latitude, longitude } = this.position(place)
    return {
      name: this.nameOf(place),
      latitude,
      longitude,
      kind,
      vicinity: this.#vicinities[this.#vicinityOf[place] ?? 0] ?? '',
      prominence: this.prominences[place] ?? 0,
      sourceId: kind === 'airport' ? this.#codes.at(id) : id === 0 ? '' : String(id),
    }
  }
}

/**
 * Writes places as such a file, uncompressed. The same places in the same order give the same bytes.
 *
 * @throws {RangeError} when there are more vicinities, or longer names, than the format holds.
 */
export function encodePlaces(places: readonly Place[]): Uint8Array {
  const sorted = inTreeOrder(places)
  const vicinities = [...new Set(sorted.map((place) => place.vicinity))]
  if (vicinities.length > 0xffff) throw new RangeError('more vicinities than 16 bits can number')
  const vicinityNumbers = new Map(vicinities.map((vicinity, number) => [vicinity, number]))
  const codes = sorted.filter((place) => place.kind === 'airport').map((place) => place.sourceId)
  const codeNumbers = new Map(codes.map((code, number) => [code, number]))

  return Buffer.concat([
    bytesOf(Uint32Array.of(MAGIC, VERSION, sorted.length, vicinities.length, codes.length)),
    bytesOf(Int32Array.from(sorted, (place) => toUnits(place.longitude))),
    bytesOf(Int32Array.from(sorted, (place) => toUnits(place.latitude))),
    bytesOf(Int32Array.from(sorted, (place) => idOf(place, codeNumbers))),
    bytesOf(Uint16Array.from(sorted, (place) => vicinityNumbers.get(place.vicinity) ?? 0)),
    bytesOf(Uint8Array.from(sorted, (place) => placeKinds.indexOf(place.kind))),
    bytesOf(Uint8Array.from(sorted, (place) => place.prominence)),
    ...[sorted.map((place) => place.name), vicinities, codes].flatMap(encodeStrings),
  ])
}

function idOf(place: Place, codeNumbers: ReadonlyMap<string, number>): number {
  return place.kind === 'airport' ? (codeNumbers.get(place.sourceId) ?? 0) : Number(place.sourceId)
}

function toUnits(degrees: number): number {
  return Math.round(degrees * UNITS_PER_DEGREE)
}

function bytesOf(column: Uint32Array | Int32Array | Uint16Array | Uint8Array): Uint8Array {
  return new Uint8Array(column.buffer, column.byteOffset, column.byteLength)
}

function encodeStrings(texts: readonly string[]): readonly Uint8Array[] {
  const all = texts.map((text) => Buffer.from(text))
  if (all.some((bytes) => bytes.length > 0xff)) throw new RangeError('a text of more than 255 bytes')
  return [Uint8Array.from(all, (bytes) => bytes.length), Buffer.concat(all)]
}

/** Sorts as the index itself would, so that a place's number is its position in the tree. */
function inTreeOrder(places: readonly Place[]): readonly Place[] {
  const index = new KDBush(places.length, NODE_SIZE, Float64Array)
  for (const place of places) index.add(toUnits(place.longitude), toUnits(place.latitude))
  index.finish()
  return Array.from(index.ids, (number) => places[number]).filter((place) => place !== undefined)
}

/** Builds the index of columns that lie in tree order already: it is filled in, not sorted. */
function indexInOrder(longitudes: Int32Array, latitudes: Int32Array): KDBush {
  const { data, ids, coords } = new KDBush(longitudes.length, NODE_SIZE, Float64Array)
  for (let place = 0; place < longitudes.length; place++) {
    ids[place] = place
    coords[2 * place] = (longitudes[place] ?? 0) / UNITS_PER_DEGREE
    coords[2 * place + 1] = (latitudes[place] ?? 0) / UNITS_PER_DEGREE
  }
  return KDBush.from(data)
}

/** Many short texts in one piece of memory, each decoded when it is asked for. */
class StringTable {
  /** Index after the table in its buffer. */
  readonly end: number
  readonly #bytes: Buffer
  readonly #starts: Uint32Array

  constructor(buffer: ArrayBuffer, start: number, count: number) {
    if (start + count > buffer.byteLength) throw new PlaceTableBroken('The file of places is cut short.')
    const lengths = new Uint8Array(buffer, start, count)
    this.#starts = new Uint32Array(count + 1)
    let at = start + count
    for (let text = 0; text < count; text++) {
      this.#starts[text] = at
      at += lengths[text] ?? 0
    }
    this.#starts[count] = at
    if (at > buffer.byteLength) throw new PlaceTableBroken('The file of places is cut short.')
    this.#bytes = Buffer.from(buffer)
    this.end = at
  }

  at(text: number): string {
    return this.#bytes.toString('utf8', this.#starts[text], this.#starts[text + 1])
  }
}
