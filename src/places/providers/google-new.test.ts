import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { CANARY } from '../../../test/support/canary.ts'
import { GoogleNewStandIn } from '../../../test/support/google-new-stand-in.ts'
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
import { toClassicJson } from '../json-text.ts'
import { GOOGLE_USD, GooglePlaces, type GooglePlacesOptions } from './google-new.ts'

async function openWith(t: TestContext, more: Partial<GooglePlacesOptions> = {}) {
  const standIn = await GoogleNewStandIn.start({ key: CANARY })
  const options = { key: CANARY, baseUrl: standIn.url, ...HTTP_OPTIONS }
  const provider = new GooglePlaces({ ...options, ...more })
  return closedAfter(t, standIn, provider)
}

testHttpProvider({
  name: 'google',
  openWith,
  somewhere: UCLA,
  type: 'museum',
  keyword: 'coffee',
  credit: /^Google Maps$/m,
})

test('asks for a full page, with the key in a header', async (t) => {
  const { standIn, provider } = await openWith(t, { language: 'de' })
  await provider.search(queryAt(UCLA, 10_000, { rank: 'distance', type: 'cafe' }), NEVER)
  await provider.search(queryAt(UCLA, 0), NEVER)
  const [first, second] = standIn.requests
  assert.deepEqual(JSON.parse(first?.body ?? ''), {
    locationRestriction: { circle: { center: UCLA, radius: 10_000 } },
    maxResultCount: 20,
    rankPreference: 'DISTANCE',
    includedTypes: ['cafe'],
    languageCode: 'de',
  })
  const asked = JSON.parse(second?.body ?? '')
  assert.equal(asked.locationRestriction.circle.radius, 1, 'the API wants a circle with an area')
  assert.equal(asked.rankPreference, 'POPULARITY')
  assert.equal(first?.headers['x-goog-api-key'], CANARY)
  assert.equal(first?.query.size, 0)
})

test('a place becomes a legacy result, and those who gave it are named', async (t) => {
  for (const fields of ['pro', 'full'] as const) {
    const { provider } = await openWith(t, { fields })
    const body = await provider.search(queryAt(UCLA, 10_000, { rank: 'distance' }), NEVER)
    const dearer = {
      opening_hours: { open_now: false },
      price_level: 0,
      rating: 4,
      user_ratings_total: 100,
    }
    assert.deepEqual(itemsOf(body)[0], {
      business_status: 'OPERATIONAL',
      geometry: {
        location: { lat: 34.06893, lng: -118.445127 },
        viewport: {
          northeast: { lat: 34.07023, lng: -118.443827 },
          southwest: { lat: 34.06763, lng: -118.446427 },
        },
      },
      icon_background_color: '#7B9EB0',
      icon_mask_base_uri: 'https://maps.gstatic.com/mapfiles/place_api/icons/v2/generic_pinlet',
      name: 'Powell Library 1',
      photos: [
        {
          height: 3024,
          html_attributions: ['<a href="//maps.google.com/maps/contrib/100">A visitor</a>'],
          photo_reference: 'AUacShh0',
          width: 4032,
        },
      ],
      place_id: 'ChIJnew00i8woARb7hLs0Hb1xA',
      plus_code: { compound_code: '3HC5+7X Los Angeles, CA, USA', global_code: '85633HC5+7X' },
      reference: 'ChIJnew00i8woARb7hLs0Hb1xA',
      scope: 'GOOGLE',
      types: ['library', 'point_of_interest', 'establishment'],
      vicinity: '1 Westwood Plaza, Los Angeles',
      ...(fields === 'full' ? dearer : {}),
    })
    assert.deepEqual(JSON.parse(body.text).html_attributions, [
      'Google Maps',
      '<a href="https://listings.example/?a&amp;b">A &amp; B &lt;Listings&gt;</a>',
    ])
    const closed = itemsOf(body)[8]
    assert.ok(typeof closed === 'object' && closed !== null && 'permanently_closed' in closed)
    assert.equal(closed.permanently_closed, true)
    assert.equal(body.usd, GOOGLE_USD[fields])
  }
})

test('price levels are numbers, and what is missing stays out', async (t) => {
  const { standIn, provider } = await openWith(t, { fields: 'full' })
  const place = { id: 'a', displayName: { text: 'A' }, location: { latitude: 1, longitude: 2 } }
  const places = [
    ...['FREE', 'INEXPENSIVE', 'MODERATE', 'EXPENSIVE', 'VERY_EXPENSIVE', 'UNSPECIFIED'].map((level) => ({
      ...place,
      priceLevel: `PRICE_LEVEL_${level}`,
    })),
    { ...place, photos: [{ name: 'no reference' }, 7], viewport: { low: {} }, types: 'none', rating: '5' },
    { ...place, id: undefined },
    { ...place, displayName: 'A' },
    { ...place, location: { latitude: 1 } },
    7,
  ]
  standIn.behave({ body: JSON.stringify({ places }) })
  const bare = {
    geometry: { location: { lat: 1, lng: 2 } },
    name: 'A',
    place_id: 'a',
    reference: 'a',
    scope: 'GOOGLE',
    types: [],
  }
  const priced = [0, 1, 2, 3, 4].map((level) => ({ ...bare, price_level: level }))
  assert.deepEqual(itemsOf(await provider.search(queryAt(UCLA, 10_000), NEVER)), [...priced, bare, bare])
})

test("Google's own words come along, but a wrong key is a denial", async (t) => {
  const { provider } = await openWith(t)
  const failure = await failureOf(provider.search(queryAt(UCLA, 10_000, { type: 'establishment' }), NEVER))
  assert.equal(failure.status, 'INVALID_REQUEST')
  assert.equal(failure.message, 'Google answered with HTTP status 400: Unsupported types: establishment.')
  const { provider: stranger } = await openWith(t, { key: 'other-key' })
  const denial = await failureOf(stranger.search(queryAt(UCLA, 10_000), NEVER))
  assert.equal(denial.status, 'REQUEST_DENIED')
  assert.equal(denial.message, 'Google answered with HTTP status 400: API key not valid: …')
})

test('a keyword that was looked for in a full page alone is told so', async (t) => {
  const { standIn, provider } = await openWith(t)
  const location = { latitude: UCLA.latitude, longitude: UCLA.longitude }
  const page = (count: number) => ({
    body: JSON.stringify({
      places: Array.from({ length: count }, (_, id) => ({
        id: String(id),
        displayName: { text: `Café ${id}` },
        location,
      })),
    }),
  })
  const says = /looked for in the first 20 places alone/
  for (const [count, keyword, isTold] of [
    [20, 'café', true],
    [20, 'nowhere', true],
    [19, 'café', false],
    [20, undefined, false],
  ] as const) {
    standIn.behave(page(count))
    const query = { ...queryAt(UCLA, 10_000), keyword }
    const { text, status } = await provider.search(query, NEVER)
    const body = JSON.parse(text)
    assert.equal(body.status, status)
    assert.equal(toClassicJson(body), text)
    if (isTold) assert.match(String(body.info_messages), says)
    else assert.equal(body.info_messages, undefined)
  }
})

test('places that are no list are malformed', async (t) => {
  const { standIn, provider } = await openWith(t)
  standIn.behave({ body: '{"places":{}}' })
  assert.match((await failureOf(provider.search(queryAt(UCLA, 10_000), NEVER))).message, /malformed/)
})
