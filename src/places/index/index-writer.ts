/**
 * Writes an index of places so that it is whole or not there: into a file beside it, synced, then renamed. Whoever
 * reads the old one goes on doing so. The places may be as many as fit on the disk; memory stays small.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import {
  type AboutIndex,
  INDEX_ENDING,
  INDEXES,
  PARTIAL_ENDING,
  TABLES,
  TYPE_LISTS_MAX,
  UNITS_PER_DEGREE,
} from './format.ts'
import { spotOf } from './spots.ts'

/** A place to be found later. */
export interface IndexablePlace {
  /** The source's own ID with a short name of the source before it: `osm:n123`. */
  readonly placeId: string
  readonly name: string
  /** Google types, from specific to general. */
  readonly types: readonly string[]
  /** Degrees, −90 … 90. */
  readonly latitude: number
  /** Degrees, −180 … 180. */
  readonly longitude: number
  /** 0 … 255, of `prominenceOf`. */
  readonly prominence: number
  /** Street and town, as far as the source tells. */
  readonly vicinity?: string | undefined
}

/** For tests. */
export interface IndexWriterOptions {
  readonly typeListsMax?: number
}

/** Pages kept in memory while writing and sorting, KiB. */
const CACHE_KIB_MAX = 64 * 1024
/** How long what a dead import left is let alone. */
const LEFTOVER_MS_MIN = 3_600_000
const INSERT =
  'INSERT INTO place (spot, latitude, longitude, prominence, types, place_id, name, vicinity) VALUES (?, ?, ?, ?, ?, ?, ?, ?)'

/** Somebody else writes an index of this name. */
export class IndexBusy extends Error {
  override readonly name = 'IndexBusy'
}

/** One index that is being written. */
export class IndexWriter {
  readonly #path: string
  readonly #partial: string
  readonly #database: DatabaseSync
  readonly #insert: StatementSync
  readonly #typeNumbers = new Map<string, number>()
  readonly #typeListsMax: number
  #isOpen = true

  /**
   * Begins an index; what a broken import left of that name is removed. The folder is made if need be.
   *
   * @throws {IndexBusy} when another process is writing an index of this name.
   */
  constructor(folder: string, name: string, { typeListsMax = TYPE_LISTS_MAX }: IndexWriterOptions = {}) {
    this.#typeListsMax = typeListsMax
    this.#path = join(folder, `${name}${INDEX_ENDING}`)
    this.#partial = `${this.#path}${PARTIAL_ENDING}`
    mkdirSync(folder, { recursive: true })
    removeLeftover(this.#partial)
    this.#database = new DatabaseSync(this.#partial)
    try {
      // Nobody reads the file before it is whole, and a broken one is thrown away: no syncs, and no journal on the
      // disk. None at all is what Node's SQLite refuses; in memory nothing comes into it, as every page is new.
      this.#database.exec(
        `PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;
         PRAGMA cache_size = -${CACHE_KIB_MAX}; BEGIN EXCLUSIVE; ${TABLES}`,
      )
      this.#insert = this.#database.prepare(INSERT)
    } catch (error) {
      this.#database.close()
      throw error
    }
  }

  /** Adds a place. @throws what SQLite does when the disk is full. */
  add({ placeId, name, types, latitude, longitude, prominence, vicinity }: IndexablePlace): void {
    this.#insert.run(
      spotOf(latitude, longitude),
      Math.round(latitude * UNITS_PER_DEGREE),
      Math.round(longitude * UNITS_PER_DEGREE),
      prominence,
      this.#typeNumber(types),
      placeId,
      name,
      vicinity ?? null,
    )
  }

  /**
   * Sorts all that was added and puts the index where it belongs. Returns how many places it has.
   *
   * @throws the reason of `signal`, which is looked at between steps; each may take minutes for a continent.
   */
  async finish(about: Omit<AboutIndex, 'places'>, signal?: AbortSignal): Promise<number> {
    const lists = this.#database.prepare('INSERT INTO types (id, list) VALUES (?, ?)')
    for (const [list, number] of this.#typeNumbers) lists.run(number, list)
    for (const sql of INDEXES) {
      await setImmediate()
      signal?.throwIfAborted()
      this.#database.exec(sql)
    }
    const { n: places = 0 } = this.#database.prepare('SELECT count(*) AS n FROM place').get() ?? {}
    const tell = this.#database.prepare('INSERT INTO about (name, value) VALUES (?, ?)')
    for (const [name, value] of Object.entries({ ...about, places })) tell.run(name, value)
    this.#database.exec('ANALYZE; COMMIT')
    this.#close()
    syncPath(this.#partial)
    renameSync(this.#partial, this.#path)
    syncPath(dirname(this.#path))
    return Number(places)
  }

  /** Throws all of it away. An index of this name that was there before stays as it was. */
  abandon(): void {
    if (!this.#isOpen) return
    this.#close()
    rmSync(this.#partial, { force: true })
  }

  #close(): void {
    this.#isOpen = false
    this.#database.close()
  }

  #typeNumber(types: readonly string[]): number {
    const list = types.join(' ')
    const known = this.#typeNumbers.get(list)
    if (known !== undefined) return known
    const general = types.slice(-2)
    // Tails are few (`political` and `point_of_interest establishment`), so this ends.
    if (this.#typeNumbers.size >= this.#typeListsMax && types.length > 2) return this.#typeNumber(general)
    const number = this.#typeNumbers.size
    this.#typeNumbers.set(list, number)
    return number
  }
}

/** Where the index of a name is in a folder. */
export function indexPath(folder: string, name: string): string {
  return join(folder, `${name}${INDEX_ENDING}`)
}

/**
 * Removes what imports of any name left in a folder when they were killed. Not at once: a file that was touched within
 * the last hour may be one that is just begun, or done and not yet in its place.
 *
 * @param wallMs milliseconds since the POSIX epoch. @throws what the file system throws.
 */
export function sweepLeftovers(folder: string, wallMs: number): void {
  const ending = `${INDEX_ENDING}${PARTIAL_ENDING}`
  const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(ending)) : []
  for (const partial of files.map((file) => join(folder, file))) {
    const { mtimeMs = wallMs } = statSync(partial, { throwIfNoEntry: false }) ?? {}
    if (wallMs - mtimeMs < LEFTOVER_MS_MIN) continue
    try {
      removeLeftover(partial)
    } catch (error) {
      // A large import may sort for an hour.
      if (!(error instanceof IndexBusy)) throw error
    }
  }
}

/** What a process that writes holds is locked; what a dead one left is not. */
function removeLeftover(partial: string): void {
  if (!existsSync(partial)) return
  const database = new DatabaseSync(partial)
  try {
    database.exec('BEGIN EXCLUSIVE; ROLLBACK')
  } catch (error) {
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) {
      throw new IndexBusy(`another import is writing ${partial}: wait until it is done`, { cause: error })
    }
    // Whatever else is wrong with it: it goes.
  } finally {
    database.close()
  }
  rmSync(partial, { force: true })
}

const SQLITE_BUSY = 5

function syncPath(path: string): void {
  const file = openSync(path, 'r')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
