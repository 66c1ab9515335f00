/**
 * What every provider of places keeps to, as tests: `testProvider` for any of them, `testHttpProvider` besides for
 * those that ask a source over HTTP, with a stand-in for it.
 */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { inspect } from 'node:util'
import { ellipsoidMetres } from '../../src/locations/distance.ts'
import { findResults, squeezeNewlines, toClassicJson } from '../../src/places/json-text.ts'
import {
  PAGE_ITEMS,
  type PlaceRank,
  type PlacesBody,
  type PlacesQuery,
  type Provider,
  ProviderFailed,
} from '../../src/places/provider.ts'
import { tracesIn } from './canary.ts'
import type { Behaviour, PlacesStandIn } from './places-stand-in.ts'

/** A body's bound in these tests. */
export const BODY_BYTES_MAX = 200_000
/** What a provider that asks over HTTP is given in these tests besides where and how to ask. */
export const HTTP_OPTIONS: { readonly bodyBytesMax: number; readonly wallMs: () => number } = {
  bodyBytesMax: BODY_BYTES_MAX,
  wallMs: () => 0,
}
/** A signal that nobody aborts. */
export const NEVER: AbortSignal = new AbortController().signal
/** Stand-ins give seven decimals, which is a centimetre. */
const ROUNDING_METRES = 0.03
const RADII = [0, 1, 100, 1_000, 10_000, 50_000]
const RANKS: readonly PlaceRank[] = ['prominence', 'distance']

/** Somewhere on Earth, decimal degrees. */
export interface Position {
  readonly latitude: number
  readonly longitude: number
}

/** Where most tests are. */
export const UCLA: Position = { latitude: 34.06893, longitude: -118.445127 }
const EXTREMES: readonly Position[] = [
  { latitude: 90, longitude: 0 },
  { latitude: -90, longitude: 17.5 },
  { latitude: 89.9999, longitude: -180 },
  { latitude: 12.5, longitude: 180 },
  { latitude: -12.5, longitude: -180 },
  { latitude: 0, longitude: 179.99999 },
]

/** A provider under test. */
export interface ProviderCase {
  readonly name: string
  /** Opens one; what must be closed is closed by `t.after`. */
  readonly open: (t: TestContext) => Provider | Promise<Provider>
  /** Where it knows places, a few within 10 km. */
  readonly somewhere: Position
  /** Where it knows none within `nowhere.radiusMetres`; left out when there is no such place. */
  readonly nowhere?: Position & { readonly radiusMetres: number }
  /** A type that some of the places near `somewhere` have and others don't; left out when types mean nothing. */
  readonly type?: string
  /** A word that some of the places near `somewhere` have in their name and others don't. */
  readonly keyword?: string
  /** What is told of a place: a legacy result's by default. */
  readonly pointOf?: (item: unknown) => Position | undefined
  /** The text is the source's own, not ours. */
  readonly isRaw?: boolean
  /** With rank `distance` the nearest comes first: by default it does. */
  readonly sortsByDistance?: boolean
  /** Whom `html_attributions` must name when something is found. */
  readonly credit?: RegExp
}

/** What is asked about a position. */
export function queryAt(
  { latitude, longitude }: Position,
  radiusMetres: number,
  more: { readonly rank?: PlaceRank; readonly type?: string; readonly keyword?: string } = {},
): PlacesQuery {
  const locationText = `${latitude},${longitude}`
  return { latitude, longitude, locationText, radiusMetres, rank: 'prominence', ...more }
}

/** The items of a body. */
export function itemsOf({ text, list = 'results' }: PlacesBody): readonly unknown[] {
  const items: unknown = JSON.parse(text)[list]
  assert.ok(Array.isArray(items), `${list} is an array`)
  return items
}

