import assert from 'node:assert/strict'
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { after, test } from 'node:test'
import { awkwardLatitude, awkwardLongitude, roundDegrees } from '../../../test/support/awkward-places.ts'
import { fc, runs } from '../../../test/support/properties.ts'
import { ellipsoidMetres } from '../../locations/distance.ts'
import type { PlacesQuery } from '../provider.ts'
import { type IndexablePlace, IndexBusy, IndexWriter, indexPath } from './index-writer.ts'
import { PlacesIndex, PlacesIndexBroken } from './places-index.ts'
import { inTurns } from './turns.ts'

const folder = mkdtempSync(join(tmpdir(), 'herd-index-'))
after(() => rmSync(folder, { recursive: true }))
const NEVER = new AbortController().signal
const ABOUT = { source: 'test', credit: 'Test', importedAtMs: 5, file: 'test' }
const TYPES = [
  ['cafe', 'food', 'point_of_interest', 'establishment'],
  ['locality', 'political'],
  ['museum', 'point_of_interest', 'establishment'],
]

function write(name: string, places: Iterable<IndexablePlace>, options = {}): string {
  const writer = new IndexWriter(folder, name, options)
  for (const place of places) writer.add(place)
  writer.finish(ABOUT)
  return indexPath(folder, name)
}

function ask(
  latitude: number,
  longitude: number,
  radiusMetres: number,
  rank: PlacesQuery['rank'],
  more = {},
): PlacesQuery {
  return { latitude, longitude, locationText: '', radiusMetres, rank, ...more }
}

function place(
  n: number,
  latitude: number,
  longitude: number,
  more: Partial<IndexablePlace> = {},
): IndexablePlace {
  return {
    placeId: `test:${n}`,
    name: `Place ${n}`,
    types: TYPES[0] ?? [],
    latitude,
    longitude,
    prominence: 50,
    ...more,
  }
}

const anyPlaces = fc
  .array(
    fc.record({
      latitude: awkwardLatitude.map((degrees) => roundDegrees(degrees, 7)),
      longitude: awkwardLongitude.map((degrees) => roundDegrees(degrees, 7)),
      prominence: fc.integer({ min: 0, max: 5 }),
      types: fc.constantFrom(...TYPES),
      name: fc.constantFrom('Café Central', 'Bar', 'central park'),
    }),
    { minLength: 30, maxLength: 200 },
  )
  .map((all) => all.map((one, n): IndexablePlace => ({ ...one, placeId: `test:${n}` })))
const anyQuery: fc.Arbitrary<PlacesQuery> = fc.record({
  latitude: awkwardLatitude,
  longitude: awkwardLongitude,
  locationText: fc.constant(''),
  radiusMetres: fc.oneof(fc.constant(50_000), fc.integer({ min: 0, max: 50_000 })),
  rank: fc.constantFrom('distance' as const, 'prominence' as const),
  type: fc.constantFrom(undefined, undefined, 'cafe', 'zoo'),
  keyword: fc.constantFrom(undefined, undefined, 'CENTRAL cafe', 'museum'),
})

test('finds what a look at every single place finds: both ranks, all filters, the poles and ±180° too', async () => {
  let n = 0
  await fc.assert(
    fc.asyncProperty(anyPlaces, fc.array(anyQuery, { minLength: 8, maxLength: 8 }), async (all, queries) => {
      const index = new PlacesIndex(write(`law${n++ % 3}`, all))
      for (const query of queries) {
        const found = await inTurns(index.search(query, 20), NEVER)
        const seen = found.map(({ metres, prominence }) => [
          query.rank === 'distance' ? 0 : prominence,
          metres,
        ])
        assert.deepEqual(seen, naiveSearch(all, query))
        for (const one of found) {
          const { metres, ...rest } = one
          const { vicinity, ...same } = rest
          assert.deepEqual(
            same,
            all.find(({ placeId }) => placeId === one.placeId),
          )
          assert.ok(metres <= query.radiusMetres && vicinity === undefined)
        }
      }
      index.close()
    }),
    runs(60),
  )
})

function naiveSearch(
  all: readonly IndexablePlace[],
  { latitude, longitude, radiusMetres, rank, type, keyword }: PlacesQuery,
) {
  return all
    .filter(({ types }) => type === undefined || types.includes(type))
    .filter(({ name, types }) => {
      if (keyword === undefined) return true
      return keyword === 'museum'
        ? types.includes('museum')
        : name === 'Café Central' || (name === 'central park' && types.includes('cafe'))
    })
    .map(
      (one) =>
        [
          rank === 'distance' ? 0 : one.prominence,
          ellipsoidMetres(latitude, longitude, one.latitude, one.longitude),
        ] as const,
    )
    .filter(([, metres]) => metres <= radiusMetres)
    .sort(([prominenceA, metresA], [prominenceB, metresB]) => prominenceB - prominenceA || metresA - metresB)
    .slice(0, 20)
    .map(([prominence, metres]) => [prominence, metres])
}

