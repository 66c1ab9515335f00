/** One provider with all that stands around it, in virtual time: tries, times, counters. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../test/support/properties.ts'
import {
  bodyOf,
  HERE,
  passing,
  queryOf,
  resultsIn,
  ScriptedProvider,
  settled,
  stageSource,
} from '../../test/support/scripted-places.ts'

test('retriesMax: what may pass is tried again, after a wait with full jitter', async () => {
  const { provider, world, find, counters } = stageSource({ retriesMax: 2 })
  const text = find(1)
  for (const waitMs of [200, 400]) {
    provider.fail(passing())
    await settled()
    assert.equal(world.waits.at(-1), waitMs)
    world.advance(waitMs - 1)
    await settled()
    const tries = provider.asked.length
    world.advance(1)
    await settled()
    assert.equal(provider.asked.length, tries + 1)
  }
  provider.fail(passing('It fell.'))
  assert.match(await text, /It fell/)
  assert.equal(provider.asked.length, 3)
  assert.deepEqual([counters.calls, counters.retries, counters.errors], [1, 2, 1])
  assert.equal(world.timers, 0)
})

test('a body that says UNKNOWN_ERROR may pass, one that says REQUEST_DENIED does not', async () => {
  for (const [status, tries] of [
    ['UNKNOWN_ERROR', 2],
    ['REQUEST_DENIED', 1],
    ['OVER_QUERY_LIMIT', 1],
    ['INVALID_REQUEST', 1],
  ] as const) {
    const { provider, world, find } = stageSource({ retriesMax: 1 })
    provider.habit = (search) => search.answer(bodyOf(status, 0))
    const text = find(1)
    await settled()
    world.advance(2_000)
    assert.equal(await text, bodyOf(status, 0))
    assert.equal(provider.asked.length, tries)
  }
})

test('waitMs: the wait that a source asks for is kept; where it is too long there is no retry', async () => {
  const { provider, world, find } = stageSource({ totalMsMax: 8_000 })
  const text = find(1)
  provider.fail(passing('Later.', 3_000))
  await settled()
  world.advance(2_999)
  await settled()
  assert.equal(provider.asked.length, 1)
  world.advance(1)
  await settled()
  assert.equal(provider.asked.length, 2)
  provider.fail(passing('Much later.', 5_000))
  assert.match(await text, /Much later/)
  assert.equal(world.timers, 0)
})

test('tryMsMax: a try ends even when the provider does not listen, and is tried again', async () => {
  const { provider, world, find } = stageSource({ tryMsMax: 700, retriesMax: 1 })
  const text = find(1)
  world.advance(699)
  assert.equal(provider.asked[0]?.signal.aborted, false)
  world.advance(1)
  assert.equal(provider.asked[0]?.signal.aborted, true)
  await settled()
  world.advance(2_000)
  await settled()
  world.advance(700)
  assert.match(await text, /scripted did not answer within 700 ms/)
  provider.asked[0]?.fail(new Error('too late to matter'))
  assert.equal(provider.asked.length, 2)
  assert.equal(world.timers, 0)
})

test('totalMsMax: tries and waits together take no longer', async () => {
  const { provider, world, find } = stageSource({ totalMsMax: 1_000, tryMsMax: 400, retriesMax: 10 })
  world.chance = 0.1
  let isDone = false
  const text = find(1).finally(() => {
    isDone = true
  })
  for (let ms = 0; ms < 1_000; ms += 50) {
    assert.equal(isDone, false)
    world.advance(50)
    await settled()
  }
  assert.ok(isDone)
  assert.match(await text, /did not answer within 50 ms/)
  assert.equal(provider.asked.length, 3)
})

test('who joins a call waits no longer than for one of its own', async () => {
  const { provider, world, source } = stageSource({ totalMsMax: 8_000, tryMsMax: 8_000 })
  const first = source.ask(queryOf(1), 8_000, HERE)
  const second = source.ask(queryOf(1), 500, HERE)
  world.advance(500)
  await assert.rejects(second, /did not answer within 500 ms/)
  provider.answer(bodyOf('OK'))
  assert.equal((await first).status, 'OK')
  assert.equal(world.timers, 0)
})

test('what is on this machine passes all of that by', async () => {
  const provider = new ScriptedProvider({ local: true, snaps: true })
  const limits = { asksInFlightMax: 1, callsPerSecondMax: 1, callsPerSecondPerAddressMax: 1 }
  const budget = { take: () => 'callsPerDayMax' as const }
  const { find, finder, world, cache, source } = stageSource(
    { ...limits, budgets: { scripted: budget } },
    provider,
  )
  const asks = [find(1), find(1), find(1), finder.find(queryOf(1, { rank: 'prominence' }), 5, HERE)]
  assert.equal(provider.asked.length, 4)
  for (const { answer, query } of provider.asked) {
    assert.equal(query.locationText, '34,1')
    answer(bodyOf('OK'))
  }
  await Promise.all(asks)
  assert.deepEqual([cache.size, world.waits.length, source.status.latency.count], [0, 0, 4])
})

test('costs and times are counted', async () => {
  const { provider, world, find, source } = stageSource({ retriesMax: 1 })
  const first = find(1)
  provider.asked[0]?.answer(bodyOf('UNKNOWN_ERROR', 0), 0.25)
  await settled()
  world.advance(200)
  await settled()
  provider.asked[1]?.answer(bodyOf('OK'), 0.5)
  await first
  const { usd, latency } = source.status
  assert.equal(usd, 0.75)
  assert.deepEqual([latency.count, latency.sumMs], [1, 200])
  assert.deepEqual(
    latency.buckets.filter(({ count }) => count > 0),
    [{ leMs: 300, count: 1 }],
  )
  assert.equal(latency.buckets.at(-1)?.leMs, null)
})

test('close: asks under way end, waits too, and the provider is closed', async () => {
  const { provider, find, source, world } = stageSource()
  const asks = [find(1), find(2)]
  provider.asked[1]?.fail(passing('It stumbled.', 3_000))
  await settled()
  await source.close()
  const [under, waiting] = await Promise.all(asks)
  assert.match(under ?? '', /This server is stopping/)
  assert.match(waiting ?? '', /It stumbled/)
  assert.equal(provider.asked[0]?.signal.aborted, true)
  assert.ok(provider.closed)
  assert.equal(world.timers, 0)
})

test('whatever happens, each ask is counted once, gets a body in time, and leaves no timer', async () => {
  const ends = fc.constantFrom(
    'OK',
    'ZERO_RESULTS',
    'UNKNOWN_ERROR',
    'INVALID_REQUEST',
    'failed',
    'malformed',
  )
  const step = fc.oneof(
    fc.record({ type: fc.constant('ask' as const), longitude: fc.nat(4), host: fc.nat(2) }),
    fc.record({ type: fc.constant('end' as const), call: fc.nat(12), how: ends }),
    fc.record({
      type: fc.constant('advance' as const),
      ms: fc.constantFrom(1, 500, 8_000, 61_000, 301_000, 901_000),
    }),
  )
  const limits = {
    ...{ cacheEntriesMax: 3, asksInFlightMax: 2, callsPerSecondMax: 3, callsPerSecondPerAddressMax: 2 },
    ...{ retriesMax: 1, breakerFailuresMax: 2 },
  }
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const { provider, world, find, counters } = stageSource(limits)
      const asks: Promise<string>[] = []
      for (const now of steps) {
        if (now.type === 'ask') asks.push(find(now.longitude, 1, `10.0.0.${now.host}`))
        else if (now.type === 'advance') world.advance(now.ms)
        else if (now.how === 'failed') provider.asked[now.call]?.fail(passing())
        else provider.asked[now.call]?.answer(now.how === 'malformed' ? '{' : bodyOf(now.how))
        await settled()
      }
      world.advance(8_000)
      for (const text of await Promise.all(asks)) assert.ok(resultsIn(text) <= 1)
      const { calls, retries, hits, stale, refreshes, coalesced, refusedAll } = counters
      assert.equal(counters.asks, asks.length)
      assert.equal(calls + hits + stale + coalesced + refusedAll, asks.length + refreshes)
      assert.equal(calls + retries, provider.asked.length)
      await settled()
      assert.equal(world.timers, 0)
    }),
  )
})
