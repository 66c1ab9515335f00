/**
 * One index of places, open for reading. A search is exact and comes in turns: it is a generator that stops every
 * few hundred rows, so that a large one never holds up a server (see `inTurns`).
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import { bestOf, type Circle, isSurelyWithin } from '../best-places.ts'
import { PlaceFilter } from '../place-filter.ts'
import type { PlacesQuery } from '../provider.ts'
import {
  type AboutIndex,
  APPLICATION_ID,
  cellExpression,
  FORMAT_VERSION,
  PROMINENCE_GRIDS,
  SMALL_RADIUS_METRES,
  UNITS_PER_DEGREE,
} from './format.ts'
import type { IndexablePlace } from './index-writer.ts'
import { cellsAround, spotsAround } from './spots.ts'

/** Rows looked at in a turn: about half a millisecond. */
const ROWS_PER_TURN = 500
/** Pages kept in memory of each open index, KiB. The system's own cache serves all processes besides. */
const CACHE_KIB_MAX = 16 * 1024
/** Statements kept for the next search; further ones of searches at the same time are made and dropped. */
const STATEMENTS_IDLE_MAX = 64
/** Where a search for the nearest begins, and how much farther it looks when it finds too few. */
const FIRST_RADIUS_METRES = 300
const GROWTH = 2.5
/** Cells that a circle is covered with, by spots and in a grid. */
const SPOT_CELLS_MAX = 16
const GRID_CELLS_MAX = 128
/** The cells of a statement are as many as needed, rounded up to this, so that there are few statements. */
const GRID_CELLS_STEP = 16

/** A file is no index, or of another format, or damaged. */
export class PlacesIndexBroken extends Error {
  override readonly name = 'PlacesIndexBroken'
}

/** A place that was found, and how far it is along the ellipsoid. */
export interface FoundPlace extends IndexablePlace {
  readonly metres: number
}

/** A row of one of the indexes. */
interface Row {
  readonly id: number
  readonly latitude: number
  readonly longitude: number
  readonly prominence: number
}

/** An open index. */
export class PlacesIndex {
  readonly about: AboutIndex
  readonly #database: DatabaseSync
  readonly #types: readonly (readonly string[])[]
  readonly #idle = new Map<string, StatementSync[]>()
  #idleCount = 0
  #searches = 0
  #isClosing = false

