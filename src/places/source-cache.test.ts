/** What a source keeps of one provider's answers, in virtual time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  bodyOf,
  HERE,
  passing,
  queryOf,
  resultsIn,
  ScriptedProvider,
  settled,
  stageOf,
  stageSource,
  statusIn,
} from '../../test/support/scripted-places.ts'
import { ProviderFailed } from './provider.ts'

for (const [status, freshMs, staleMs] of [
  ['OK', 300_000, 600_000],
  ['ZERO_RESULTS', 60_000, 0],
  ['INVALID_REQUEST', 60_000, 0],
  ['REQUEST_DENIED', 0, 0],
  ['UNKNOWN_ERROR', 0, 0],
  ['constructor', 0, 0],
] as const) {
  test(`an answer with status ${status} is fresh for ${freshMs} ms, and kept for ${staleMs} ms more`, async () => {
    const { provider, world, find, counters } = stageSource({ retriesMax: 0, breakerDeniedMs: 1 })
    const first = find(1)
    provider.answer(bodyOf(status))
    assert.equal(await first, bodyOf(status))
    world.advance(freshMs)
    if (freshMs > 0) assert.equal(await find(1), bodyOf(status))
    assert.equal(provider.asked.length, 1)
    world.advance(staleMs + 1)
    const second = find(1)
    assert.equal(provider.asked.length, 2)
    provider.answer(bodyOf('OK', 3))
    assert.equal(resultsIn(await second), 3)
    assert.equal(counters.stale, 0)
  })
}

test('a provider’s own terms stand before ours', async () => {
  const brief = new ScriptedProvider({ keeping: { freshMs: 100, staleMs: 50 } })
  const { provider, world, find } = stageSource({}, brief)
  for (const [status, ms] of [
    ['OK', 151],
    ['ZERO_RESULTS', 101],
  ] as const) {
    const first = find(1)
    provider.answer(bodyOf(status))
    await first
    world.advance(ms)
    const calls = provider.asked.length
    const second = find(1)
    assert.equal(provider.asked.length, calls + 1)
    provider.answer(bodyOf('UNKNOWN_ERROR'))
    world.advance(20_000)
    await second
  }
})

test('terms of nothing keep nothing', async () => {
  const { provider, find, cache } = stageSource(
    {},
    new ScriptedProvider({ keeping: { freshMs: 0, staleMs: 0 } }),
  )
  provider.habit = (search) => search.answer(bodyOf('OK'))
  await find(1)
  await find(1)
  assert.equal(provider.asked.length, 2)
  assert.equal(cache.size, 0)
})

test('stale while revalidate: what is stale is given at once, and one call brings what is fresh', async () => {
  const { provider, world, find, counters } = stageSource()
  const first = find(1)
  provider.answer(bodyOf('OK', 1))
  await first
  world.advance(300_001)
  const texts = await Promise.all([find(1), find(1), find(1)])
  assert.deepEqual(texts.map(resultsIn), [1, 1, 1])
  assert.equal(provider.asked.length, 2)
  provider.answer(bodyOf('OK', 4))
  await settled()
  assert.equal(resultsIn(await find(1)), 4)
  assert.equal(provider.asked.length, 2)
  const { asks, calls, hits, stale, refreshes, coalesced } = counters
  assert.deepEqual(
    { asks, calls, hits, stale, refreshes, coalesced },
    {
      ...{ asks: 5, calls: 2, hits: 1, stale: 3, refreshes: 1, coalesced: 0 },
    },
  )
})

test('stale if error: while the provider fails what is stale is given, but not for ever', async () => {
  const { provider, world, find, failures, counters } = stageSource({ retriesMax: 0, breakerFailuresMax: 3 })
  const first = find(1)
  provider.answer(bodyOf('OK', 2))
  await first
  world.advance(300_001)
  provider.habit = (search) => search.fail(passing())
  for (let ask = 0; ask < 10; ask++) {
    assert.equal(resultsIn(await find(1)), 2)
    await settled()
    world.advance(1_000)
  }
  assert.equal(failures.length, 3)
  assert.ok(counters.refused.breaker > 0)
  world.advance(590_000)
  const text = await find(1)
  assert.equal(statusIn(text), 'UNKNOWN_ERROR')
  assert.equal(resultsIn(text), 0)
})

test('one call serves other items, other clients, and a question that means the same', async () => {
  const { provider, find, finder, counters } = stageSource()
  const asks = [find(1, 1), find(1, 20, '10.9.9.9')]
  asks.push(finder.find(queryOf(1, { locationText: '34.000,1.0' }), 3, HERE))
  provider.answer(bodyOf('OK', 20))
  assert.deepEqual((await Promise.all(asks)).map(resultsIn), [1, 20, 3])
  assert.equal(provider.asked.length, 1)
  assert.equal(counters.coalesced, 2)
})

test('what changes the answer is another question', async () => {
  const { provider, finder } = stageSource()
  provider.habit = (search) => search.answer(bodyOf('OK'))
  const queries = [
    queryOf(1),
    queryOf(2),
    queryOf(1, { latitude: 35 }),
    queryOf(1, { radiusMetres: 5_000 }),
    queryOf(1, { rank: 'prominence' }),
    queryOf(1, { type: 'cafe' }),
    queryOf(1, { keyword: 'cafe' }),
    queryOf(1, { type: 'a', keyword: 'b' }),
    queryOf(1, { keyword: 'a","b' }),
  ]
  for (const query of [...queries, ...queries]) await finder.find(query, 5, HERE)
  assert.equal(provider.asked.length, queries.length)
})

test('positions are snapped for a provider that says so, and for prominence only', async () => {
  const { provider, finder } = stageSource({}, new ScriptedProvider({ snaps: true }))
  provider.habit = (search) => search.answer(bodyOf('OK'))
  const exact = { latitude: 34.06893, longitude: -118.445127, locationText: '34.06893,-118.445127' }
  const near = { latitude: 34.068931, longitude: -118.445128, locationText: '34.068931,-118.445128' }
  for (const rank of ['prominence', 'distance'] as const) {
    for (const place of [exact, near]) await finder.find(queryOf(0, { ...place, rank }), 5, HERE)
  }
  const [snapped, ...others] = provider.asked.map(({ query }) => query.locationText)
  assert.match(snapped ?? '', /^34\.06[89]\d{3},-118\.44\d{4}$/)
  assert.deepEqual(others, [exact.locationText, near.locationText])
})

test('cacheEntriesMax: the least recently asked is forgotten', async () => {
  const { provider, find, counters, cache } = stageSource({ cacheEntriesMax: 2 })
  provider.habit = (search) => search.answer(bodyOf('OK'))
  for (const longitude of [1, 2, 3, 2, 1]) await find(longitude)
  assert.deepEqual([counters.hits, counters.calls, cache.size], [1, 4, 2])
})

test('cacheBytesMax: what is too large is given to all who wait, but not kept', async () => {
  const { provider, find, cache } = stageSource({ cacheBytesMax: 1_000 })
  const large = [find(1, 1_000), find(1, 1_000)]
  provider.answer(bodyOf('OK', 1_000))
  for (const text of await Promise.all(large)) assert.equal(resultsIn(text), 1_000)
  const again = find(1)
  assert.equal(provider.asked.length, 2)
  provider.answer(bodyOf('OK'))
  await again
  assert.ok(cache.bytes > 0 && cache.bytes <= 1_000)
})

test('cacheBytesMax: all the answers kept take no more', async () => {
  const { provider, find, cache } = stageSource({ cacheBytesMax: 2_000 })
  provider.habit = (search) => search.answer(bodyOf('OK', 50))
  for (let longitude = 0; longitude < 50; longitude++) {
    await find(longitude)
    assert.ok(cache.bytes <= 2_000)
  }
  assert.ok(cache.size > 0 && cache.size < 50)
})

test('a cache too small for what is under way still answers everyone', async () => {
  const { provider, find } = stageSource({ cacheEntriesMax: 1, retriesMax: 0 })
  const asks = [1, 2, 3].map((longitude) => find(longitude))
  provider.asked[0]?.answer(bodyOf('OK', 1))
  provider.asked[1]?.fail(new ProviderFailed('no', 'UNKNOWN_ERROR'))
  provider.asked[2]?.answer(bodyOf('OK', 3))
  assert.deepEqual((await Promise.all(asks)).map(resultsIn), [1, 0, 3])
})

test('one cache for two providers: neither sees the answers of the other', async () => {
  const [one, two] = [new ScriptedProvider({ name: 'one' }), new ScriptedProvider({ name: 'two' })]
  const { sources } = stageOf([one, two])
  one.habit = (search) => search.answer(bodyOf('OK', 1))
  two.habit = (search) => search.answer(bodyOf('OK', 2))
  const answers = await Promise.all(sources.map((source) => source.ask(queryOf(1), 1_000, HERE)))
  assert.deepEqual(
    answers.map(({ text }) => resultsIn(text)),
    [1, 2],
  )
})
