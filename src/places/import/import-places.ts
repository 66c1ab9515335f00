/** An import from beginning to end: a file becomes an index, or nothing changes. */
import { basename } from 'node:path'
import { IndexWriter, sweepLeftovers } from '../index/index-writer.ts'
import { ImportFailed } from './imported-place.ts'
import { sizeOf } from './source-file.ts'
import { CREDITS, type ImportFormat, openSource } from './sources.ts'

/** What to import, and where to. */
export interface ImportOptions {
  /** The file to import. */
  readonly path: string
  /** The folder of the indexes. It is made if need be. */
  readonly folder: string
  /** What the index is to be called. */
  readonly name: string
  /** Undefined to find out. */
  readonly format?: ImportFormat | undefined
  /** Ends the import; the promise rejects by its reason. */
  readonly signal: AbortSignal
  /** Milliseconds since the POSIX epoch. */
  readonly wallMs: () => number
  readonly onProgress?: (progress: ImportProgress) => void
}

/** How far it is. */
export interface ImportProgress {
  /** Of the file, from 0 to 1. A file may be read several times: this is the first. */
  readonly share: number
  readonly places: number
}

/** What came of it. */
export interface Imported {
  readonly format: ImportFormat
  readonly places: number
  readonly bytes: number
}

/** Places after which Ctrl-C and progress get their turn, where a reader never waits. */
const PLACES_PER_TURN = 1_000

/**
 * Imports a file. Until it is done, and when it fails or is ended, the index of that name stays as it was.
 *
 * @throws {ImportFailed} when the file isn't one that we can read, is damaged, or has no places.
 * @throws {IndexBusy} when another import writes the same index.
 */
export async function importPlaces(options: ImportOptions): Promise<Imported> {
  const { path, folder, name, signal, wallMs, onProgress = () => undefined } = options
  const bytes = Math.max(1, await sizeOf(path))
  let share = 0
  let added = 0
  const tell = (done: number) => {
    share = Math.max(share, Math.min(1, done / bytes))
    onProgress({ share, places: added })
  }
  const source = await openSource({ path, signal, onProgress: tell }, options.format)
  sweepLeftovers(folder, wallMs())
  const writer = new IndexWriter(folder, name)
  try {
    for await (const place of source.places) {
      writer.add(place)
      added++
      if (added % PLACES_PER_TURN === 0) {
        signal.throwIfAborted()
        onProgress({ share, places: added })
      }
    }
    if (added === 0) throw new ImportFailed(`${path} has no named places`)
    const about = {
      source: source.format,
      credit: CREDITS[source.format],
      importedAtMs: wallMs(),
      file: basename(path),
    }
    return { format: source.format, places: await writer.finish(about, signal), bytes }
  } finally {
    // After the end this does nothing.
    writer.abandon()
  }
}
