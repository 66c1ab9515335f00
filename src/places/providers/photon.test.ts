import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { PhotonStandIn } from '../../../test/support/photon-stand-in.ts'
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
import { PhotonPlaces, type PhotonPlacesOptions } from './photon.ts'

async function openWith(t: TestContext, more: Partial<PhotonPlacesOptions> = {}) {
  const standIn = await PhotonStandIn.start()
  const provider = new PhotonPlaces({
    baseUrl: standIn.url,
    ...HTTP_OPTIONS,
    ...more,
  })
  return closedAfter(t, standIn, provider)
}

testHttpProvider({
  name: 'photon',
  openWith,
  somewhere: UCLA,
  type: 'museum',
  keyword: 'coffee',
  credit: /OpenStreetMap contributors/,
})

test('asks for the nearest 50 things that may be places, and says who asks', async (t) => {
  const { standIn, provider } = await openWith(t, { language: 'de-AT' })
  await provider.search(queryAt(UCLA, 10_000), NEVER)
  await provider.search(queryAt(UCLA, 0), NEVER)
  const [first, second] = standIn.requests
  assert.equal(
    String(first?.query),
    'limit=50&lang=de&osm_tag=amenity&osm_tag=shop&osm_tag=tourism&osm_tag=leisure&osm_tag=historic&osm_tag=office&osm_tag=aeroway%3Aaerodrome&osm_tag=railway%3Astation&lat=34.06893&lon=-118.445127&radius=10',
  )
  assert.equal(second?.query.get('radius'), '0.001', 'Photon wants a circle with an area')
  assert.match(first?.headers['user-agent'] ?? '', /^Herd\/\d+\.\d+\.\d+ /)
})

test('a feature becomes a legacy result', async (t) => {
  const { provider } = await openWith(t, { language: 'de' })
  const [first, second] = itemsOf(await provider.search(queryAt(UCLA, 10_000, { rank: 'distance' }), NEVER))
  assert.deepEqual(first, {
    geometry: { location: { lat: 34.06893, lng: -118.445127 } },
    name: 'Powell Library 1 (deutsch)',
    place_id: 'osm:n1000',
    reference: 'osm:n1000',
    scope: 'OSM',
    types: ['library', 'point_of_interest', 'establishment'],
    vicinity: 'Westwood Plaza 0, Los Angeles',
  })
  assert.ok(typeof second === 'object' && second !== null && 'vicinity' in second)
  assert.equal(second.vicinity, 'Westwood, Los Angeles')
})

test('a language that Photon may not have is not sent: it would refuse to answer', async (t) => {
  const { standIn, provider } = await openWith(t, { language: 'ja' })
  assert.equal((await provider.search(queryAt(UCLA, 10_000), NEVER)).status, 'OK')
  assert.equal(standIn.requests[0]?.query.get('lang'), null)
})

test('what is not as it should be is no place', async (t) => {
  const { standIn, provider } = await openWith(t)
  const geometry = { type: 'Point', coordinates: [UCLA.longitude, UCLA.latitude] }
  const properties = { osm_type: 'N', osm_id: 7, osm_key: 'amenity', osm_value: 'cafe', name: 'A' }
  const features = [
    7,
    {},
    { geometry },
    { properties },
    { geometry: { coordinates: ['1', 2] }, properties },
    { geometry, properties: { ...properties, osm_type: 'X' } },
    { geometry, properties: { ...properties, osm_id: '7' } },
    { geometry, properties: { ...properties, name: 7 } },
    { geometry, properties: { ...properties, osm_value: undefined } },
    { geometry, properties: { ...properties, osm_key: 'highway', osm_value: 'footway' } },
    { geometry: { coordinates: [0, 0] }, properties },
    { geometry, properties },
    { geometry, properties },
  ]
  standIn.behave({ body: JSON.stringify({ features }) })
  assert.equal(itemsOf(await provider.search(queryAt(UCLA, 10_000), NEVER)).length, 1)
})

test("Photon's own words come along", async (t) => {
  const { provider } = await openWith(t)
  const failure = await failureOf(provider.search(queryAt({ latitude: 91, longitude: 0 }, 1), NEVER))
  assert.equal(failure.status, 'INVALID_REQUEST')
  assert.match(failure.message, /^Photon answered with HTTP status 400: .*'lat'$/)
})