test('a town: many places of few prominences at one spot, asked at every radius', async () => {
  const town = Array.from({ length: 20_000 }, (_, n) =>
    place(n, 48 + ((n * 7919) % 4001) / 20_000, 11 + ((n * 104_729) % 4003) / 20_000, {
      prominence: (n * 31) % 90 < 2 ? 90 : 40,
    }),
  )
  const index = new PlacesIndex(write('town', town))
  for (const radiusMetres of [0, 100, 1_000, 3_000, 15_000, 50_000]) {
    for (const rank of ['distance', 'prominence'] as const) {
      const query = ask(48.1, 11.1, radiusMetres, rank)
      const found = await inTurns(index.search(query, 20), NEVER)
      assert.deepEqual(
        found.map(({ metres, prominence }) => [rank === 'distance' ? 0 : prominence, metres]),
        naiveSearch(town, query),
      )
    }
  }
  index.close()
})

test('a long search lets others go first, can be ended, and outlasts the closing of its index', async () => {
  const town = Array.from({ length: 5_000 }, (_, n) => place(n, 10, 10 + n / 1_000_000))
  const index = new PlacesIndex(write('long', town))
  const query = ask(10, 10, 50_000, 'prominence', { keyword: '4999' })
  const turns = index.search(query, 20)
  let count = 0
  let turn = turns.next()
  for (; turn.done !== true; turn = turns.next()) {
    count++
    if (count === 1) {
      index.close()
      // Others may search meanwhile: the same statement is in the middle of its rows.
      assert.equal(index.about.places, 5_000)
    }
  }
  assert.ok(count >= 9, `${count} turns`)
  assert.deepEqual(
    turn.value.map(({ name }) => name),
    ['Place 4999'],
  )
  assert.throws(() => index.search(query, 20).next(), /finalized|not open/)

  const again = new PlacesIndex(indexPath(folder, 'long'))
  const ended = inTurns(again.search(query, 20), AbortSignal.abort(new Error('gone')))
  await assert.rejects(ended, /gone/)
  const both = await Promise.all([0, 1].map(() => inTurns(again.search(query, 20), NEVER)))
  assert.deepEqual(both[0], both[1])
  again.close()
})

test('of one id the first place counts; lists of types beyond the bound are cut to what is general', async () => {
  const types = (n: number) => [`t${n}`, 'point_of_interest', 'establishment']
  const all = [...Array(30).keys()].map((n) => place(n, 1, 1 + n / 1_000, { types: types(n) }))
  const index = new PlacesIndex(
    write('bound', [...all, place(3, 1, 1, { name: 'twice' })], { typeListsMax: 10 }),
  )
  assert.equal(index.about.places, 30)
  const found = await inTurns(index.search(ask(1, 1, 50_000, 'distance'), 40), NEVER)
  assert.deepEqual(
    found.map(({ name }) => name),
    all.map(({ name }) => name),
  )
  assert.deepEqual(found[9]?.types, types(9))
  assert.deepEqual(found[10]?.types, ['point_of_interest', 'establishment'])
  index.close()
})

test('an index is whole or not there: what was there before stays until the end, and after an abandoned one', () => {
  const path = write('whole', [place(1, 1, 1)])
  const before = readFileSync(path)
  const writer = new IndexWriter(folder, 'whole')
  writer.add(place(2, 2, 2))
  assert.deepEqual(readFileSync(path), before)
  assert.throws(() => new IndexWriter(folder, 'whole'), IndexBusy)
  writer.abandon()
  assert.deepEqual(readFileSync(path), before)
  assert.ok(!existsSync(`${path}.partial`))
  // What a killed import leaves, or anything else of that name.
  writeFileSync(`${path}.partial`, 'rubbish')
  write('whole', [place(2, 2, 2), place(3, 3, 3)])
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.startsWith('whole')),
    ['whole.places'],
  )
  const index = new PlacesIndex(path)
  assert.deepEqual(index.about, { ...ABOUT, places: 2 })
  index.close()
})

test('what is no index is found when it is opened, or when it is searched', async () => {
  const good = write(
    'good',
    Array.from({ length: 20_000 }, (_, n) => place(n, 1, 1 + n / 100_000)),
  )
  const bad = (name: string): string => join(folder, `${name}.places`)
  mkdirSync(bad('folder'))
  writeFileSync(bad('text'), 'not a database, surely not one of ours')
  writeFileSync(bad('empty'), '')
  copyFileSync(good, bad('cut'))
  truncateSync(bad('cut'), 500_000)
  copyFileSync(good, bad('version'))
  const other = new DatabaseSync(bad('version'))
  other.exec('PRAGMA user_version = 99')
  other.close()
  for (const [name, message] of [
    ['folder', /can't be read/],
    ['text', /not a database/],
    ['empty', /no index of places/],
    ['cut', /malformed.*import it again/],
    ['version', /format 99, and this Herd reads 1/],
    ['none', /can't be read/],
  ] as const) {
    assert.throws(
      () => new PlacesIndex(bad(name)),
      (error) => error instanceof PlacesIndexBroken && message.test(error.message),
      name,
    )
  }
  const bytes = readFileSync(good)
  bytes.fill(0xa5, 8192)
  writeFileSync(bad('damaged'), bytes)
  await assert.rejects(async () => {
    const index = new PlacesIndex(bad('damaged'))
    await inTurns(index.search(ask(1, 1, 50_000, 'prominence'), 20), NEVER)
  }, PlacesIndexBroken)
})
