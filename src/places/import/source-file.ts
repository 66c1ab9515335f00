/** The bytes of a file to import, unpacked if need be, and how far we are in it. */
import { createReadStream } from 'node:fs'
import { open, stat } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { constants, createGunzip, gunzipSync } from 'node:zlib'
import { openPromise } from 'yauzl'
import { ImportFailed } from './imported-place.ts'

/** Hears how many bytes of the file are done. */
export type OnProgress = (bytes: number) => void

/** What a reader is told. */
export interface ReadOptions {
  readonly path: string
  /** Ends the reading; the iterator throws its reason. */
  readonly signal: AbortSignal
  readonly onProgress: OnProgress
}

/** A line and where it begins. */
export interface Line {
  readonly text: string
  /** Bytes from the start of the (unpacked) text. */
  readonly offset: number
}

/** How the bytes of a file are packed. */
export type Packing = 'none' | 'gzip' | 'zip'

/** Enough to tell what is in a file. */
const HEAD_BYTES = 64 * 1024
/** Longer lines are no places. */
const LINE_BYTES_MAX = 16 * 1024 * 1024
const LF = 0x0a

/** The first bytes of a file and, where it is packed by gzip, of what is in it. */
export async function readHead(path: string): Promise<{ readonly packing: Packing; readonly head: Buffer }> {
  const file = await open(path)
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0)
    const head = buffer.subarray(0, bytesRead)
    if (head.readUInt16BE(0) === 0x1f8b) {
      return { packing: 'gzip', head: gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH }) }
    }
    return { packing: head.toString('latin1', 0, 4) === 'PK\u0003\u0004' ? 'zip' : 'none', head }
  } catch (error) {
    if (error instanceof RangeError) throw new ImportFailed(`${path} is empty`, { cause: error })
    if (!isOfPacking(error)) throw error
    throw new ImportFailed(`${path} is damaged at byte 0: ${error.message}`, { cause: error })
  } finally {
    await file.close()
  }
}

/** How many bytes a file has. */
export async function sizeOf(path: string): Promise<number> {
  return (await stat(path)).size
}

/**
 * The lines of a text file. One packed by zip must have one text in it besides a `readme.txt`, as GeoNames has it.
 *
 * @throws {ImportFailed} where it is damaged.
 */
export async function* readLines(
  packing: Packing,
  options: ReadOptions,
  lineBytesMax: number = LINE_BYTES_MAX,
): AsyncGenerator<Line> {
  const { path, signal } = options
  const source = await openText(packing, options)
  let rest: Buffer = Buffer.alloc(0)
  let offset = 0
  try {
    for await (const chunk of source.bytes) {
      signal.throwIfAborted()
      if (!Buffer.isBuffer(chunk)) continue
      const bytes = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
      let start = 0
      for (let end = bytes.indexOf(LF, rest.length); end !== -1; end = bytes.indexOf(LF, start)) {
        yield { text: textOf(bytes, start, end), offset: offset + start }
        start = end + 1
      }
      offset += start
      rest = bytes.subarray(start)
      if (rest.length > lineBytesMax) {
        throw new ImportFailed(`${path}: the line at byte ${offset} is longer than ${lineBytesMax} bytes`)
      }
    }
    if (rest.length > 0) yield { text: textOf(rest, 0, rest.length), offset }
  } catch (error) {
    if (error instanceof ImportFailed || signal.aborted || !isOfPacking(error)) throw error
    throw new ImportFailed(`${path} is damaged about byte ${source.bytesRead()}: ${error.message}`, {
      cause: error,
    })
  } finally {
    source.close()
  }
}

function textOf(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end)
  return text.endsWith('\r') ? text.slice(0, -1) : text
}

interface OpenText {
  readonly bytes: Readable
  /** Of the file itself. */
  bytesRead(): number
  close(): void
}

async function openText(packing: Packing, options: ReadOptions): Promise<OpenText> {
  if (packing === 'zip') return openZip(options)
  const file = createReadStream(options.path)
  let count = 0
  file.on('data', (chunk) => {
    count += chunk.length
    options.onProgress(count)
  })
  const bytes = packing === 'gzip' ? file.pipe(createGunzip()) : file
  // A pipe doesn't pass on errors.
  if (bytes !== file) file.on('error', (error) => bytes.destroy(error))
  return { bytes, bytesRead: () => count, close: () => file.destroy() }
}

async function openZip({ path, onProgress }: ReadOptions): Promise<OpenText> {
  // Where a zip is damaged: its directory stands at its end, and each file in it begins with a header.
  let about = `about byte ${await sizeOf(path)}`
  try {
    const zip = await openPromise(path, { autoClose: false, lazyEntries: true })
    const names: string[] = []
    for await (const entry of zip.eachEntry()) {
      names.push(entry.fileName)
      if (!/\.txt$/i.test(entry.fileName) || /readme/i.test(entry.fileName)) continue
      about = `at byte ${entry.relativeOffsetOfLocalHeader}`
      const bytes = await zip.openReadStreamPromise(entry)
      let count = 0
      bytes.on('data', (chunk: Buffer) => {
        count += chunk.length
        onProgress((count / Math.max(1, entry.uncompressedSize)) * entry.compressedSize)
      })
      return { bytes, bytesRead: () => entry.relativeOffsetOfLocalHeader + count, close: () => zip.close() }
    }
    zip.close()
    throw new ImportFailed(`${path} has no text file in it, but ${names.join(', ') || 'nothing'}`)
  } catch (error) {
    if (error instanceof ImportFailed || !(error instanceof Error)) throw error
    throw new ImportFailed(`${path} is damaged ${about}: ${error.message}`, { cause: error })
  }
}

/** Unpacking failed, not the disk: those errors have a system call. */
function isOfPacking(error: unknown): error is Error {
  return error instanceof Error && !('syscall' in error)
}
