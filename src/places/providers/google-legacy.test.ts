import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import {
  type Behaviour,
  FakeWorld,
  GoogleStandIn,
  googleText,
} from '../../../test/support/google-stand-in.ts'
import { defaultPlacesLimits } from '../limits.ts'
import { type Area, type FailureStatus, ProviderFailed } from '../provider.ts'
import { GoogleLegacyPlaces } from './google-legacy.ts'

/** A key with characters that are written differently in a query and in JSON. */
const CANARY = 'AIza-canary/"+=~7f3'
const UCLA: Area = {
  latitude: 34.06893,
  longitude: -118.445127,
  locationText: '34.068930,-118.445127',
  radiusMetres: 10_000,
}
const NEVER = new AbortController().signal
/** Back-offs and Retry-After pass at once; the time limits of 4 and 8 seconds stand still. */
const SKIPPED_MS = 3_999

async function stage(t: TestContext, ...behaviours: readonly Behaviour[]) {
  const standIn = await GoogleStandIn.start({ key: CANARY })
  t.after(() => standIn.close())
  standIn.behave(...behaviours)
  const world = new FakeWorld(SKIPPED_MS)
  const limits = { ...defaultPlacesLimits, bodyBytesMax: 200_000 }
  const provider = new GoogleLegacyPlaces({ key: CANARY, baseUrl: standIn.url, limits, world })
  return { standIn, world, provider }
}

async function failureOf(work: Promise<unknown>): Promise<ProviderFailed> {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => error,
  )
  assert.ok(outcome instanceof ProviderFailed, `expected a failure, got ${inspect(outcome)}`)
  assertNoKey(inspect(outcome, { depth: Number.POSITIVE_INFINITY, showHidden: true }))
  return outcome
}

function assertNoKey(text: string): void {
  for (const part of ['canary', 'key=', 'maps/api'])
    assert.ok(!text.includes(part), `${part} is visible in: ${text}`)
}

test('asks as the legacy API wants it, and passes the answer on as it came', async (t) => {
  const { standIn, world, provider } = await stage(t, 'ok')
  const { text, status } = await provider.search(UCLA, NEVER)
  assert.equal(text, googleText('34.068930,-118.445127'))
  assert.equal(status, 'OK')
  assert.deepEqual(
    standIn.requests.map(({ path, query }) => [path, ...query]),
    [
      [
        '/maps/api/place/nearbysearch/json',
        ['location', '34.068930,-118.445127'],
        ['radius', '10000'],
        ['key', CANARY],
      ],
    ],
  )
  assert.equal(world.timers, 0)
})

test('an answer that is slow, but not too slow, is an answer', async (t) => {
  const { provider } = await stage(t, { slowMs: 5 })
  assert.equal((await provider.search(UCLA, NEVER)).status, 'OK')
})

for (const [behaviour, status] of [
  ['zero-results', 'ZERO_RESULTS'],
  ['over-query-limit', 'OVER_QUERY_LIMIT'],
  ['request-denied', 'REQUEST_DENIED'],
  ['invalid-request', 'INVALID_REQUEST'],
] as const) {
  test(`a body that says ${status} is passed on, without the key, and not asked for again`, async (t) => {
    const { standIn, provider } = await stage(t, behaviour)
    const body = await provider.search(UCLA, NEVER)
    assert.equal(body.status, status)
    assert.equal(JSON.parse(body.text).status, status)
    assertNoKey(body.text)
    assert.equal(standIn.requests.length, 1)
  })
}

test('every spelling of the key is taken out of a body', async (t) => {
  const spellings = [
    CANARY,
    encodeURIComponent(CANARY),
    new URLSearchParams({ k: CANARY }).toString().slice(2),
  ]
  const { provider } = await stage(t, {
    body: JSON.stringify({ error_message: spellings.join(' '), status: 'X' }),
  })
  const { text } = await provider.search(UCLA, NEVER)
  assert.deepEqual(JSON.parse(text), { error_message: '… … …', status: 'X' })
})

