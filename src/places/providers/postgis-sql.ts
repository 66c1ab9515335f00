/** What Herd says to PostgreSQL with PostGIS: the table of places, how it is filled, and how it is asked. */
import type { ClientBase } from 'pg'
import { PAGE_ITEMS } from '../provider.ts'

/** A place as the table holds it. */
export interface PostgisPlace {
  /** The source's own, with a short name of the source before it: `osm:n123`. */
  readonly id: string
  readonly name: string
  /** From specific to general. */
  readonly types: readonly string[]
  /** How well known it is: more comes first. −32,768 … 32,767. */
  readonly prominence: number
  readonly vicinity?: string | undefined
  /** Whom to thank, as HTML. */
  readonly credit?: string | undefined
  /** Decimal degrees, −90 … 90. */
  readonly latitude: number
  /** Decimal degrees, −180 … 180. */
  readonly longitude: number
}

/** Rows in one statement at most. */
const ROWS_PER_STATEMENT = 1000
/** The nearest by the sphere are found first; what is that near by the ellipsoid is looked for once more, this much farther. */
const ROUNDING_METRES = 0.01

/**
 * A table's name as PostgreSQL takes it, whatever is in it.
 *
 * @param table with a schema and a dot before it, if need be
 */
export function quotedTable(table: string): string {
  return table
    .split('.')
    .map((part) => `"${part.replaceAll('"', '""')}"`)
    .join('.')
}

/** What makes the table of places, when it isn't there: also in `docs/places.sql`. */
export function placeTableSql(table: string): string {
  const index = `${table.split('.').at(-1)}_geog_gist`
  return `CREATE EXTENSION IF NOT EXISTS postgis;

CREATE TABLE IF NOT EXISTS ${quotedTable(table)} (
  id         text PRIMARY KEY,
  name       text NOT NULL,
  types      text[] NOT NULL,
  prominence smallint NOT NULL DEFAULT 0,
  vicinity   text,
  credit     text,
  geog       geography(Point, 4326) NOT NULL
);

CREATE INDEX IF NOT EXISTS ${quotedTable(index)} ON ${quotedTable(table)} USING gist (geog);
`
}

/** Makes the table of places and its index, when they aren't there. The role must be allowed to. */
export async function makePlaceTable(client: ClientBase, table = 'place'): Promise<void> {
  await client.query(placeTableSql(table))
}

/**
 * Puts places into the table; one with an ID that is there already takes its place. In a transaction of the caller's,
 * all of it is seen at once. Keeps a thousand places in memory at a time.
 *
 * @returns how many
 */
export async function copyPlaces(
  client: ClientBase,
  places: AsyncIterable<PostgisPlace> | Iterable<PostgisPlace>,
  table = 'place',
): Promise<number> {
  let count = 0
  // One statement must not have an ID twice: the later place holds.
  let batch = new Map<string, PostgisPlace>()
  for await (const place of places) {
    batch.set(place.id, place)
    count++
    if (batch.size < ROWS_PER_STATEMENT) continue
    await putPlaces(client, [...batch.values()], table)
    batch = new Map()
  }
  if (batch.size > 0) await putPlaces(client, [...batch.values()], table)
  return count
}

async function putPlaces(client: ClientBase, places: readonly PostgisPlace[], table: string): Promise<void> {
  // Arrays of arrays must be rectangular in PostgreSQL; so types travel as JSON.
  const sql = `
INSERT INTO ${quotedTable(table)} (id, name, types, prominence, vicinity, credit, geog)
SELECT id, name, ARRAY(SELECT json_array_elements_text(types::json)), prominence, vicinity, credit,
  ST_SetSRID(ST_MakePoint(longitude, latitude), 4326)::geography
FROM unnest($1::text[], $2::text[], $3::text[], $4::smallint[], $5::text[], $6::text[], $7::float8[], $8::float8[])
  AS p(id, name, types, prominence, vicinity, credit, latitude, longitude)
ON CONFLICT (id) DO UPDATE SET (name, types, prominence, vicinity, credit, geog) =
  (excluded.name, excluded.types, excluded.prominence, excluded.vicinity, excluded.credit, excluded.geog)`
  await client.query(sql, [
    places.map(({ id }) => id),
    places.map(({ name }) => name),
    places.map(({ types }) => JSON.stringify(types)),
    places.map(({ prominence }) => prominence),
    places.map(({ vicinity }) => vicinity ?? null),
    places.map(({ credit }) => credit ?? null),
    places.map(({ latitude }) => latitude),
    places.map(({ longitude }) => longitude),
  ])
}

/** Text as words are compared: without accents, in small letters, `_` as the space that it stands for. */
function folded(text: string): string {
  return `replace(lower(regexp_replace(normalize(${text}, NFKD), '[\\u0300-\\u036f]', '', 'g')), '_', ' ')`
}

/** $4 the type, $5 the words; null for any. */
const WANTED = `($4::text IS NULL OR $4 = ANY (p.types))
    AND ($5::text[] IS NULL OR NOT EXISTS (
      SELECT FROM unnest($5::text[]) AS word
      WHERE position(${folded('word')} IN ${folded("concat_ws(' ', p.name, p.vicinity, array_to_string(p.types, ' '))")}) = 0))`

const POINT = 'ST_SetSRID(ST_MakePoint($2, $1), 4326)::geography'

const COLUMNS = `p.id, p.name, p.types, p.vicinity, coalesce(p.credit, q.credit) AS credit,
  ST_Y(p.geog::geometry) AS latitude, ST_X(p.geog::geometry) AS longitude`

/** The circle, and whom to thank where a row doesn't say: the table's comment. */
function circle(table: string): string {
  return `SELECT ${POINT} AS g, obj_description('${quotedTable(table).replaceAll("'", "''")}'::regclass, 'pg_class') AS credit`
}

/**
 * The nearest places: $1 latitude, $2 longitude, $3 metres, $4 type, $5 words. The index knows the order by the sphere
 * only; so the first look finds how far the farthest of a page can be, and the second one takes the page.
 */
export function nearestSql(table: string): string {
  return `
WITH q AS (${circle(table)}),
first AS (
  SELECT ST_Distance(p.geog, ${POINT}) AS metres FROM ${quotedTable(table)} p
  WHERE ST_DWithin(p.geog, ${POINT}, $3)
    AND ${WANTED}
  ORDER BY p.geog <-> ${POINT} LIMIT ${PAGE_ITEMS}
),
bound AS (
  SELECT CASE WHEN count(*) < ${PAGE_ITEMS} THEN $3 ELSE least($3, max(metres) + ${ROUNDING_METRES}) END AS metres FROM first
)
SELECT ${COLUMNS}
FROM q, bound, ${quotedTable(table)} p
WHERE ST_DWithin(p.geog, ${POINT}, bound.metres)
  AND ${WANTED}
ORDER BY ST_Distance(p.geog, q.g), p.id LIMIT ${PAGE_ITEMS}`
}

/** The best known places in the circle, of equals the nearest; parameters as for `nearestSql`. */
export function prominentSql(table: string): string {
  return `
WITH q AS (${circle(table)})
SELECT ${COLUMNS}
FROM q, ${quotedTable(table)} p
WHERE ST_DWithin(p.geog, ${POINT}, $3)
  AND ${WANTED}
ORDER BY p.prominence DESC, ST_Distance(p.geog, q.g), p.id LIMIT ${PAGE_ITEMS}`
}
