import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeWorld, GoogleStandIn, googleText } from '../../test/support/google-stand-in.ts'
import { fc } from '../../test/support/properties.ts'
import { PlacesFinder } from './finder.ts'
import { defaultPlacesLimits, type PlacesLimits } from './limits.ts'
import { type Area, type PlacesBody, type Provider, ProviderFailed } from './provider.ts'
import { EmbeddedPlaces } from './providers/embedded.ts'
import { GoogleLegacyPlaces } from './providers/google-legacy.ts'

const CANARY = 'AIza-canary-7f3'

/** A provider that answers when, and as, the test says. */
class ScriptedProvider implements Provider {
  readonly name = 'scripted'
  readonly local = false
  readonly snaps = false
  readonly asked: {
    readonly area: Area
    readonly signal: AbortSignal
    answer(text: string): void
    fail(e: unknown): void
  }[] = []

  search(area: Area, signal: AbortSignal): Promise<PlacesBody> {
    const { promise, resolve, reject } = Promise.withResolvers<PlacesBody>()
    const answer = (text: string) => resolve({ text, status: statusIn(text) })
    this.asked.push({ area, signal, answer, fail: reject })
    return promise
  }

  /** Answers the newest ask. */
  answer(text: string): void {
    this.asked.at(-1)?.answer(text)
  }
}

function stage({ callsPerDayMax = 0, ...limits }: Partial<PlacesLimits> & { callsPerDayMax?: number } = {}) {
  const provider = new ScriptedProvider()
  const world = new FakeWorld()
  const failures: ProviderFailed[] = []
  const finder = new PlacesFinder({
    provider,
    world,
    limits: { ...defaultPlacesLimits, ...limits },
    callsPerDayMax,
    onFailed: (failure) => failures.push(failure),
  })
  return { provider, world, finder, failures }
}

function googleAt(standIn: GoogleStandIn): GoogleLegacyPlaces {
  return new GoogleLegacyPlaces({
    key: CANARY,
    baseUrl: standIn.url,
    bodyBytesMax: 100_000,
    wallMs: () => 0,
  })
}

function areaOf(longitude: number, radiusMetres = 10_000): Area {
  return { latitude: 34, longitude, locationText: `34,${longitude}`, radiusMetres }
}

function bodyOf(status: string, count = 1): string {
  return JSON.stringify({
    html_attributions: [],
    results: Array.from({ length: count }, (_, n) => n),
    status,
  })
}

function statusIn(text: string): string {
  try {
    return JSON.parse(text).status
  } catch {
    return 'OK'
  }
}

function resultsIn(text: string): number {
  return JSON.parse(text).results.length
}

test('1,000 asks at once are one call, and each gets its own number of items', async (t) => {
  const standIn = await GoogleStandIn.start({ key: CANARY })
  t.after(() => standIn.close())
  const world = new FakeWorld()
  const provider = googleAt(standIn)
  const finder = new PlacesFinder({ provider, world, limits: defaultPlacesLimits })
  const texts = await Promise.all(
    Array.from({ length: 1_000 }, (_, ask) => finder.find(areaOf(-118), ask % 21)),
  )
  assert.equal(standIn.requests.length, 1)
  for (const [ask, text] of texts.entries()) assert.equal(resultsIn(text), ask % 21)
  assert.doesNotMatch(texts.join(), /\n\n/)
  assert.equal(`${texts[20]}\n\n`.replaceAll(/\n+/g, '\n'), googleText('34,-118').replaceAll(/\n+/g, '\n'))
  assert.deepEqual(finder.counters, { asks: 1_000, calls: 1, hits: 0, coalesced: 999, refused: 0, errors: 0 })
  assert.equal(world.timers, 0)
})

test('other radius or other place, other ask; and all of it counts', async () => {
  const { provider, finder } = stage()
  const asks = [areaOf(1), areaOf(1, 5_000), areaOf(2)].map((area) => finder.find(area, 5))
  for (const asked of provider.asked) asked.answer(bodyOf('OK'))
  await Promise.all(asks)
  await finder.find(areaOf(2), 20)
  assert.deepEqual(finder.counters, { asks: 4, calls: 3, hits: 1, coalesced: 0, refused: 0, errors: 0 })
})

