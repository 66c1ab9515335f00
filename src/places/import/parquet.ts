/** Places in Parquet, as Overture and Foursquare publish them: a group of rows at a time. */
import { type FileHandle, open } from 'node:fs/promises'
import {
  type AsyncBuffer,
  type FileMetaData,
  parquetMetadataAsync,
  parquetReadObjects,
  parquetSchema,
} from 'hyparquet'
import { compressors } from 'hyparquet-compressors'
import { type ImportedPlace, ImportFailed } from './imported-place.ts'
import { isFields, placeOfRecord, RECORD_COLUMNS, type RecordSource, sourceOfFields } from './records.ts'
import type { ReadOptions } from './source-file.ts'

/** A larger group of rows would have to be unpacked in memory as a whole. */
const GROUP_BYTES_MAX = 2 * 1024 ** 3
/** Rows made into objects at a time. Fewer would unpack the same pages again and again. */
const ROWS_MAX = 50_000

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
        const rows = await rowsOf(path, {
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
    throw damaged(path, `in the ${buffer.byteLength} bytes of its end`, error)
  }
}

async function rowsOf(
  path: string,
  options: Parameters<typeof parquetReadObjects>[0],
): Promise<readonly unknown[]> {
  try {
    return await parquetReadObjects(options)
  } catch (error) {
    throw damaged(path, `in row ${options.rowStart} or one of the next ${ROWS_MAX}`, error)
  }
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
