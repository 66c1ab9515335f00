/** The dump of GeoNames: lines of 19 columns, https://download.geonames.org/export/dump/readme.txt. */
import { typesOfGeoNames } from '../osm-types.ts'
import { prominenceOf } from '../prominence.ts'
import { type ImportedPlace, ImportFailed, isOnGround } from './imported-place.ts'
import { type Packing, type ReadOptions, readLines } from './source-file.ts'

/** In the columns' order. */
const COLUMNS = 19

/** A line has as many columns as the dump's. */
export function isGeoNamesLine(line: string): boolean {
  return line.split('\t').length === COLUMNS && /^\d+\t/.test(line)
}

/** The places of a dump. @throws {ImportFailed} at the first line that can't be one of it. */
export async function* readGeoNames(packing: Packing, options: ReadOptions): AsyncGenerator<ImportedPlace> {
  for await (const { text, offset } of readLines(packing, options)) {
    if (text === '') continue
    const place = placeOf(text)
    if (place === 'damaged') {
      throw new ImportFailed(
        `${options.path} is damaged at byte ${offset}: this line hasn't the ${COLUMNS} columns of a GeoNames dump`,
      )
    }
    if (place !== undefined) yield place
  }
}

/** Undefined for what is no place, such as a road. */
function placeOf(line: string): ImportedPlace | 'damaged' | undefined {
  const columns = line.split('\t')
  const [id = '', name = '', , , latitudeText = '', longitudeText = '', featureClass = '', featureCode = ''] =
    columns
  const [country = '', , , , , , population = ''] = columns.slice(8)
  const [latitude, longitude] = [Number(latitudeText), Number(longitudeText)]
  const isWhole =
    columns.length === COLUMNS && /^\d+$/.test(id) && latitudeText !== '' && longitudeText !== ''
  if (!isWhole || !isOnGround(latitude, longitude)) return 'damaged'
  const types = typesOfGeoNames(featureClass, featureCode)
  if (types.length === 0 || name === '') return undefined
  const prominence = prominenceOf({ types, population: Number(population) })
  return {
    placeId: `geonames:${id}`,
    name,
    types,
    latitude,
    longitude,
    prominence,
    vicinity: country || undefined,
  }
}
