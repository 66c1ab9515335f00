import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { CANARY } from '../../../test/support/canary.ts'
import {
  closedAfter,
  failureOf,
  HTTP_OPTIONS,
  itemsOf,
  NEVER,
  type Position,
  queryAt,
  testHttpProvider,
  UCLA,
} from '../../../test/support/provider-suite.ts'
import { XStandIn } from '../../../test/support/x-stand-in.ts'
import { cutAt, findResults } from '../json-text.ts'
import { fieldsOf, listOf } from './json-fields.ts'
import { X_USD_PER_POST, XRecent } from './x-recent.ts'

async function openWith(t: TestContext, fieldsParameter: 'tweet.fields' | 'post.fields' = 'tweet.fields') {
  const standIn = await XStandIn.start({ token: CANARY, fieldsParameter })
  const provider = new XRecent({
    token: CANARY,
    baseUrl: standIn.url,
    ...HTTP_OPTIONS,
    wallMs: () => Date.UTC(2026, 10, 20, 12),
    fieldsParameter,
  })
  return closedAfter(t, standIn, provider)
}

testHttpProvider({
  name: 'x',
  openWith: (t) => openWith(t),
  somewhere: UCLA,
  keyword: 'coffee',
  isRaw: true,
  sortsByDistance: false,
  pointOf,
})

function pointOf(item: unknown): Position | undefined {
  const { geo } = fieldsOf(item)
  const { coordinates } = fieldsOf(geo)
  const { coordinates: position } = fieldsOf(coordinates)
  const [longitude, latitude] = listOf(position).map(Number)
  return longitude === undefined || latitude === undefined ? undefined : { latitude, longitude }
}

for (const fields of ['tweet.fields', 'post.fields'] as const) {
  test(`asks with longitude before latitude, and ${fields}`, async (t) => {
    const { standIn, provider } = await openWith(t, fields)
    await provider.search(
      { ...queryAt(UCLA, 10_000), type: 'museum', keyword: 'Coffee "-is:nullcast" \\' },
      NEVER,
    )
    assert.deepEqual(
      [...(standIn.requests[0]?.query ?? [])],
      [
        ['max_results', '20'],
        [fields, 'created_at,geo,author_id'],
        ['expansions', 'geo.place_id,author_id'],
        ['place.fields', 'full_name,geo,place_type'],
        ['query', '"coffee" "-is:nullcast" point_radius:[-118.445127 34.06893 10km]'],
      ],
    )
    const { authorization } = standIn.requests[0]?.headers ?? {}
    assert.equal(authorization, `Bearer ${CANARY}`)
  })
}

for (const [latitude, longitude, metres, circle] of [
  [0, -1e-9, 0, '[0 0 0.001km]'],
  [-1e-7, 180, 1_500, '[180 -0.0000001 1.5km]'],
  [90, -180, 39_900, '[-180 90 39.9km]'],
  [20, 100, 40_000, '[100 20 39.9km]'],
  [20, 100, 50_000, '[100 20 39.9km]'],
] as const) {
  test(`${metres} m around ${latitude}, ${longitude} is ${circle}, and a cut is told`, async (t) => {
    const { standIn, provider } = await openWith(t)
    const body = await provider.search(queryAt({ latitude, longitude }, metres), NEVER)
    assert.equal(standIn.requests[0]?.query.get('query'), `point_radius:${circle}`)
    const { info_messages: messages } = JSON.parse(body.text)
    if (metres > 39_900) assert.match(messages.join(), /within 39\.9 km/)
    else assert.equal(messages, undefined)
  })
}

test("X's own text comes back, with what we add in front of it", async (t) => {
  const { standIn, provider } = await openWith(t)
  const posts = '{ "data" : [{"text":"\\u003cb\\/>"} ,\n\n{"id":"2"}],"meta":{"result_count":2}}'
  standIn.behave({ body: posts })
  const near = await provider.search(queryAt(UCLA, 10_000), NEVER)
  assert.deepEqual(near, { text: posts, status: 'OK', list: 'data', usd: 2 * X_USD_PER_POST })
  const far = await provider.search(queryAt(UCLA, 50_000), NEVER)
  assert.ok(far.text.startsWith('{"info_messages":['))
  assert.ok(far.text.endsWith(posts.slice(1)))
  assert.deepEqual(JSON.parse(cutAt(far.text, findResults(far.text, 'data'), 1)).data, [{ text: '<b/>' }])

  standIn.behave({ body: '{"meta":{"result_count":0}}\n' })
  const none = await provider.search(queryAt(UCLA, 10_000), NEVER)
  const text = '{"data":[],"meta":{"result_count":0}}\n'
  assert.deepEqual(none, { text, status: 'ZERO_RESULTS', list: 'data', usd: 0 })
  assert.equal(itemsOf(await provider.search(queryAt(UCLA, 50_000), NEVER)).length, 0)
})

test('a rate limit is waited for until the second that X names', async (t) => {
  const { standIn, provider } = await openWith(t)
  const resetAt = Date.UTC(2026, 10, 20, 12, 15) / 1_000
  standIn.behave({ httpStatus: 429, headers: { 'x-rate-limit-reset': String(resetAt) } })
  const failure = await failureOf(provider.search(queryAt(UCLA, 10_000), NEVER))
  assert.deepEqual(
    [failure.status, failure.mayRetry, failure.waitMs],
    ['OVER_QUERY_LIMIT', true, 15 * 60_000],
  )
  standIn.behave({ httpStatus: 402 })
  const spent = await failureOf(provider.search(queryAt(UCLA, 10_000), NEVER))
  assert.deepEqual([spent.status, spent.mayRetry], ['OVER_QUERY_LIMIT', false])
})

test("X's own words come along, without the token", async (t) => {
  const { standIn, provider } = await openWith(t)
  standIn.behave('invalid-request')
  const invalid = await failureOf(provider.search(queryAt(UCLA, 10_000), NEVER))
  assert.equal(invalid.message, 'X answered with HTTP status 400: Invalid value')
  standIn.behave('request-denied')
  const denied = await failureOf(provider.search(queryAt(UCLA, 10_000), NEVER))
  assert.equal(denied.message, 'X answered with HTTP status 403: The token … is of no project with access.')
})

test('an answer without posts and without a count is malformed', async (t) => {
  const { standIn, provider } = await openWith(t)
  for (const body of ['{}', '{"data":{}}', '{"errors":[{"title":"Not Found Error"}]}']) {
    standIn.behave({ body })
    assert.match((await failureOf(provider.search(queryAt(UCLA, 10_000), NEVER))).message, /malformed/)
  }
})