const failures: readonly [behaviour: Behaviour, status: FailureStatus, message: RegExp, requests: number][] =
  [
    [{ httpStatus: 500 }, 'UNKNOWN_ERROR', /HTTP status 500/, 3],
    [{ httpStatus: 503 }, 'UNKNOWN_ERROR', /HTTP status 503/, 3],
    [{ httpStatus: 429 }, 'OVER_QUERY_LIMIT', /HTTP status 429/, 3],
    [{ httpStatus: 400 }, 'INVALID_REQUEST', /HTTP status 400/, 1],
    [{ httpStatus: 401 }, 'REQUEST_DENIED', /HTTP status 401/, 1],
    [{ httpStatus: 403 }, 'REQUEST_DENIED', /HTTP status 403/, 1],
    [{ httpStatus: 404 }, 'UNKNOWN_ERROR', /HTTP status 404/, 1],
    [{ httpStatus: 302, location: '/elsewhere' }, 'UNKNOWN_ERROR', /HTTP status 302/, 1],
    ['malformed', 'UNKNOWN_ERROR', /malformed JSON/, 1],
    [{ body: '' }, 'UNKNOWN_ERROR', /malformed JSON/, 1],
    [{ body: '{"status":7}' }, 'UNKNOWN_ERROR', /malformed JSON/, 1],
    ['huge', 'UNKNOWN_ERROR', /exceeds 200000 bytes/, 1],
    ['truncated', 'UNKNOWN_ERROR', /connection .* failed/, 3],
    ['reset', 'UNKNOWN_ERROR', /connection .* failed/, 3],
  ]
for (const [behaviour, status, message, requests] of failures) {
  test(`${inspect(behaviour)} fails with ${status} after ${requests} of 3 tries`, async (t) => {
    const { standIn, world, provider } = await stage(t, behaviour)
    const failure = await failureOf(provider.search(UCLA, NEVER))
    assert.equal(failure.status, status)
    assert.match(failure.message, message)
    assert.equal(standIn.requests.length, requests)
    assert.equal(world.timers, 0)
  })
}

test('a server that is not there fails with UNKNOWN_ERROR, and tells the log why', async (t) => {
  const { standIn, world } = await stage(t)
  const provider = new GoogleLegacyPlaces({ key: CANARY, baseUrl: standIn.url, world })
  await standIn.close()
  t.mock.method(standIn, 'close', () => Promise.resolve())
  const failure = await failureOf(provider.search(UCLA, NEVER))
  assert.equal(failure.status, 'UNKNOWN_ERROR')
  assert.match(String(failure.cause), /ECONNREFUSED/)
})

for (const behaviour of ['hang', 'hang-in-body'] as const) {
  test(`${behaviour}: a try ends at its limit, and the next may do better`, async (t) => {
    const { standIn, world, provider } = await stage(t, behaviour, 'ok')
    const found = provider.search(UCLA, NEVER)
    await standIn.seen(1)
    world.advance(defaultPlacesLimits.tryMsMax)
    assert.equal((await found).status, 'OK')
    assert.equal(standIn.requests.length, 2)
  })
}

test('no try is begun that the whole time limit leaves no room for', async (t) => {
  const { standIn, world, provider } = await stage(t, 'hang')
  const failure = failureOf(provider.search(UCLA, NEVER))
  await standIn.seen(1)
  world.advance(defaultPlacesLimits.totalMsMax)
  assert.match((await failure).message, /within 4000 ms/)
  assert.equal(standIn.requests.length, 1)
})

test('whoever asked may stop it: then it is not tried again', async (t) => {
  const { standIn, world, provider } = await stage(t, 'hang')
  const stop = new AbortController()
  const failure = failureOf(provider.search(UCLA, stop.signal))
  await standIn.seen(1)
  stop.abort()
  assert.equal((await failure).status, 'UNKNOWN_ERROR')
  assert.equal(standIn.requests.length, 1)
  assert.equal(world.timers, 0)
})

