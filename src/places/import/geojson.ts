/** GeoJSON text sequences (RFC 8142) and the same with plain newlines: a feature a line. */
import { type ImportedPlace, ImportFailed } from './imported-place.ts'
import { type Fields, isFields, placeOfRecord, type RecordSource, sourceOfFields } from './records.ts'
import { type Packing, type ReadOptions, readLines } from './source-file.ts'

/** What may stand before each feature. */
const RECORD_SEPARATOR = '\u001e'

/** The places of a file. @throws {ImportFailed} at the first line that is no feature. */
export async function* readGeoJson(
  source: RecordSource,
  packing: Packing,
  options: ReadOptions,
): AsyncGenerator<ImportedPlace> {
  for await (const { text, offset } of readLines(packing, options)) {
    const line = text.startsWith(RECORD_SEPARATOR) ? text.slice(1) : text
    if (line.trim() === '') continue
    const fields = fieldsOfFeature(line)
    if (fields === undefined) {
      throw new ImportFailed(
        `${options.path} is damaged at byte ${offset}: this line is not a GeoJSON feature`,
      )
    }
    const place = placeOfRecord(source, fields)
    if (place !== undefined) yield place
  }
}

/** Whose features a file has, by its first line. */
export function sourceOfFeature(line: string): RecordSource | undefined {
  const fields = fieldsOfFeature(line.startsWith(RECORD_SEPARATOR) ? line.slice(1) : line)
  return fields === undefined ? undefined : sourceOfFields(Object.keys(fields))
}

function fieldsOfFeature(line: string): Fields | undefined {
  const feature = parse(line)
  if (!isFields(feature)) return undefined
  const { type, id, geometry, properties } = feature
  if (type !== 'Feature' || !isFields(properties)) return undefined
  return { ...(id === undefined ? {} : { id }), geometry, ...properties }
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