for (const [status, keptMs] of [
  ['OK', 300_000],
  ['ZERO_RESULTS', 60_000],
  ['INVALID_REQUEST', 60_000],
  ['OVER_QUERY_LIMIT', 0],
  ['REQUEST_DENIED', 0],
  ['UNKNOWN_ERROR', 0],
  ['constructor', 0],
] as const) {
  test(`an answer with status ${status} is kept for ${keptMs} ms`, async () => {
    const { provider, world, finder } = stage()
    const first = finder.find(areaOf(1), 5)
    provider.answer(bodyOf(status))
    assert.equal(await first, bodyOf(status))
    world.advance(keptMs)
    if (keptMs > 0) assert.equal(await finder.find(areaOf(1), 5), bodyOf(status))
    assert.equal(provider.asked.length, 1)
    world.advance(1)
    const second = finder.find(areaOf(1), 5)
    assert.equal(provider.asked.length, 2)
    provider.answer(bodyOf('OK', 3))
    assert.equal(resultsIn(await second), 3)
  })
}

test('a failure is told in the legacy shape, logged, counted, and not kept', async () => {
  const { provider, finder, failures } = stage()
  const asks = [finder.find(areaOf(1), 5), finder.find(areaOf(1), 5)]
  const failure = new ProviderFailed('It <failed>.', 'REQUEST_DENIED')
  provider.asked[0]?.fail(failure)
  for (const text of await Promise.all(asks)) {
    assert.equal(
      text,
      '{\n   "error_message" : "It \\u003cfailed\\u003e.",\n   "html_attributions" : [],\n   "results" : [],\n   "status" : "REQUEST_DENIED"\n}',
    )
  }
  assert.deepEqual(failures, [failure])
  assert.equal(finder.counters.errors, 1)
  const again = finder.find(areaOf(1), 5)
  provider.answer(bodyOf('OK'))
  assert.equal(await again, bodyOf('OK'))
})

test('a malformed body and a broken provider are failures too', async () => {
  const { provider, finder, failures } = stage()
  for (const fail of [
    () => provider.answer('{"results":['),
    () => provider.answer('{"status":"OK"}'),
    () => provider.asked.at(-1)?.fail(new TypeError('oops')),
    () => provider.asked.at(-1)?.fail(undefined),
  ]) {
    const text = finder.find(areaOf(1), 5)
    fail()
    assert.equal(statusIn(await text), 'UNKNOWN_ERROR')
  }
  assert.equal(failures.length, 4)
})

test('a provider that throws instead of promising is a failure, and leaves no timer', async (t) => {
  const { provider, world, finder } = stage()
  t.mock.method(provider, 'search', () => {
    throw new TypeError('oops')
  })
  assert.equal(statusIn(await finder.find(areaOf(1), 5)), 'UNKNOWN_ERROR')
  assert.equal(world.timers, 0)
})

test('totalMsMax: the ask ends even when the provider does not listen', async () => {
  const { provider, world, finder } = stage({ totalMsMax: 700 })
  const text = finder.find(areaOf(1), 5)
  world.advance(699)
  assert.equal(provider.asked[0]?.signal.aborted, false)
  world.advance(1)
  assert.match(await text, /did not answer within 700 ms/)
  assert.equal(provider.asked[0]?.signal.aborted, true)
  provider.asked[0]?.fail(new Error('too late to matter'))
})

test('asksInFlightMax: one more different ask is refused, and there is room again after one ends', async () => {
  const { provider, finder, failures } = stage({ asksInFlightMax: 2 })
  const under = [finder.find(areaOf(1), 5), finder.find(areaOf(2), 5), finder.find(areaOf(2), 5)]
  const refused = await finder.find(areaOf(3), 5)
  assert.equal(statusIn(refused), 'OVER_QUERY_LIMIT')
  assert.match(refused, /asksInFlightMax/)
  for (const asked of provider.asked) asked.answer(bodyOf('OK'))
  await Promise.all(under)
  const again = finder.find(areaOf(3), 5)
  provider.answer(bodyOf('OK'))
  assert.equal(await again, bodyOf('OK'))
  assert.deepEqual(finder.counters, { asks: 5, calls: 3, hits: 0, coalesced: 1, refused: 1, errors: 0 })
  assert.deepEqual(failures, [])
})

for (const setting of ['callsPerSecondMax', 'callsPerDayMax'] as const) {
  test(`${setting}: beyond it asks are refused, but what is kept is still given`, async () => {
    const { provider, world, finder } = stage({ [setting]: 1 })
    const first = finder.find(areaOf(1), 5)
    provider.answer(bodyOf('OK'))
    await first
    const refused = await finder.find(areaOf(2), 5)
    assert.equal(statusIn(refused), 'OVER_QUERY_LIMIT')
    assert.match(refused, new RegExp(setting))
    assert.equal(await finder.find(areaOf(1), 5), bodyOf('OK'))
    world.advance(setting === 'callsPerSecondMax' ? 1_000 : 43_200_000)
    const later = finder.find(areaOf(2), 5)
    provider.answer(bodyOf('OK'))
    assert.equal(await later, bodyOf('OK'))
  })
}

