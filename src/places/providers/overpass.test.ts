import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type OverpassElement, OverpassStandIn } from '../../../test/support/overpass-stand-in.ts'
import {
  closedAfter,
  failureOf,
  HTTP_OPTIONS,
  itemsOf,
  NEVER,
  queryAt,
  testHttpProvider,
  UCLA,
} from '../../../test/support/provider-suite.ts'
import { ProviderFailed } from '../provider.ts'
import { ELEMENTS_MAX, OverpassPlaces, type OverpassPlacesOptions, RINGS_MAX } from './overpass.ts'

type World = (latitude: number, longitude: number) => readonly OverpassElement[]

async function openWith(t: TestContext, more: Partial<OverpassPlacesOptions> = {}, world?: World) {
  const standIn = await OverpassStandIn.start(world)
  const provider = new OverpassPlaces({
    baseUrl: standIn.url,
    ...HTTP_OPTIONS,
    ...more,
  })
  return {
    ...closedAfter(t, standIn, provider),
    radii: () => standIn.requests.map(({ body }) => radiusIn(body)),
  }
}

function radiusIn(body: string): number {
  const [, radius] = /around:(\d+)/.exec(new URLSearchParams(body).get('data') ?? '') ?? []
  return Number(radius)
}

testHttpProvider({
  name: 'overpass',
  openWith: (t) => openWith(t),
  somewhere: UCLA,
  type: 'museum',
  keyword: 'coffee',
  credit: /OpenStreetMap contributors/,
})

test('asks for what may be places, as a form, and says who asks', async (t) => {
  const { standIn, provider } = await openWith(t, { userAgent: 'Herd/9.9.9 (ops@example.org)' })
  const position = { ...queryAt(UCLA, 0), locationText: '34.068930,-118.445127' }
  await provider.search({ ...position, keyword: 'Café "B" [2].' }, NEVER)
  const near =
    'nwr(around:1,34.068930,-118.445127)[name][name~"café",i][name~"\\"b\\"",i][name~"\\\\[2\\\\]\\\\.",i]'
  assert.equal(
    new URLSearchParams(standIn.requests[0]?.body).get('data'),
    `[out:json][timeout:25];(${near}[~"^(amenity|shop|tourism|leisure|historic|office)$"~"."];${near}[aeroway=aerodrome];${near}[railway=station];);out center 1001;`,
  )
  assert.equal(standIn.requests[0]?.headers['user-agent'], 'Herd/9.9.9 (ops@example.org)')
  assert.equal(standIn.requests[0]?.headers['content-type'], 'application/x-www-form-urlencoded')
})

