/** Places from a real PostgreSQL with PostGIS. */
import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { after, before, type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import { ellipsoidMetres } from '../../src/locations/distance.ts'
import { ProviderFailed } from '../../src/places/provider.ts'
import { PostgisPlaces } from '../../src/places/providers/postgis.ts'
import {
  copyPlaces,
  makePlaceTable,
  type PostgisPlace,
  placeTableSql,
} from '../../src/places/providers/postgis-sql.ts'
import { CANARY, CANARY_WORD, tracesIn } from '../support/canary.ts'
import { waitUntil } from '../support/live-herd.ts'
import { Postgres, whyNoPostgres } from '../support/postgres.ts'
import { fc, runs } from '../support/properties.ts'
import {
  failureOf,
  itemsOf,
  NEVER,
  type Position,
  queryAt,
  testProvider,
  UCLA,
} from '../support/provider-suite.ts'

const PASSWORD = CANARY
const LA = UCLA
const skip = await whyNoPostgres()

let postgres: Postgres

before(
  async () => {
    if (skip !== undefined) return
    postgres = await Postgres.start(PASSWORD)
    const client = await postgres.connect()
    await makePlaceTable(client)
    assert.equal(await copyPlaces(client, somePlaces()), 2_000)
    await client.query(`COMMENT ON TABLE place IS 'Places by <a href="https://example.org">us</a>'`)
    await client.end()
  },
  { timeout: 60_000 },
)

after(async () => postgres?.close())

/** Places around Los Angeles, from metres to hundreds of kilometres away; the same each time. */
function* somePlaces(): Generator<PostgisPlace> {
  for (let index = 0; index < 2_000; index++) {
    const metres = 10 * 1.0055 ** index
    const angle = index * 2.4
    yield {
      id: `test:${index}`,
      name: index % 3 === 0 ? `Café Número ${index}` : `Place ${index}`,
      types: index % 4 === 0 ? ['museum', 'point_of_interest', 'establishment'] : ['locality', 'political'],
      prominence: (index * 7919) % 1_000,
      vicinity: index % 2 === 0 ? 'Los Angeles' : undefined,
      credit: index % 50 === 0 ? '<i>somebody else</i>' : undefined,
      latitude: Math.max(-89, Math.min(89, LA.latitude + (metres * Math.cos(angle)) / 111_000)),
      longitude: LA.longitude + (((metres * Math.sin(angle)) / 111_000) % 60),
    }
  }
}

function open(t: TestContext, options: Partial<ConstructorParameters<typeof PostgisPlaces>[0]> = {}) {
  const provider = new PostgisPlaces({
    ...{ url: postgres.url, password: PASSWORD, table: 'place', connectionsMax: 2, queryMsMax: 5_000 },
    ...options,
  })
  t.after(() => provider.close())
  return provider
}

function namesOf(items: readonly unknown[]): string[] {
  return items.map((item) => JSON.parse(JSON.stringify(item)).name)
}

if (skip !== undefined) test('PostGIS', { skip }, () => undefined)
else {
  testProvider({
    name: 'postgis',
    open: (t) => open(t),
    somewhere: LA,
    nowhere: { latitude: -60, longitude: 100, radiusMetres: 50_000 },
    type: 'museum',
    keyword: 'número',
    credit: /Places by <a href/,
  })

  test('docs/places.sql makes the table that the provider reads', async () => {
    const text = await readFile(new URL('../../docs/places.sql', import.meta.url), 'utf8')
    assert.ok(text.endsWith(placeTableSql('place')))
  })

  test('the nearest are the nearest by the ellipsoid, of any positions, also where they are close together', async (t) => {
    const provider = open(t, { table: 'dense' })
    const client = await postgres.connect()
    t.after(() => client.end())
    await makePlaceTable(client, 'dense')
    const anywhere = fc.record({
      latitude: fc.double({ min: -90, max: 90, noNaN: true }),
      longitude: fc.double({ min: -180, max: 180, noNaN: true }),
    })
    // A ring on the sphere: who is nearest, only the ellipsoid tells.
    const property = fc.asyncProperty(
      anywhere,
      fc.integer({ min: 1, max: 45_000 }),
      async (centre, metres) => {
        await client.query('TRUNCATE dense')
        const ring = Array.from({ length: 60 }, (_, index) => onSphere(centre, metres, index * 6))
        await copyPlaces(
          client,
          ring.map((at, index) => ({ ...at, id: `r:${index}`, name: 'x', types: [], prominence: 0 })),
          'dense',
        )
        const body = await provider.search(queryAt(centre, 50_000, { rank: 'distance' }), NEVER)
        const found = itemsOf(body).map((item) => JSON.parse(JSON.stringify(item)).geometry.location)
        const truth = ring.map((at) => metresOf(centre, at)).sort((a, b) => a - b)
        const got = found.map(({ lat, lng }) => metresOf(centre, { latitude: lat, longitude: lng }))
        for (const [at, metre] of got.entries()) assert.ok(Math.abs(metre - (truth[at] ?? 0)) < 0.01)
        assert.equal(got.length, 20)
      },
    )
    await fc.assert(property, runs(25))
  })

  test('what is best known comes first, of equals the nearest; and the words may be anywhere', async (t) => {
    const provider = open(t)
    const places = [...somePlaces()]
    const near = places.filter((place) => metresOf(LA, place) <= 10_000)
    const best = near.toSorted((a, b) => b.prominence - a.prominence || metresOf(LA, a) - metresOf(LA, b))
    const body = await provider.search(queryAt(LA, 10_000), NEVER)
    assert.deepEqual(
      namesOf(itemsOf(body)),
      best.slice(0, 20).map(({ name }) => name),
    )
    const asked = await provider.search(queryAt(LA, 10_000, { keyword: 'ANGELES cafe  MUSEUM' }), NEVER)
    const wanted = best.filter(
      ({ name, types, vicinity }) =>
        name.startsWith('Café') && types[0] === 'museum' && vicinity !== undefined,
    )
    assert.ok(wanted.length > 3)
    assert.deepEqual(
      namesOf(itemsOf(asked)),
      wanted.slice(0, 20).map(({ name }) => name),
    )
  })

  test('the circle is found by the index', async (t) => {
    const client = await postgres.connect()
    t.after(() => client.end())
    const { nearestSql, prominentSql } = await import('../../src/places/providers/postgis-sql.ts')
    await client.query('ANALYZE place')
    await client.query('SET enable_seqscan = off')
    for (const sql of [nearestSql('place'), prominentSql('place')]) {
      const values = [LA.latitude, LA.longitude, 1_000, null, null]
      const { rows } = await client.query({ text: `EXPLAIN ${sql}`, values })
      const plan = JSON.stringify(rows)
      assert.match(plan, /Index Scan using place_geog_gist|Bitmap Index Scan on place_geog_gist/)
      assert.doesNotMatch(plan, /Seq Scan/)
    }
  })

  test('text of clients is never SQL', async (t) => {
    const provider = open(t)
    for (const text of ["'; DROP TABLE place; --", '$1', '%', '\\', "x' OR '1'='1"]) {
      assert.equal(
        (await provider.search(queryAt(LA, 10_000, { keyword: `${text}zzz` }), NEVER)).status,
        'ZERO_RESULTS',
      )
      assert.equal((await provider.search(queryAt(LA, 10_000, { type: text }), NEVER)).status, 'ZERO_RESULTS')
    }
    assert.equal((await provider.search(queryAt(LA, 10_000), NEVER)).status, 'OK')
  })

  test('what is wrong is said, without the password', async (t) => {
    await postgres.run('CREATE DATABASE bare', 'postgres')
    await postgres.run('CREATE TABLE narrow (id text, geog geography(Point, 4326))')
    await postgres.run(`CREATE ROLE stranger LOGIN PASSWORD '${PASSWORD}'`)
    const cases = [
      [{ password: `wrong-${CANARY_WORD}` }, 'REQUEST_DENIED', /password/, false],
      [{ url: postgres.urlOf('nowhere') }, 'REQUEST_DENIED', /no such database/, false],
      [{ url: postgres.urlOf('bare') }, 'REQUEST_DENIED', /no PostGIS|no such table/, false],
      [{ table: 'nothing' }, 'REQUEST_DENIED', /no such table/, false],
      [{ table: 'nowhere.place' }, 'REQUEST_DENIED', /no such table/, false],
      [{ table: 'narrow' }, 'REQUEST_DENIED', /lacks a column/, false],
      [{ url: postgres.urlOf('places', 'stranger') }, 'REQUEST_DENIED', /GRANT SELECT/, false],
      [{ url: 'postgres://herd@127.0.0.1:1/places' }, 'UNKNOWN_ERROR', /connection/, true],
    ] as const
    for (const [options, status, says, mayRetry] of cases) {
      const failure = await failureOf(open(t, options).search(queryAt(LA, 1_000), NEVER))
      assert.deepEqual([failure.status, failure.mayRetry], [status, mayRetry], inspect(failure))
      assert.match(failure.message, says)
      assert.ok(failure.cause instanceof Error)
    }
    const shown = inspect(open(t), { depth: Number.POSITIVE_INFINITY, showHidden: true })
    assert.deepEqual(tracesIn(shown, 'what is shown'), [])
  })

  test('after a restart of the database it is asked again', async (t) => {
    const provider = open(t)
    assert.equal((await provider.search(queryAt(LA, 1_000), NEVER)).status, 'OK')
    await postgres.stop()
    const failure = await failureOf(provider.search(queryAt(LA, 1_000), NEVER))
    assert.equal(failure.mayRetry, true)
    await postgres.restart()
    assert.equal((await provider.search(queryAt(LA, 1_000), NEVER)).status, 'OK')
  })

  test('who gives up is let go at once; the query is cancelled, and the connection serves again', async (t) => {
    const provider = open(t, { connectionsMax: 1 })
    const lock = await holdTable(t)
    const abort = new AbortController()
    const late = new ProviderFailed('It took too long.', 'UNKNOWN_ERROR', { mayRetry: true })
    const failure = failureOf(provider.search(queryAt(LA, 1_000), abort.signal))
    await lock.waitedFor(1)
    abort.abort(late)
    assert.equal(await failure, late)
    await lock.waitedFor(0)
    await lock.release()
    assert.equal((await provider.search(queryAt(LA, 1_000), NEVER)).status, 'OK')
    assert.equal(await failureOf(provider.search(queryAt(LA, 1_000), AbortSignal.abort(late))), late)
  })

  test('queryMsMax: the database ends it by itself', async (t) => {
    const provider = open(t, { queryMsMax: 100 })
    const lock = await holdTable(t)
    const failure = await failureOf(provider.search(queryAt(LA, 1_000), NEVER))
    assert.match(failure.message, /too long/)
    assert.equal(failure.mayRetry, true)
    await lock.release()
  })

  test('connectionsMax: no more at a time; the others wait', async (t) => {
    const provider = open(t, { connectionsMax: 2 })
    const lock = await holdTable(t)
    const asks = Array.from({ length: 10 }, () => provider.search(queryAt(LA, 1_000), NEVER))
    await lock.waitedFor(2)
    assert.equal(await lock.connections(), 2)
    await lock.release()
    for (const body of await Promise.all(asks)) assert.equal(body.status, 'OK')
  })
}

/** Holds the table so that nobody can read it. */
async function holdTable(t: TestContext) {
  const client = await postgres.connect()
  t.after(() => client.end())
  await client.query('BEGIN; LOCK TABLE place IN ACCESS EXCLUSIVE MODE')
  const watcher = await postgres.connect()
  t.after(() => watcher.end())
  const count = async (more: string): Promise<number> => {
    const sql = `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'herd' ${more}`
    const { rows } = await watcher.query<{ n: number }>(sql)
    return rows[0]?.n ?? 0
  }
  return {
    connections: () => count(''),
    waitedFor: (wanted: number) =>
      waitUntil(async () => (await count(`AND wait_event_type = 'Lock'`)) === wanted, `${wanted} wait`),
    release: () => client.query('COMMIT'),
  }
}

function metresOf(from: Position, to: Position): number {
  return ellipsoidMetres(from.latitude, from.longitude, to.latitude, to.longitude)
}

/** A point so far from another on a sphere, in a direction in degrees. */
function onSphere({ latitude, longitude }: Position, metres: number, direction: number): Position {
  const [lat, lon, angle, way] = [latitude, longitude, direction, 0].map(
    (degrees) => (degrees * Math.PI) / 180,
  )
  const [a = 0, b = 0, c = 0] = [lat, lon, angle, way]
  const d = metres / 6_371_008.8
  const toLat = Math.asin(Math.sin(a) * Math.cos(d) + Math.cos(a) * Math.sin(d) * Math.cos(c))
  const toLon =
    b + Math.atan2(Math.sin(c) * Math.sin(d) * Math.cos(a), Math.cos(d) - Math.sin(a) * Math.sin(toLat))
  const wrapped = (((toLon * 180) / Math.PI + 540) % 360) - 180
  return { latitude: (toLat * 180) / Math.PI, longitude: wrapped }
}
