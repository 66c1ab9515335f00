/**
 * Places of Overture Maps (https://docs.overturemaps.org/schema/reference/places/place/) and of Foursquare Open Source
 * Places (https://docs.foursquare.com/data-products/docs/places-os-data-schema), whether they come as GeoJSON
 * features or as rows of Parquet: both are fields by name. Pure.
 */
import { prominenceOf } from '../prominence.ts'
import { typesOfCategories } from './category-types.ts'
import { type ImportedPlace, isOnGround } from './imported-place.ts'

/** A row, or the properties of a feature with its `id` and `geometry`. */
export type Fields = Readonly<Record<string, unknown>>

/** Whose fields they are. */
export type RecordSource = 'overture' | 'foursquare'

/** Whose fields these are, by their names; undefined when they are neither's. */
export function sourceOfFields(names: readonly string[]): RecordSource | undefined {
  if (names.includes('fsq_place_id')) return 'foursquare'
  return names.includes('names') ? 'overture' : undefined
}

/** The columns that are read. */
export const RECORD_COLUMNS: Readonly<Record<RecordSource, readonly string[]>> = {
  overture: [
    'id',
    'geometry',
    'names',
    'categories',
    'basic_category',
    'taxonomy',
    'addresses',
    'confidence',
    'operating_status',
    'wikidata',
  ],
  foursquare: [
    'fsq_place_id',
    'name',
    'latitude',
    'longitude',
    'address',
    'locality',
    'fsq_category_labels',
    'date_closed',
    'geometry',
  ],
}

/** It is an object. */
export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The place of a record; undefined when it has no name or position, or is closed for good. */
export function placeOfRecord(source: RecordSource, fields: Fields): ImportedPlace | undefined {
  return source === 'overture' ? placeOfOverture(fields) : placeOfFoursquare(fields)
}

function placeOfOverture(fields: Fields): ImportedPlace | undefined {
  const id = text(fields, 'id')
  const name = text(fields, 'names', 'primary')
  const point = pointOf(at(fields, 'geometry'))
  if (id === '' || name === '' || point === undefined) return undefined
  if (text(fields, 'operating_status') === 'permanently_closed') return undefined
  const categories = [
    ...[
      text(fields, 'categories', 'primary'),
      text(fields, 'taxonomy', 'primary'),
      text(fields, 'basic_category'),
    ],
    ...texts(at(fields, 'categories', 'alternate')),
  ]
  const types = typesOfCategories(categories)
  const [address] = list(at(fields, 'addresses'))
  return {
    placeId: `overture:${id}`,
    name,
    types,
    ...point,
    prominence: prominenceOf({ types, hasArticle: text(fields, 'wikidata') !== '' }),
    vicinity: vicinityOf(text(address, 'freeform'), text(address, 'locality')),
  }
}

function placeOfFoursquare(fields: Fields): ImportedPlace | undefined {
  const { geometry, latitude, longitude, date_closed, fsq_category_labels } = fields
  const id = text(fields, 'fsq_place_id')
  const name = text(fields, 'name')
  const point = pointOf(geometry) ?? positionOf(latitude, longitude)
  const isClosed = date_closed !== undefined && date_closed !== null
  if (id === '' || name === '' || point === undefined || isClosed) return undefined
  // `Dining and Drinking > Restaurant > Pizzeria`: the last is what it is, those before it are more general.
  const labels = texts(fsq_category_labels).map((label) => label.split('>').reverse())
  const types = typesOfCategories([
    ...labels.map(([last = '']) => last),
    ...labels.flatMap((label) => label.slice(1)),
  ])
  return {
    placeId: `fsq:${id}`,
    name,
    types,
    ...point,
    prominence: prominenceOf({ types }),
    vicinity: vicinityOf(text(fields, 'address'), text(fields, 'locality')),
  }
}

type Point = Pick<ImportedPlace, 'latitude' | 'longitude'>

/** A GeoJSON point, or one in WKB. */
function pointOf(geometry: unknown): Point | undefined {
  if (geometry instanceof Uint8Array) return pointOfWkb(geometry)
  if (text(geometry, 'type') !== 'Point') return undefined
  const [longitude, latitude] = list(at(geometry, 'coordinates'))
  return positionOf(latitude, longitude)
}

const WKB_POINT_BYTES = 21
const WKB_POINT = 1

function pointOfWkb(bytes: Uint8Array): Point | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (bytes.byteLength < WKB_POINT_BYTES) return undefined
  const isLittleEndian = view.getUint8(0) === 1
  if (view.getUint32(1, isLittleEndian) !== WKB_POINT) return undefined
  return positionOf(view.getFloat64(13, isLittleEndian), view.getFloat64(5, isLittleEndian))
}

function positionOf(latitude: unknown, longitude: unknown): Point | undefined {
  if (typeof latitude !== 'number' || typeof longitude !== 'number') return undefined
  return isOnGround(latitude, longitude) ? { latitude, longitude } : undefined
}

function vicinityOf(street: string, town: string): string | undefined {
  return [street, town].filter((part) => part !== '').join(', ') || undefined
}

function at(value: unknown, ...path: readonly string[]): unknown {
  let found = value
  for (const name of path) found = isFields(found) ? found[name] : undefined
  return found
}

/** Empty when there is none. */
function text(value: unknown, ...path: readonly string[]): string {
  const found = at(value, ...path)
  return typeof found === 'string' ? found.trim() : ''
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function texts(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value]
  return list(value).filter((item) => typeof item === 'string')
}