test('whoever asked may stop it while it waits for the next try', async (t) => {
  const { standIn } = await stage(t, { httpStatus: 503 })
  const world = new FakeWorld() // Nothing passes by itself: the back-off stands.
  const provider = new GoogleLegacyPlaces({ key: CANARY, baseUrl: standIn.url, world })
  const stop = new AbortController()
  const waiting = Promise.withResolvers<void>()
  t.mock.method(world, 'random', () => {
    setImmediate(() => waiting.resolve())
    return 0.5
  })
  const failure = failureOf(provider.search(UCLA, stop.signal))
  await waiting.promise
  stop.abort()
  await failure
  assert.equal(standIn.requests.length, 1)
  assert.equal(world.timers, 0)
})

test('UNKNOWN_ERROR in a body is tried again, and passed on when it stays', async (t) => {
  const { standIn, provider } = await stage(t, 'unknown-error', 'ok')
  assert.equal((await provider.search(UCLA, NEVER)).status, 'OK')
  standIn.behave('unknown-error')
  assert.equal((await provider.search(UCLA, NEVER)).status, 'UNKNOWN_ERROR')
  assert.equal(standIn.requests.length, 2 + 3)
})

test('waits between tries with full jitter', async (t) => {
  const { world, provider } = await stage(t, { httpStatus: 503 })
  world.chance = 0.25
  await failureOf(provider.search(UCLA, NEVER))
  assert.deepEqual(backOffs(world), [100, 200])
})

for (const [retryAfter, waitMs] of [
  ['2', 2_000],
  ['Fri, 20 Nov 2026 12:00:03 GMT', 3_000],
  ['Fri, 20 Nov 2026 11:00:00 GMT', 200],
  ['soon', 200],
] as const) {
  test(`Retry-After: ${retryAfter} means to wait ${waitMs} ms`, async (t) => {
    const { world, provider } = await stage(t, { httpStatus: 429, retryAfter }, 'ok')
    assert.equal((await provider.search(UCLA, NEVER)).status, 'OK')
    assert.deepEqual(backOffs(world), [waitMs])
  })
}

test('a Retry-After beyond the time limit ends it at once', async (t) => {
  const { standIn, provider } = await stage(t, { httpStatus: 429, retryAfter: '8' })
  assert.equal((await failureOf(provider.search(UCLA, NEVER))).status, 'OVER_QUERY_LIMIT')
  assert.equal(standIn.requests.length, 1)
})

test('the key shows neither in the provider nor in what a wrong base URL throws', () => {
  const world = new FakeWorld()
  const provider = new GoogleLegacyPlaces({ key: CANARY, world })
  assertNoKey(
    inspect(provider, { depth: Number.POSITIVE_INFINITY, showHidden: true }) + JSON.stringify(provider),
  )
  assert.throws(
    () => new GoogleLegacyPlaces({ key: CANARY, baseUrl: 'nowhere', world }),
    (error) => {
      assert.ok(!inspect(error, { depth: Number.POSITIVE_INFINITY, showHidden: true }).includes(CANARY))
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
    [`key=${encodeURIComponent(CANARY)}&location=1,2&radius=5&rankby=distance`, 'INVALID_REQUEST'],
    [`key=${encodeURIComponent(CANARY)}&location=1,2&radius=5`, 'OK'],
  ] as const) {
    const response = await fetch(`${standIn.url}/maps/api/place/nearbysearch/json?${query}`)
    const body: unknown = await response.json()
    assert.ok(typeof body === 'object' && body !== null && 'status' in body)
    assert.equal(body.status, status, query)
  }
})

/** All waits but the limits of the tries. */
function backOffs(world: FakeWorld): readonly number[] {
  return world.waits.filter((ms) => ms !== defaultPlacesLimits.tryMsMax)
}
