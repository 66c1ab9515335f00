/** `herd places import`: a file of places becomes an index. */
import { basename, resolve } from 'node:path'
import type { Writable } from 'node:stream'
import { type Command, Option } from 'commander'
import { type Imported, type ImportProgress, importPlaces } from '../places/import/import-places.ts'
import { ImportFailed } from '../places/import/imported-place.ts'
import { IMPORT_FORMATS, type ImportFormat } from '../places/import/sources.ts'
import { INDEX_NAME } from '../places/index/format.ts'
import { IndexBusy } from '../places/index/index-writer.ts'
import { addPlacesFolderOptions, type PlacesFolderOptions, placesFolderOf } from './places-folder.ts'
import { onStopSignals } from './stop-signals.ts'
import { EXIT, type ExitCode, print, printable, type Terminal, UsageError } from './terminal.ts'

interface ImportCommandOptions extends PlacesFolderOptions {
  readonly name?: string
  readonly format?: ImportFormat
}

/** Endings that say what a file is, not what it is about. */
const ENDINGS =
  /(?:\.osm)?\.pbf$|(?:\.(?:txt|tsv|geojsonseq|geojsonl|geojson|ndjson|jsonl|json|parquet|zip))?(?:\.gz)?$/i
/** How often progress is shown, milliseconds. */
const SHOW_EVERY_MS = 100

/** The user pressed Ctrl-C, or something else asked us to end. */
class Stopped extends Error {}

/** Adds `herd places import`. */
export function addPlacesImport(places: Command, terminal: Terminal, finish: (code: ExitCode) => void): void {
  addPlacesFolderOptions(places.command('import'))
    .summary('import places from a file')
    .description(
      'Makes an index of the places in a file: an OpenStreetMap extract (.osm.pbf), a GeoNames dump (.txt, .zip or ' +
        '.gz), or places of Overture Maps or Foursquare as GeoJSON with a feature a line (also .gz) or as Parquet. An ' +
        'index of the same name is replaced when the new one is done, and not before.',
    )
    .argument('<file>', 'the file')
    .option('--name <name>', "what to call the index (default: the file's name without its ending)")
    .addOption(
      new Option('--format <source>', 'what the file is, where it does not show').choices(IMPORT_FORMATS),
    )
    .addHelpText(
      'after',
      `
Examples:
  herd places import liechtenstein-latest.osm.pbf
  herd places import allCountries.zip --name geonames
  herd places import places.parquet --name overture-li --format overture

Exit code: 0 imported, 1 the file can't be imported, 2 usage or no such file, 130 ended by Ctrl-C.`,
    )
    .action(async (file: string, options: ImportCommandOptions) => {
      finish(await importFile(terminal, file, options))
    })
}

async function importFile(
  terminal: Terminal,
  file: string,
  options: ImportCommandOptions,
): Promise<ExitCode> {
  const path = resolve(terminal.cwd, file)
  const name = options.name ?? nameOf(path)
  if (!INDEX_NAME.test(name)) {
    throw new UsageError(
      `${JSON.stringify(name)} is no name for an index: letters, digits, '.', '_' and '-', 64 at most, such as --name europe`,
    )
  }
  const folder = await placesFolderOf(terminal, options)
  const abort = new AbortController()
  const stop = () => abort.abort(new Stopped())
  const listenNoMore = onStopSignals({ stop, stopNow: stop })
  const line = new ProgressLine(terminal.errors, name)
  const startMs = performance.now()
  try {
    const imported = await importPlaces({
      ...{ path, folder, name, format: options.format, signal: abort.signal, wallMs: Date.now },
      onProgress: (progress) => line.show(progress),
    })
    line.clear()
    await print(terminal.output, `${summary(name, file, imported, performance.now() - startMs)}\n`)
    return EXIT.ok
  } catch (error) {
    line.clear()
    return await failure(terminal, path, error)
  } finally {
    listenNoMore()
  }
}

/** @throws what isn't the file's or the disk's fault. */
async function failure(terminal: Terminal, path: string, error: unknown): Promise<ExitCode> {
  if (error instanceof Stopped) {
    await print(terminal.errors, 'herd: ended; what was imported before is as it was\n')
    return EXIT.interrupted
  }
  if (error instanceof ImportFailed || error instanceof IndexBusy) {
    await print(terminal.errors, `herd: ${printable(error.message)}\n`)
    return EXIT.failed
  }
  if (!(error instanceof Error) || !('code' in error)) throw error
  if (error.code === 'ENOENT') throw new UsageError(`there is no file ${path}`, { cause: error })
  // The disk is full or a folder isn't ours to write to: SQLite and the system say which.
  await print(terminal.errors, `herd: ${path} can't be imported: ${printable(error.message)}\n`)
  return EXIT.failed
}

/** `europe-latest.osm.pbf` is called `europe-latest`. */
export function nameOf(path: string): string {
  return basename(path).replace(ENDINGS, '')
}

function summary(name: string, file: string, { format, places, bytes }: Imported, ms: number): string {
  const seconds = (ms / 1_000).toFixed(1)
  return `${name}: ${places} places of ${format} from ${printable(file)} (${(bytes / 1e6).toFixed(1)} MB) in ${seconds} s`
}

/** One line that is written over again, where somebody sees it. */
class ProgressLine {
  readonly #stream: Writable
  readonly #name: string
  readonly #isSeen: boolean
  #shownAtMs = Number.NEGATIVE_INFINITY

  constructor(stream: Writable, name: string) {
    this.#stream = stream
    this.#name = name
    this.#isSeen = 'isTTY' in stream && stream.isTTY === true
  }

  show({ share, places }: ImportProgress): void {
    const nowMs = performance.now()
    if (!this.#isSeen || nowMs - this.#shownAtMs < SHOW_EVERY_MS) return
    this.#shownAtMs = nowMs
    const percent = `${Math.floor(share * 100)}`.padStart(3)
    const done = share === 1 ? ', putting them in order' : ''
    this.#stream.write(`\r\x1b[K${this.#name}: ${percent} % read, ${places} places${done}`)
  }

  clear(): void {
    if (this.#isSeen) this.#stream.write('\r\x1b[K')
  }
}