  /** @throws {PlacesIndexBroken} when the file can't be read or isn't such an index. */
  constructor(path: string) {
    this.#database = openDatabase(path)
    try {
      this.#database.exec(`PRAGMA cache_size = -${CACHE_KIB_MAX}`)
      this.about = readAbout(this.#database)
      this.#types = readTypes(this.#database)
    } catch (error) {
      this.#database.close()
      throw brokenBy(error)
    }
  }

  /**
   * Finds the best places, at most `itemsMax`, in the order of the query's rank.
   *
   * @throws {PlacesIndexBroken} when the file turns out to be damaged.
   */
  *search(query: PlacesQuery, itemsMax: number): Generator<undefined, readonly FoundPlace[]> {
    this.#searches++
    try {
      const filter = new PlaceFilter(query)
      const wantedTypes = this.#types.map((types) => filter.hasType(types))
      if (!wantedTypes.includes(true)) return []
      const isWanted = (type: number, name: unknown): boolean =>
        wantedTypes[type] === true &&
        (typeof name !== 'string' || filter.hasWords(name, this.#types[type] ?? []))
      const look = new Look(filter.asksForWords, isWanted)
      const rows =
        query.rank === 'distance'
          ? yield* this.#nearest(query, itemsMax, look)
          : yield* this.#mostProminent(query, itemsMax, look)
      return bestOf(rows, query, query.rank, itemsMax).map(({ candidate, metres }) => ({
        ...this.#place(candidate.id),
        metres,
      }))
    } catch (error) {
      throw isOfSqlite(error) ? brokenBy(error) : error
    } finally {
      this.#searches--
      this.#closeWhenIdle()
    }
  }

  /** Ends as soon as the searches under way are done. */
  close(): void {
    this.#isClosing = true
    this.#closeWhenIdle()
  }

  /** Looks ever farther, until it has surely found enough. */
  *#nearest(query: PlacesQuery, itemsMax: number, look: Look): Generator<undefined, readonly Row[]> {
    for (let radiusMetres = Math.min(FIRST_RADIUS_METRES, query.radiusMetres); ; ) {
      const circle = { ...query, radiusMetres }
      const rows = yield* this.#within(circle, look)
      const found = rows.filter((row) => isSurelyWithin(circle, row)).length
      if (found >= itemsMax || radiusMetres >= query.radiusMetres) return rows
      radiusMetres = Math.min(radiusMetres * GROWTH, query.radiusMetres)
    }
  }

  /** All that is wanted within a circle, and some around it. */
  *#within(circle: Circle, look: Look): Generator<undefined, readonly Row[]> {
    const rows: Row[] = []
    const columns = `id, latitude, longitude, prominence, types${look.names}`
    for (const { from, to } of spotsAround(circle, SPOT_CELLS_MAX)) {
      const sql = `SELECT ${columns} FROM place WHERE spot >= ? AND spot < ?`
      yield* this.#read(sql, [from, to], look, (row) => {
        rows.push(row)
        return true
      })
    }
    return rows
  }

  /** The cells' best, taken together in order, until there are enough and no equals of the last are left. */
  *#mostProminent(query: PlacesQuery, itemsMax: number, look: Look): Generator<undefined, readonly Row[]> {
    const { radiusMetres } = query
    const grid = PROMINENCE_GRIDS.find(({ radiusMetresMax }) => radiusMetres <= radiusMetresMax)
    if (grid === undefined || radiusMetres <= SMALL_RADIUS_METRES) return yield* this.#within(query, look)
    const cells = cellsAround(query, grid.depth, GRID_CELLS_MAX)
    if (cells === undefined) return yield* this.#within(query, look)
    const rows: Row[] = []
    let sure = 0
    let last = -1
    const columns = `id, latitude, longitude, prominence AS prominence, types${look.names}`
    const padded = Math.ceil(cells.length / GRID_CELLS_STEP) * GRID_CELLS_STEP
    const one = `SELECT ${columns} FROM place WHERE ${cellExpression(grid.depth)} = ?`
    const sql = `${Array<string>(padded).fill(one).join(' UNION ALL ')} ORDER BY prominence DESC`
    const none = Array<number>(padded - cells.length).fill(-1)
    yield* this.#read(sql, [...cells, ...none], look, (row) => {
      if (sure >= itemsMax && row.prominence < last) return false
      rows.push(row)
      if (sure < itemsMax && isSurelyWithin(query, row)) {
        sure++
        last = row.prominence
      }
      return true
    })
    return rows
  }

  /** Reads rows in turns until `take` says that there are enough. */
  *#read(
    sql: string,
    values: readonly number[],
    look: Look,
    take: (row: Row) => boolean,
  ): Generator<undefined, void> {
    const statement = this.#borrow(sql)
    let untilTurn = ROWS_PER_TURN
    for (const row of statement.iterate(...values)) {
      if (--untilTurn === 0) {
        untilTurn = ROWS_PER_TURN
        yield
      }
      const { id, latitude, longitude, prominence, types, name } = row
      if (!look.isWanted(Number(types), name)) continue
      const goOn = take({
        id: Number(id),
        latitude: Number(latitude) / UNITS_PER_DEGREE,
        longitude: Number(longitude) / UNITS_PER_DEGREE,
        prominence: Number(prominence),
      })
      if (!goOn) break
    }
    this.#giveBack(sql, statement)
  }

  #place(id: number): IndexablePlace {
    const sql =
      'SELECT place_id, name, types, latitude, longitude, prominence, vicinity FROM place WHERE id = ?'
    const statement = this.#borrow(sql)
    const { place_id, name, types, latitude, longitude, prominence, vicinity } = statement.get(id) ?? {}
    this.#giveBack(sql, statement)
    return {
      placeId: String(place_id),
      name: String(name),
      types: this.#types[Number(types)] ?? [],
      latitude: Number(latitude) / UNITS_PER_DEGREE,
      longitude: Number(longitude) / UNITS_PER_DEGREE,
      prominence: Number(prominence),
      vicinity: typeof vicinity === 'string' ? vicinity : undefined,
    }
  }

  /** A statement that no search under way is in the middle of. */
  #borrow(sql: string): StatementSync {
    const idle = this.#idle.get(sql)?.pop()
    if (idle === undefined) return this.#database.prepare(sql)
    this.#idleCount--
    return idle
  }

  #giveBack(sql: string, statement: StatementSync): void {
    if (this.#idleCount >= STATEMENTS_IDLE_MAX) return
    this.#idleCount++
    const idle = this.#idle.get(sql)
    if (idle === undefined) this.#idle.set(sql, [statement])
    else idle.push(statement)
  }

  #closeWhenIdle(): void {
    if (this.#isClosing && this.#searches === 0 && this.#database.isOpen) this.#database.close()
  }
}

/** What a search wants of the rows, and whether it must see names for that. */
class Look {
  /** To be added to the columns. */
  readonly names: string
  readonly isWanted: (types: number, name: unknown) => boolean

  constructor(asksForWords: boolean, isWanted: (types: number, name: unknown) => boolean) {
    this.names = asksForWords ? ', name' : ''
    this.isWanted = isWanted
  }
}

function openDatabase(path: string): DatabaseSync {
  try {
    const database = new DatabaseSync(path, { readOnly: true })
    try {
      const pragma = (name: string): number => Number(database.prepare(`PRAGMA ${name}`).get()?.[name])
      if (pragma('application_id') !== APPLICATION_ID) throw new PlacesIndexBroken('it is no index of places')
      const version = pragma('user_version')
      if (version !== FORMAT_VERSION) {
        throw new PlacesIndexBroken(
          `it has format ${version}, and this Herd reads ${FORMAT_VERSION}: import it again`,
        )
      }
      return database
    } catch (error) {
      database.close()
      throw error
    }
  } catch (error) {
    throw brokenBy(error)
  }
}

function readAbout(database: DatabaseSync): AboutIndex {
  const rows = database.prepare('SELECT name, value FROM about').all()
  const values = new Map(rows.map(({ name, value }) => [String(name), value]))
  return {
    source: String(values.get('source')),
    credit: String(values.get('credit')),
    places: Number(values.get('places')),
    importedAtMs: Number(values.get('importedAtMs')),
    file: String(values.get('file')),
  }
}

function readTypes(database: DatabaseSync): readonly (readonly string[])[] {
  const rows = database.prepare('SELECT list FROM types ORDER BY id').all()
  return rows.map(({ list }) => String(list).split(' '))
}

function isOfSqlite(error: unknown): boolean {
  return error instanceof Error && 'errcode' in error
}

function brokenBy(error: unknown): PlacesIndexBroken {
  if (error instanceof PlacesIndexBroken) return error
  const reason = error instanceof Error ? error.message : 'unknown'
  return new PlacesIndexBroken(`it can't be read (${reason}): import it again`, { cause: error })
}