/** Tests that a provider keeps to the contract. */
export function testProvider(subject: ProviderCase): void {
  const { name, somewhere, nowhere, type, keyword, credit } = subject
  const pointOf = subject.pointOf ?? classicPointOf
  const metresFrom = (from: Position, item: unknown): number => {
    const point = pointOf(item)
    assert.ok(point !== undefined, 'an item has a position')
    return ellipsoidMetres(from.latitude, from.longitude, point.latitude, point.longitude)
  }

  test(`${name}: says what it is`, async (t) => {
    const provider = await subject.open(t)
    assert.match(provider.name, /^[a-z][a-z-]*$/)
    assert.equal(provider.keeping === undefined, provider.local, 'what is kept, and only that, has terms')
    const { freshMs = 1, staleMs = 0 } = provider.keeping ?? {}
    assert.ok(freshMs > 0 && staleMs >= 0)
  })

  test(`${name}: finds places in the circle only, at most ${PAGE_ITEMS}, in order`, async (t) => {
    const provider = await subject.open(t)
    for (const rank of RANKS) {
      for (const radius of RADII) {
        for (const position of [somewhere, ...EXTREMES]) {
          const body = await provider.search(queryAt(position, radius, { rank }), NEVER)
          const metres = itemsOf(body).map((item) => metresFrom(position, item))
          assert.ok(metres.length <= PAGE_ITEMS)
          assert.ok(Math.max(0, ...metres) <= radius + ROUNDING_METRES, `${radius}: ${metres.join()}`)
          assert.equal(body.status, metres.length === 0 ? 'ZERO_RESULTS' : 'OK')
          if (position === somewhere && radius >= 10_000) assert.ok(metres.length > 1, 'it found some')
          if (rank !== 'distance' || subject.sortsByDistance === false) continue
          const sorted = metres.toSorted((a, b) => a - b)
          for (const [at, metre] of metres.entries()) {
            assert.ok(
              Math.abs(metre - (sorted[at] ?? 0)) <= ROUNDING_METRES,
              `out of order: ${metres.join()}`,
            )
          }
        }
      }
    }
  })

  test(`${name}: writes one text for one question, which can be cut`, async (t) => {
    const provider = await subject.open(t)
    const query = queryAt(somewhere, 10_000)
    const { text, list, status, results } = await provider.search(query, NEVER)
    assert.equal((await provider.search(query, NEVER)).text, text)
    assert.ok(findResults(text, list).ends.length > 1)
    if (results !== undefined) {
      assert.deepEqual(results, findResults(text), 'items lie where it says')
      assert.equal(squeezeNewlines(text), text)
    }
    if (subject.isRaw) return
    const body = JSON.parse(text)
    assert.equal(toClassicJson(body), text)
    assert.equal(body.status, status)
    if (credit !== undefined) assert.match(body.html_attributions.join('\n'), credit)
    for (const { place_id, reference, scope, name: called, types, geometry } of body.results) {
      for (const word of [place_id, scope, called]) assert.ok(typeof word === 'string' && word !== '')
      assert.equal(reference, place_id)
      assert.ok(Array.isArray(types))
      assert.ok(Math.abs(geometry.location.lat) <= 90 && Math.abs(geometry.location.lng) <= 180)
    }
    const ids = body.results.map((place: { readonly place_id: string }) => place.place_id)
    assert.equal(new Set(ids).size, ids.length, 'no place comes twice')
  })

  if (nowhere !== undefined) {
    test(`${name}: nothing found is ZERO_RESULTS`, async (t) => {
      const provider = await subject.open(t)
      const body = await provider.search(queryAt(nowhere, nowhere.radiusMetres), NEVER)
      assert.equal(body.status, 'ZERO_RESULTS')
      assert.deepEqual(itemsOf(body), [])
      assert.equal(findResults(body.text, body.list).ends.length, 0)
      if (body.results !== undefined) assert.deepEqual(body.results, findResults(body.text))
    })
  }

  for (const [filter, value] of Object.entries({ type, keyword })) {
    if (value === undefined) continue
    test(`${name}: a ${filter} narrows it`, async (t) => {
      const provider = await subject.open(t)
      const ask = (of: string) => provider.search(queryAt(somewhere, 10_000, { [filter]: of }), NEVER)
      const some = itemsOf(await ask(value))
      assert.ok(some.length > 0, 'some have it')
      for (const item of some) assert.ok(said(item).includes(value.toLowerCase()), `${inspect(item)}`)
      if (filter === 'keyword') {
        assert.deepEqual(itemsOf(await ask(value.toUpperCase())), some, 'in any case')
        assert.equal((await ask(`${value} of-nobody-at-all`)).status, 'ZERO_RESULTS')
      }
    })
  }
}

