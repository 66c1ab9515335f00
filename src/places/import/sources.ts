/** What can be imported: which file is what, whom to thank for it, and who reads it. */

import { readGeoJson, sourceOfFeature } from './geojson.ts'
import { isGeoNamesLine, readGeoNames } from './geonames.ts'
import { type ImportedPlace, ImportFailed } from './imported-place.ts'
import { readOsmPbf } from './osm-pbf.ts'
import { type Packing, type ReadOptions, readHead } from './source-file.ts'

/** The sources that we can read. */
export const IMPORT_FORMATS = ['osm', 'geonames', 'overture', 'foursquare'] as const

/** One of `IMPORT_FORMATS`. */
export type ImportFormat = (typeof IMPORT_FORMATS)[number]

/** Whom to thank, as HTML, in every answer that has a place of theirs. */
export const CREDITS: Readonly<Record<ImportFormat, string>> = {
  osm: 'Places © <a href="https://www.openstreetmap.org/copyright">OpenStreetMap</a> contributors, <a href="https://opendatacommons.org/licenses/odbl/">ODbL</a>',
  geonames:
    'Places from <a href="https://www.geonames.org/">GeoNames</a>, <a href="https://creativecommons.org/licenses/by/4.0/">CC BY 4.0</a>',
  overture:
    'Places from <a href="https://overturemaps.org/">Overture Maps Foundation</a>, <a href="https://cdla.dev/permissive-2-0/">CDLA Permissive 2.0</a>',
  foursquare:
    'Places from <a href="https://opensource.foursquare.com/os-places/">Foursquare Open Source Places</a>, <a href="https://www.apache.org/licenses/LICENSE-2.0">Apache 2.0</a>',
}

/** How the bytes of a file are laid out. */
type Layout = 'pbf' | 'parquet' | 'features' | 'columns'

/** A file, and what it turned out to be. */
export interface Source {
  readonly format: ImportFormat
  readonly places: AsyncGenerator<ImportedPlace>
}

/**
 * Opens a file to import.
 *
 * @param format what it is; undefined to find out.
 * @throws {ImportFailed} when it is nothing that we can read; and what the file system throws.
 */
export async function openSource(options: ReadOptions, format?: ImportFormat): Promise<Source> {
  const { path } = options
  const { packing, head } = await readHead(path)
  const layout = layoutOf(packing, head)
  const found = await formatOf(path, layout, head)
  if (layout === undefined || (found === undefined && format === undefined))
    throw new ImportFailed(unreadable(path, head))
  const chosen = format ?? found ?? 'osm'
  if (!LAYOUTS[chosen].includes(layout)) {
    throw new ImportFailed(`${path} is not in a format of ${chosen}: that is ${EXPECTED[chosen]}`)
  }
  return { format: chosen, places: await reader(chosen, layout, packing, options) }
}

const LAYOUTS: Readonly<Record<ImportFormat, readonly Layout[]>> = {
  osm: ['pbf'],
  geonames: ['columns'],
  overture: ['features', 'parquet'],
  foursquare: ['features', 'parquet'],
}
const EXPECTED: Readonly<Record<ImportFormat, string>> = {
  osm: 'an .osm.pbf file',
  geonames: 'a text of 19 columns, which may be packed as .zip or .gz',
  overture: 'GeoJSON with a feature a line, which may be packed as .gz, or Parquet',
  foursquare: 'GeoJSON with a feature a line, which may be packed as .gz, or Parquet',
}

function layoutOf(packing: Packing, head: Buffer): Layout | undefined {
  // Only GeoNames packs like this.
  if (packing === 'zip') return 'columns'
  if (head.toString('latin1', 0, 4) === 'PAR1') return 'parquet'
  if (head.subarray(0, 64).includes('OSMHeader')) return 'pbf'
  if (/^\W?\s*\{/.test(head.toString('utf8', 0, 16))) return 'features'
  return isGeoNamesLine(firstLine(head)) ? 'columns' : undefined
}

async function formatOf(
  path: string,
  layout: Layout | undefined,
  head: Buffer,
): Promise<ImportFormat | undefined> {
  if (layout === 'pbf') return 'osm'
  if (layout === 'columns') return 'geonames'
  if (layout === 'parquet') return (await loadParquet()).sourceOfParquet(path)
  return layout === 'features' ? sourceOfFeature(firstLine(head)) : undefined
}

async function reader(
  format: ImportFormat,
  layout: Layout,
  packing: Packing,
  options: ReadOptions,
): Promise<AsyncGenerator<ImportedPlace>> {
  if (format === 'osm') return readOsmPbf(options)
  if (format === 'geonames') return readGeoNames(packing, options)
  if (layout !== 'parquet') return readGeoJson(format, packing, options)
  return (await loadParquet()).readParquet(format, options)
}

/** Its packages take a while to load, and few need them. */
function loadParquet(): Promise<typeof import('./parquet.ts')> {
  return import('./parquet.ts')
}

function unreadable(path: string, head: Buffer): string {
  const text = head.toString('utf8', 0, 200)
  if (/^\s*<(?:\?xml|osm)/.test(text)) {
    return `${path} is XML: make an .osm.pbf file of it first, such as by osmium cat`
  }
  if (text.includes('FeatureCollection')) {
    return `${path} is one GeoJSON collection: it must have one feature a line (GeoJSONSeq), such as ogr2ogr -f GeoJSONSeq makes`
  }
  return `${path} is nothing that can be imported: that is .osm.pbf, a GeoNames dump (.txt, .zip, .gz), or places of Overture or Foursquare as GeoJSONSeq (also .gz) or Parquet; --format says which, where it can't be seen`
}

function firstLine(head: Buffer): string {
  return head.toString('utf8').split('\n', 1)[0]?.replace(/\r$/, '') ?? ''
}