test('a node, the centre of a way and that of a relation become legacy results', async (t) => {
  const { provider } = await openWith(t, { language: 'de' })
  const [node, way, relation] = itemsOf(
    await provider.search(queryAt(UCLA, 10_000, { rank: 'distance' }), NEVER),
  )
  assert.deepEqual(node, {
    geometry: { location: { lat: 34.06893, lng: -118.445127 } },
    name: 'Powell Library 1 (deutsch)',
    place_id: 'osm:n1000',
    reference: 'osm:n1000',
    scope: 'OSM',
    types: ['library', 'point_of_interest', 'establishment'],
    vicinity: 'Westwood Plaza 0, Los Angeles',
  })
  assert.match(JSON.stringify(way), /"place_id":"osm:w/)
  assert.match(JSON.stringify(relation), /"place_id":"osm:r/)
  assert.doesNotMatch(JSON.stringify(way), /vicinity/)
})

test('rings grow until there is enough', async (t) => {
  const { provider, radii } = await openWith(t)
  await provider.search(queryAt(UCLA, 10_000, { rank: 'distance' }), NEVER)
  assert.deepEqual(radii(), [371, 1_112])
})

test('every ring but the first is a further call, and one that may not go out ends the search', async (t) => {
  const { provider, standIn } = await openWith(t, {}, () => [])
  let left = 100
  const nextCall = () => {
    if (left-- === 0) throw new ProviderFailed('No more.', 'OVER_QUERY_LIMIT')
  }
  await provider.search(queryAt(UCLA, 50_000), NEVER, nextCall)
  assert.deepEqual([standIn.requests.length, left], [RINGS_MAX, 100 - (RINGS_MAX - 1)])
  left = 1
  const failure = await failureOf(provider.search(queryAt(UCLA, 50_000), NEVER, nextCall))
  assert.equal(failure.message, 'No more.')
  assert.equal(standIn.requests.length, RINGS_MAX + 2)
})

test('rings grow to the whole circle, and end there', async (t) => {
  const { provider, radii } = await openWith(t, {}, () => [])
  assert.equal((await provider.search(queryAt(UCLA, 50_000), NEVER)).status, 'ZERO_RESULTS')
  assert.deepEqual(radii(), [1_852, 5_556, 16_667, 50_000])
  await provider.search(queryAt(UCLA, 150), NEVER)
  assert.deepEqual(radii().slice(4), [100, 150])
})

test('the first of the best known come from more than the nearest 20', async (t) => {
  const world: World = (lat, lon) =>
    Array.from({ length: 80 }, (_, number) => ({
      type: 'node' as const,
      id: number,
      lat: lat + number * 0.0001,
      lon,
      tags: {
        name: `${number}`,
        amenity: number === 50 ? 'hospital' : 'parking',
        ...(number === 40 && { wikidata: 'Q1' }),
      },
    }))
  const { provider } = await openWith(t, {}, world)
  const found = JSON.stringify(itemsOf(await provider.search(queryAt(UCLA, 10_000), NEVER)))
  assert.deepEqual(
    Array.from(found.matchAll(/"name":"(\d+)"/g), ([, name]) => Number(name)).slice(0, 4),
    [50, 40, 0, 1],
    'what it is, then who wrote about it, then the distance',
  )
})

/** Places in a line, the nearest with the highest ID: a list that is cut by ID loses the nearest. */
function crowd(count: number, degreesApart: number): World {
  return (lat, lon) =>
    Array.from({ length: count }, (_, number) => ({
      type: 'node' as const,
      id: count - number,
      lat: lat + number * degreesApart,
      lon,
      tags: { name: `${number}`, amenity: 'cafe' },
    }))
}

test('a ring with too much in it is asked for again, smaller', async (t) => {
  const { provider, radii } = await openWith(t, { bodyBytesMax: 1_000_000 }, crowd(3_000, 0.000001))
  const found = itemsOf(await provider.search(queryAt(UCLA, 10_000, { rank: 'distance' }), NEVER))
  assert.match(JSON.stringify(found[0]), /"name":"0"/)
  assert.equal(found.length, 20)
  assert.deepEqual(radii(), [371, 42])
})

test('where it is too much however small, some places are better than none', async (t) => {
  const { provider, radii } = await openWith(t, { bodyBytesMax: 1_000_000 }, crowd(2 * ELEMENTS_MAX, 1e-9))
  const body = await provider.search(queryAt(UCLA, 10_000, { rank: 'distance' }), NEVER)
  assert.equal(itemsOf(body).length, 20)
  assert.equal(radii().length, RINGS_MAX)
})

for (const [remark, elements] of [
  ['runtime error: Query timed out in "query" at line 1 after 26 seconds.', []],
  [
    'runtime error: Query run out of memory using about 2048 MB of RAM.',
    [{ type: 'node', id: 1, lat: 1, lon: 1 }],
  ],
] as const) {
  test(`a remark is a failure that may be tried again: ${remark}`, async (t) => {
    const { standIn, provider } = await openWith(t)
    standIn.behave('ok', { body: JSON.stringify({ elements, remark }) })
    const failure = await failureOf(provider.search(queryAt(UCLA, 10_000), NEVER))
    assert.equal(failure.message, `Overpass did not finish: ${remark}`)
    assert.deepEqual([failure.status, failure.mayRetry], ['UNKNOWN_ERROR', true])
    assert.equal(standIn.requests.length, 2, 'a ring that fails ends it')
  })
}

test('what is not as it should be is no place', async (t) => {
  const { standIn, provider } = await openWith(t)
  const tags = { amenity: 'cafe', name: 'A' }
  const good = { type: 'node', id: 7, lat: UCLA.latitude, lon: UCLA.longitude, tags }
  const elements = [
    7,
    {},
    { ...good, type: 'area' },
    { ...good, id: '7' },
    { ...good, lat: undefined },
    { ...good, lat: '34' },
    { ...good, tags: { name: 'A' } },
    { ...good, tags: { amenity: 'cafe', name: 7 } },
    { ...good, tags: { ...tags, constructor: 'x' } },
    good,
  ]
  standIn.behave({ body: JSON.stringify({ elements }) })
  assert.equal(itemsOf(await provider.search(queryAt(UCLA, 10_000), NEVER)).length, 1)
})