/** A provider and who answers it, closed when the test is over: the provider first. */
export function closedAfter<S extends PlacesStandIn, P extends Provider>(
  t: TestContext,
  standIn: S,
  provider: P,
): { readonly standIn: S; readonly provider: P } {
  t.after(async () => {
    await provider.close?.()
    await standIn.close()
  })
  return { standIn, provider }
}

/** A provider that asks over HTTP, and who answers it. */
export interface HttpProviderCase extends Omit<ProviderCase, 'open'> {
  readonly openWith: (t: TestContext) => Promise<{
    readonly provider: Provider
    readonly standIn: PlacesStandIn
  }>
  /** Its API tells its own failures with HTTP 200, and they are passed on. */
  readonly tellsFailures?: boolean
}

interface Expected {
  readonly status: string
  readonly mayRetry?: boolean
  readonly waitMs?: number
  readonly says?: RegExp
  readonly requests?: number
}
const FAILURES: readonly (readonly [Behaviour, Expected])[] = [
  [{ httpStatus: 500 }, { status: 'UNKNOWN_ERROR', mayRetry: true, says: /500/ }],
  [
    { httpStatus: 503, retryAfter: '2' },
    { status: 'UNKNOWN_ERROR', mayRetry: true, waitMs: 2_000 },
  ],
  [
    { httpStatus: 429, retryAfter: '3' },
    { status: 'OVER_QUERY_LIMIT', mayRetry: true, waitMs: 3_000 },
  ],
  [{ httpStatus: 400 }, { status: 'INVALID_REQUEST', says: /400/ }],
  [{ httpStatus: 401 }, { status: 'REQUEST_DENIED', says: /401/ }],
  [{ httpStatus: 403 }, { status: 'REQUEST_DENIED', says: /403/ }],
  [{ httpStatus: 404 }, { status: 'UNKNOWN_ERROR', says: /404/ }],
  [
    { httpStatus: 302, location: '/elsewhere' },
    { status: 'UNKNOWN_ERROR', says: /302/, requests: 1 },
  ],
  ['malformed', { status: 'UNKNOWN_ERROR', says: /malformed/ }],
  [{ body: '' }, { status: 'UNKNOWN_ERROR', says: /malformed/ }],
  [{ body: '[]' }, { status: 'UNKNOWN_ERROR', says: /malformed/ }],
  [{ body: '"OK"' }, { status: 'UNKNOWN_ERROR', says: /malformed/ }],
  ['huge', { status: 'UNKNOWN_ERROR', says: /more than 200000 bytes/ }],
  ['truncated', { status: 'UNKNOWN_ERROR', mayRetry: true, says: /connection/ }],
  ['reset', { status: 'UNKNOWN_ERROR', mayRetry: true, says: /connection/ }],
]
const OWN_FAILURES: readonly (readonly [Behaviour, Expected])[] = [
  ['over-query-limit', { status: 'OVER_QUERY_LIMIT', mayRetry: true }],
  ['request-denied', { status: 'REQUEST_DENIED' }],
  ['invalid-request', { status: 'INVALID_REQUEST' }],
  ['unknown-error', { status: 'UNKNOWN_ERROR', mayRetry: true }],
]

