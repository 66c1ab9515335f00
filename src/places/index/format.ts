/**
 * The format of an index of places, `<name>.places`: a SQLite database that is written once and then only read.
 *
 *     place      a row for each place; degrees are whole numbers of 1/10,000,000
 *     types      the lists of types that places have, numbered
 *     about      what the index is and where it comes from, by name
 *
 * `place_by_spot` finds what is near; the others hold what is best known in cells of two sizes. All have what a
 * search looks at before it decides, so that only the rows of the answer are fetched.
 */
import { DEPTH } from './spots.ts'

/** The ending of an index's file. */
export const INDEX_ENDING = '.places'
/** Added while the index is being written. */
export const PARTIAL_ENDING = '.partial'
/** What an index may be called. */
export const INDEX_NAME: RegExp = /^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$/

/** "HRDP", so that SQLite's header says what the file is. */
export const APPLICATION_ID = 0x48_52_44_50
/** Counts up when an older Herd couldn't read it, or a newer one would read it wrong. */
export const FORMAT_VERSION = 1
/** Whole numbers in a degree. */
export const UNITS_PER_DEGREE = 10_000_000
/** Lists of types in an index; a place whose list is one too many gets the last two of them alone. */
export const TYPE_LISTS_MAX = 65_536

/** A grid whose cells are sorted by prominence. */
export interface ProminenceGrid {
  /** As `cellsAround` takes it. */
  readonly depth: number
  /** The largest circle that this grid is used for, metres. */
  readonly radiusMetresMax: number
}

/** Below this radius all that is in a circle is looked at instead. */
export const SMALL_RADIUS_METRES = 1_500
/** From small to large. Cells are 10 by 5 km and 39 by 20 km at the equator, and narrower elsewhere. */
export const PROMINENCE_GRIDS: readonly ProminenceGrid[] = [
  { depth: 12, radiusMetresMax: 10_000 },
  { depth: 10, radiusMetresMax: Number.POSITIVE_INFINITY },
]

/** The cell of a grid that a place is in, in SQL. */
export function cellExpression(depth: number): string {
  return `spot >> ${2 * (DEPTH - depth)}`
}

/** The tables of a new index. */
export const TABLES: string = `
  PRAGMA application_id = ${APPLICATION_ID};
  PRAGMA user_version = ${FORMAT_VERSION};
  CREATE TABLE about (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
  CREATE TABLE types (id INTEGER PRIMARY KEY, list TEXT NOT NULL) STRICT;
  CREATE TABLE place (
    id INTEGER PRIMARY KEY,
    spot INTEGER NOT NULL,
    latitude INTEGER NOT NULL,
    longitude INTEGER NOT NULL,
    prominence INTEGER NOT NULL,
    types INTEGER NOT NULL,
    place_id TEXT NOT NULL,
    name TEXT NOT NULL,
    vicinity TEXT
  ) STRICT;`

const COVERED = 'latitude, longitude, types'

/** What is built when all places are in: sorting once is quicker than keeping order, and needs little memory. */
export const INDEXES: readonly string[] = [
  // One source may tell of a place twice, such as extracts put together. The first counts.
  `CREATE INDEX place_by_id ON place (place_id);
   DELETE FROM place WHERE id IN (
     SELECT id FROM (SELECT id, row_number() OVER (PARTITION BY place_id ORDER BY id) AS n FROM place) WHERE n > 1
   );
   DROP INDEX place_by_id;`,
  `CREATE INDEX place_by_spot ON place (spot, prominence, ${COVERED});`,
  ...PROMINENCE_GRIDS.map(
    ({ depth }) =>
      `CREATE INDEX place_by_prominence_${depth} ON place (${cellExpression(depth)}, prominence DESC, ${COVERED});`,
  ),
]

/** What is told of an index without looking into it. */
export interface AboutIndex {
  /** `osm`, `geonames`, `overture` or `foursquare`. */
  readonly source: string
  /** Whom to thank, as HTML. */
  readonly credit: string
  readonly places: number
  /** Milliseconds since the POSIX epoch. */
  readonly importedAtMs: number
  /** The name of the file that it was made of. */
  readonly file: string
}