test('cacheEntriesMax: the least recently asked is forgotten', async () => {
  const { provider, finder } = stage({ cacheEntriesMax: 2 })
  for (const longitude of [1, 2, 3]) {
    const text = finder.find(areaOf(longitude), 5)
    provider.answer(bodyOf('OK'))
    await text
  }
  await finder.find(areaOf(2), 5)
  assert.equal(finder.counters.hits, 1)
  const forgotten = finder.find(areaOf(1), 5)
  provider.answer(bodyOf('OK'))
  await forgotten
  assert.equal(finder.counters.calls, 4)
})

test('cacheBytesMax: what is too large is given to all who wait, but not kept', async () => {
  const { provider, finder } = stage({ cacheBytesMax: 1_000 })
  const large = [finder.find(areaOf(1), 1_000), finder.find(areaOf(1), 1_000)]
  provider.answer(bodyOf('OK', 1_000))
  for (const text of await Promise.all(large)) assert.equal(resultsIn(text), 1_000)
  const again = finder.find(areaOf(1), 5)
  assert.equal(provider.asked.length, 2)
  provider.answer(bodyOf('OK'))
  await again
})

test('a cache too small for what is under way still answers everyone', async () => {
  const { provider, finder } = stage({ cacheEntriesMax: 1 })
  const asks = [1, 2, 3].map((longitude) => finder.find(areaOf(longitude), 5))
  provider.asked[0]?.answer(bodyOf('OK', 1))
  provider.asked[1]?.fail(new ProviderFailed('no', 'UNKNOWN_ERROR'))
  provider.asked[2]?.answer(bodyOf('OK', 3))
  assert.deepEqual((await Promise.all(asks)).map(resultsIn), [1, 0, 3])
})

test('the key is in no text that a client gets', async (t) => {
  const standIn = await GoogleStandIn.start()
  t.after(() => standIn.close())
  const world = new FakeWorld(3_999)
  const provider = googleAt(standIn)
  const finder = new PlacesFinder({
    provider,
    world,
    limits: { ...defaultPlacesLimits, bodyBytesMax: 100_000 },
  })
  const behaviours = [
    'request-denied',
    'malformed',
    'truncated',
    'reset',
    'huge',
    { httpStatus: 403 },
  ] as const
  for (const behaviour of behaviours) {
    standIn.behave(behaviour)
    assert.doesNotMatch(await finder.find(areaOf(1), 20), /canary|maps\/api/)
  }
})

test('the embedded places need neither time nor budget', async () => {
  const world = new FakeWorld()
  const limits = { ...defaultPlacesLimits, asksInFlightMax: 1 }
  const finder = new PlacesFinder({ provider: EmbeddedPlaces.load(), world, limits })
  const texts = await Promise.all([1, 2, 3].map((radius) => finder.find(areaOf(-118, radius * 10_000), 1)))
  assert.deepEqual(texts.map(statusIn), ['OK', 'OK', 'OK'])
  assert.deepEqual(texts.map(resultsIn), [1, 1, 1])
  assert.deepEqual(world.waits, [])
})

test('whatever happens, each ask is counted once and gets a body', async () => {
  const ends = fc.constantFrom('OK', 'ZERO_RESULTS', 'UNKNOWN_ERROR', 'failed', 'malformed')
  const step = fc.oneof(
    fc.record({ type: fc.constant('ask' as const), longitude: fc.nat(4) }),
    fc.record({ type: fc.constant('end' as const), call: fc.nat(9), how: ends }),
    fc.record({ type: fc.constant('advance' as const), ms: fc.constantFrom(1, 500, 8_000, 61_000, 301_000) }),
  )
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { provider, world, finder } = stage({
        cacheEntriesMax: 3,
        asksInFlightMax: 2,
        callsPerSecondMax: 3,
      })
      const asks: Promise<string>[] = []
      for (const now of steps) {
        if (now.type === 'ask') asks.push(finder.find(areaOf(now.longitude), 1))
        else if (now.type === 'advance') world.advance(now.ms)
        else if (now.how === 'failed')
          provider.asked[now.call]?.fail(new ProviderFailed('no', 'UNKNOWN_ERROR'))
        else provider.asked[now.call]?.answer(now.how === 'malformed' ? '{' : bodyOf(now.how))
        await Promise.resolve()
      }
      world.advance(8_000)
      for (const text of await Promise.all(asks)) assert.ok(resultsIn(text) <= 1)
      const { calls, hits, coalesced, refused } = finder.counters
      assert.equal(calls + hits + coalesced + refused, asks.length)
      assert.equal(calls, provider.asked.length)
      assert.equal(world.timers, 0)
    }),
  )
})