/** Tests a provider that asks over HTTP: `testProvider`, and all that can go wrong on the way. */
export function testHttpProvider(subject: HttpProviderCase): void {
  const { name, openWith, somewhere } = subject
  const query = queryAt(somewhere, 10_000)
  testProvider({ ...subject, open: async (t) => (await openWith(t)).provider })

  const thrown = subject.tellsFailures ? FAILURES : [...FAILURES, ...OWN_FAILURES]
  for (const [behaviour, expected] of thrown) {
    test(`${name}: ${inspect(behaviour)} fails with ${expected.status}, after one try`, async (t) => {
      const { provider, standIn } = await openWith(t)
      standIn.behave(behaviour)
      const failure = await failureOf(provider.search(query, NEVER))
      const { status, mayRetry = false, waitMs = 0, says = /^\S/ } = expected
      assert.deepEqual([failure.status, failure.mayRetry, failure.waitMs], [status, mayRetry, waitMs])
      assert.match(failure.message, says)
      assert.equal(standIn.requests.length, 1)
      standIn.behave('ok')
      assert.equal((await provider.search(query, NEVER)).status, 'OK', 'the next may do better')
    })
  }

  for (const [behaviour, { status }] of subject.tellsFailures ? OWN_FAILURES : []) {
    test(`${name}: ${inspect(behaviour)} is passed on as ${status}, without the key`, async (t) => {
      const { provider, standIn } = await openWith(t)
      standIn.behave(behaviour)
      const body = await provider.search(query, NEVER)
      assert.deepEqual([body.status, body.usd, JSON.parse(body.text).status], [status, 0, status])
      assertNoKey(body.text)
      assert.equal(standIn.requests.length, 1)
    })
  }

  test(`${name}: nothing found is ZERO_RESULTS, and can be cut`, async (t) => {
    const { provider, standIn } = await openWith(t)
    standIn.behave('zero-results')
    const body = await provider.search(query, NEVER)
    assert.equal(body.status, 'ZERO_RESULTS')
    assert.equal(findResults(body.text, body.list).ends.length, 0)
  })

  test(`${name}: an answer that is slow is an answer, and connections serve again`, async (t) => {
    const { provider, standIn } = await openWith(t)
    standIn.behave({ slowMs: 5 })
    for (let asks = 0; asks < 6; asks++) {
      assert.equal((await provider.search(query, NEVER)).status, 'OK')
    }
    // One that just gave an answer may not be free yet when the next ask comes.
    assert.ok(standIn.connections <= 2, `${standIn.connections} connections`)
  })

  for (const behaviour of ['hang', 'hang-in-body'] as const) {
    test(`${name}: ${behaviour} ends when whoever asked stops it`, async (t) => {
      const { provider, standIn } = await openWith(t)
      standIn.behave(behaviour)
      const stop = new AbortController()
      const failure = failureOf(provider.search(query, stop.signal))
      await standIn.seen(1)
      stop.abort()
      const { status, mayRetry } = await failure
      assert.deepEqual([status, mayRetry], ['UNKNOWN_ERROR', false])

      const late = new ProviderFailed('It took too long.', 'UNKNOWN_ERROR', { mayRetry: true })
      assert.equal(await failureOf(provider.search(query, AbortSignal.abort(late))), late)
      assert.equal(standIn.requests.length, 1, 'nothing is asked with a signal that is aborted')
    })
  }

  test(`${name}: a source that is not there is a failure that tells the log why`, async (t) => {
    const { provider, standIn } = await openWith(t)
    await standIn.close()
    t.mock.method(standIn, 'close', () => Promise.resolve())
    const failure = await failureOf(provider.search(query, NEVER))
    assert.deepEqual([failure.status, failure.mayRetry], ['UNKNOWN_ERROR', true])
    assert.match(String(failure.cause), /ECONNREFUSED/)
  })

  test(`${name}: the key shows nowhere in it`, async (t) => {
    const { provider } = await openWith(t)
    const shown = inspect(provider, { depth: Number.POSITIVE_INFINITY, showHidden: true })
    assertNoKey(shown + JSON.stringify(provider))
  })

  test(`${name}: closed, it lets go of its connections`, async (t) => {
    const { provider } = await openWith(t)
    await provider.search(query, NEVER)
    assert.ok(provider.close !== undefined)
    await provider.close()
    await failureOf(provider.search(query, NEVER))
  })
}

/** The failure of an ask, which must have one, and must not show the key. */
export async function failureOf(work: Promise<unknown>): Promise<ProviderFailed> {
  const outcome = await work.then(
    () => undefined,
    (error: unknown) => error,
  )
  assert.ok(outcome instanceof ProviderFailed, `expected a failure, got ${inspect(outcome)}`)
  assertNoKey(inspect(outcome, { depth: Number.POSITIVE_INFINITY, showHidden: true }))
  assertNoKey(`${outcome.stack} ${outcome.cause instanceof Error ? outcome.cause.stack : ''}`)
  return outcome
}

/** Fails when a text has a canary, or a part of it, or a URL's parameter for it. */
export function assertNoKey(text: string): void {
  assert.deepEqual(tracesIn(text, 'text'), [])
  assert.ok(!text.includes('key='), `key= is in: ${text}`)
}

function classicPointOf(item: unknown): Position | undefined {
  assert.ok(typeof item === 'object' && item !== null)
  const { lat, lng } = JSON.parse(JSON.stringify(item)).geometry.location
  return { latitude: lat, longitude: lng }
}

function said(item: unknown): string {
  return JSON.stringify(item).toLowerCase()
}
