/** Places in Parquet, as Overture and Foursquare publish them: a group of rows at a time. */
import { type FileHandle, open } from 'node:fs/promises'
import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
  type RowGroup,
} from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { type ImportedPlace, ImportFailed } from './imported-place.ts'
import { isFields, placeOfRecord, RECORD_COLUMNS, type RecordSource, sourceOfFields } from './records.ts'
import type { ReadOptions } from './source-file.ts'

/** A larger group of rows would have to be unpacked in memory as a whole. */
const GROUP_BYTES_MAX = 2 * 1024 ** 3
/** Rows made into objects at a time. Fewer would unpack the same pages again and again. */
const ROWS_MAX = 50_000
/** The length of the metadata, and four letters. */
const FOOTER_BYTES = 8

/** The places of a file. @throws {ImportFailed} where it is damaged. */
export async function* readParquet(
  source: RecordSource,
  options: ReadOptions,
): AsyncGenerator<ImportedPlace> {
  const { path, signal, onProgress } = options
  const file = await open(path)
  try {
    const buffer = await bufferOf(file)
    const metadata = await metadataOf(path, buffer)
    const columns = columnsOf(metadata).filter((name) => RECORD_COLUMNS[source].includes(name))
    let rowStart = 0
    let done = 0
    for (const group of metadata.row_groups) {
      const bytes = Number(group.total_byte_size)
      if (bytes > GROUP_BYTES_MAX) {
        throw new ImportFailed(`${path}: a group of rows has ${bytes} bytes, more than ${GROUP_BYTES_MAX}`)
      }
      const groupEnd = rowStart + Number(group.num_rows)
      for (; rowStart < groupEnd; rowStart = Math.min(rowStart + ROWS_MAX, groupEnd)) {
        signal.throwIfAborted()
        const rowEnd = Math.min(rowStart + ROWS_MAX, groupEnd)
        const rows = await rowsOf(path, group, {
          file: buffer,
          metadata,
          columns,
          rowStart,
          rowEnd,
          compressors,
          useOffsetIndex: true,
          utf8: false, // What is text says so itself; geometry is bytes.
        })
        for (const row of rows) {
          const place = isFields(row) ? placeOfRecord(source, row) : undefined
          if (place !== undefined) yield place
        }
      }
      done += Number(group.total_compressed_size ?? group.total_byte_size)
      onProgress(done)
    }
  } finally {
    await file.close()
  }
}

/** Whose rows a file has, by its columns. */
export async function sourceOfParquet(path: string): Promise<RecordSource | undefined> {
  const file = await open(path)
  try {
    return sourceOfFields(columnsOf(await metadataOf(path, await bufferOf(file))))
  } finally {
    await file.close()
  }
}

function columnsOf(metadata: FileMetaData): readonly string[] {
  return parquetSchema(metadata).children.map(({ element }) => element.name)
}

async function metadataOf(path: string, buffer: AsyncBuffer): Promise<FileMetaData> {
  try {
    return await parquetMetadataAsync(buffer)
  } catch (error) {
    const footer = Math.max(0, buffer.byteLength - FOOTER_BYTES)
    throw damaged(path, `at byte ${footer} or before, in what it ends with`, error)
  }
}

async function rowsOf(
  path: string,
  group: RowGroup,
  options: Parameters<typeof parquetReadObjects>[0],
): Promise<readonly unknown[]> {
  try {
    return await parquetReadObjects(options)
  } catch (error) {
    const { start, end } = bytesOf(group)
    const rows = `rows ${options.rowStart} to ${(options.rowEnd ?? 0) - 1}`
    throw damaged(path, `between byte ${start} and byte ${end}, in ${rows}`, error)
  }
}

/** Where in the file a group of rows is. */
function bytesOf({ columns }: RowGroup): { readonly start: number; readonly end: number } {
  const chunks = columns.flatMap(({ meta_data: about }) => {
    if (about === undefined) return []
    const start = Number(about.dictionary_page_offset ?? about.data_page_offset)
    return [{ start, end: start + Number(about.total_compressed_size) }]
  })
  const start = Math.min(...chunks.map((chunk) => chunk.start))
  return { start, end: Math.max(start, ...chunks.map((chunk) => chunk.end)) }
}

function damaged(path: string, where: string, error: unknown): ImportFailed {
  const reason = error instanceof Error ? error.message : 'unknown'
  return new ImportFailed(`${path} is damaged ${where}: ${reason}`, { cause: error })
}

async function bufferOf(file: FileHandle): Promise<AsyncBuffer> {
  const { size } = await file.stat()
  return {
    byteLength: size,
    async slice(start, end = size) {
      const bytes = new Uint8Array(end - start)
      const { bytesRead } = await file.read(bytes, 0, bytes.length, start)
      if (bytesRead < bytes.length) throw new RangeError(`it ends at byte ${start + bytesRead}`)
      return bytes.buffer
    },
  }
}
