import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import { CANARY } from '../../../test/support/canary.ts'
import { GoogleStandIn, googleText } from '../../../test/support/google-stand-in.ts'
import {
  assertNoKey,
  closedAfter,
  HTTP_OPTIONS,
  itemsOf,
  NEVER,
  queryAt,
  testHttpProvider,
  UCLA,
} from '../../../test/support/provider-suite.ts'
import { GOOGLE_LEGACY_USD, GoogleLegacyPlaces } from './google-legacy.ts'

async function openWith(t: TestContext, more: { readonly language?: string } = {}) {
  const standIn = await GoogleStandIn.start({ key: CANARY })
  const provider = new GoogleLegacyPlaces({
    key: CANARY,
    baseUrl: standIn.url,
    ...HTTP_OPTIONS,
    ...more,
  })
  return closedAfter(t, standIn, provider)
}

testHttpProvider({
  name: 'google-legacy',
  openWith,
  somewhere: UCLA,
  nowhere: { ...UCLA, radiusMetres: 1 },
  type: 'museum',
  keyword: 'coffee',
  isRaw: true,
  tellsFailures: true,
})

test('asks as the legacy API wants it, and passes the answer on as it came', async (t) => {
  const { standIn, provider } = await openWith(t, { language: 'de' })
  const location = { ...queryAt(UCLA, 10_000), locationText: '34.068930,-118.445127' }
  const { text, usd } = await provider.search(location, NEVER)
  assert.equal(text, googleText('34.068930,-118.445127'))
  assert.equal(usd, GOOGLE_LEGACY_USD)
  await provider.search({ ...location, type: 'cafe', keyword: 'a b&c' }, NEVER)
  await provider.search({ ...location, rank: 'distance' }, NEVER)
  await provider.search({ ...location, rank: 'distance', keyword: 'coffee' }, NEVER)
  const [place, radius, language, key] = [
    ['location', '34.068930,-118.445127'],
    ['radius', '10000'],
    ['language', 'de'],
    ['key', CANARY],
  ]
  const nearest = ['rankby', 'distance']
  assert.deepEqual(
    standIn.requests.map(({ query }) => [...query]),
    [
      [place, radius, language, key],
      [place, radius, ['type', 'cafe'], ['keyword', 'a b&c'], language, key],
      [place, nearest, ['type', 'establishment'], language, key],
      [place, nearest, ['keyword', 'coffee'], language, key],
    ],
  )
})

test('by distance, whole results beyond the circle are cut out of the text, and nothing else', async (t) => {
  const { provider } = await openWith(t)
  const all = await provider.search(queryAt(UCLA, 50_000, { rank: 'distance' }), NEVER)
  assert.equal(all.text, googleText(`${UCLA.latitude},${UCLA.longitude}`))
  const some = await provider.search(queryAt(UCLA, 500, { rank: 'distance' }), NEVER)
  assert.equal(itemsOf(some).length, 5)
  const { results, ...rest } = JSON.parse(all.text)
  assert.deepEqual(JSON.parse(some.text), { ...rest, results: results.slice(0, 5) })
  let start = 0
  while (some.text[start] === all.text[start]) start++
  assert.ok(all.text.endsWith(some.text.slice(start)))
})

test('every spelling of the key is taken out of a body', async (t) => {
  const spellings = [
    CANARY,
    encodeURIComponent(CANARY),
    new URLSearchParams({ k: CANARY }).toString().slice(2),
  ]
  const { standIn, provider } = await openWith(t)
  standIn.behave({ body: JSON.stringify({ error_message: spellings.join(' '), status: 'X' }) })
  const { text } = await provider.search(queryAt(UCLA, 10_000), NEVER)
  assert.deepEqual(JSON.parse(text), { error_message: '… … …', status: 'X' })
})

test('a body whose status is no text is malformed', async (t) => {
  const { standIn, provider } = await openWith(t)
  standIn.behave({ body: '{"status":7}' })
  await assert.rejects(provider.search(queryAt(UCLA, 10_000), NEVER), /malformed/)
})

test('the key shows not in what a wrong base URL throws', () => {
  const options = { key: CANARY, baseUrl: 'nowhere', bodyBytesMax: 1, wallMs: () => 0 }
  assert.throws(
    () => new GoogleLegacyPlaces(options),
    (error) => {
      assertNoKey(inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true }))
      return error instanceof TypeError
    },
  )
})

test('the stand-in knows an invalid query as Google does', async (t) => {
  const standIn = await GoogleStandIn.start({ key: CANARY })
  t.after(() => standIn.close())
  for (const [query, status] of [
    ['', 'REQUEST_DENIED'],
    ['key=other&location=1,2&radius=5', 'REQUEST_DENIED'],
    [`key=${encodeURIComponent(CANARY)}&radius=5`, 'INVALID_REQUEST'],
    [`key=${encodeURIComponent(CANARY)}&location=1,2&radius=50001`, 'INVALID_REQUEST'],
    [`key=${encodeURIComponent(CANARY)}&location=1,2&radius=5&type=cafe&rankby=distance`, 'INVALID_REQUEST'],
    [`key=${encodeURIComponent(CANARY)}&location=1,2&rankby=distance`, 'INVALID_REQUEST'],
    [`key=${encodeURIComponent(CANARY)}&location=1,2&type=cafe&rankby=distance`, 'OK'],
    [`key=${encodeURIComponent(CANARY)}&location=1,2&radius=500`, 'OK'],
  ] as const) {
    const response = await fetch(`${standIn.url}/maps/api/place/nearbysearch/json?${query}`)
    const body: unknown = await response.json()
    assert.ok(typeof body === 'object' && body !== null && 'status' in body)
    assert.equal(body.status, status, query)
  }
})
