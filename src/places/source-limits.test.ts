/** The limits around one provider, each reached in virtual time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { bodyOf, passing, settled, stageSource, statusIn } from '../../test/support/scripted-places.ts'
import type { PlacesRefusal } from '../replication/status.ts'
import type { CallBudget } from './admission.ts'
import { ProviderFailed } from './provider.ts'

test('the breaker opens after breakerFailuresMax failures in a row, and one trial closes it', async () => {
  const limits = { retriesMax: 2, breakerFailuresMax: 2, breakerOpenMs: 5_000 }
  const { provider, world, find, source, opened } = stageSource(limits)
  const fatal = new ProviderFailed('It is broken.', 'UNKNOWN_ERROR')
  provider.habit = (search) => search.fail(fatal)
  for (const longitude of [1, 2]) await find(longitude)
  assert.deepEqual(opened, ['scripted 5000'])
  assert.equal(source.status.breaker, 'open')
  assert.match(await find(3), /scripted is left alone for a while, as it failed: It is broken\./)
  assert.equal(provider.asked.length, 2)
  world.advance(5_000)
  provider.habit = undefined
  const trial = find(4)
  assert.equal(source.status.breaker, 'half-open')
  assert.match(await find(5), /left alone/)
  provider.fail(passing())
  await trial
  assert.equal(provider.asked.length, 3, 'a trial is not repeated')
  assert.deepEqual(opened, ['scripted 5000', 'scripted 5000'])
  world.advance(5_000)
  const again = find(6)
  provider.answer(bodyOf('OK'))
  assert.equal(statusIn(await again), 'OK')
  assert.equal(source.status.breaker, 'closed')
  assert.equal(source.counters.breakerOpened, 2)
})

for (const status of ['OVER_QUERY_LIMIT', 'REQUEST_DENIED'] as const) {
  test(`breakerDeniedMs: ${status}, thrown or in a body, opens the breaker at once and for longer`, async () => {
    for (const habit of ['throws', 'says'] as const) {
      const { provider, find, opened } = stageSource({ breakerDeniedMs: 70_000 })
      provider.habit = (search) =>
        habit === 'says' ? search.answer(bodyOf(status, 0)) : search.fail(new ProviderFailed('No.', status))
      await find(1)
      assert.deepEqual(opened, ['scripted 70000'])
      assert.equal(statusIn(await find(2)), status)
      assert.equal(provider.asked.length, 1)
    }
  })
}

test('asksInFlightMax: one more different ask is refused, and there is room again after one ends', async () => {
  const { provider, find, failures, counters } = stageSource({ asksInFlightMax: 2 })
  const under = [find(1), find(2), find(2)]
  const refused = await find(3)
  assert.equal(statusIn(refused), 'OVER_QUERY_LIMIT')
  assert.match(refused, /asksInFlightMax/)
  for (const asked of provider.asked) asked.answer(bodyOf('OK'))
  await Promise.all(under)
  const again = find(3)
  provider.answer(bodyOf('OK'))
  assert.equal(await again, bodyOf('OK'))
  assert.equal(counters.refused.asksInFlightMax, 1)
  assert.deepEqual(failures, [])
})

test('callsPerSecondMax: beyond it asks are refused and retries left out, but what is kept is still given', async () => {
  const { provider, world, find, counters } = stageSource({ callsPerSecondMax: 1 })
  const first = find(1)
  provider.answer(bodyOf('OK'))
  await first
  const refused = await find(2)
  assert.equal(statusIn(refused), 'OVER_QUERY_LIMIT')
  assert.match(refused, /callsPerSecondMax/)
  assert.equal(await find(1), bodyOf('OK'))
  world.advance(1_000)
  const later = find(2)
  provider.fail(passing())
  await settled()
  world.advance(400)
  assert.match(await later, /It stumbled/)
  assert.equal(counters.refused.callsPerSecondMax, 1)
  assert.equal(counters.retries, 0)
})

test('callsPerSecondPerAddressMax: only calls count, and only for whose ask it was', async () => {
  const { provider, find, world, counters } = stageSource({ callsPerSecondPerAddressMax: 1 })
  provider.habit = (search) => search.answer(bodyOf('OK'))
  assert.equal(statusIn(await find(1)), 'OK')
  assert.equal(statusIn(await find(1)), 'OK')
  assert.match(await find(2), /callsPerSecondPerAddressMax/)
  assert.equal(statusIn(await find(2, 5, '10.0.0.2')), 'OK')
  assert.equal(statusIn(await find(2)), 'OK')
  world.advance(1_000)
  assert.equal(statusIn(await find(3)), 'OK')
  assert.equal(counters.refused.callsPerSecondPerAddressMax, 1)
})

test('who joins an ask that is refused for another address’s sake asks for itself', async () => {
  const { provider, find } = stageSource({ callsPerSecondPerAddressMax: 1 })
  provider.habit = (search) => search.answer(bodyOf('OK'))
  await find(1)
  const [greedy, ...others] = await Promise.all([
    find(2),
    find(2, 5, '10.0.0.2'),
    find(2, 5, '10.0.0.3'),
    find(2),
  ])
  assert.match(greedy, /callsPerSecondPerAddressMax/)
  assert.deepEqual(others.slice(0, 2).map(statusIn), ['OK', 'OK'])
})

for (const limit of ['callsPerDayMax', 'callsPerMonthMax'] as const) {
  test(`${limit}: the budget has the last word on every call, retries too`, async () => {
    let left = 2
    const budget = { take: () => (left-- > 0 ? ('granted' as const) : limit) }
    const { provider, world, find, counters } = stageSource({ budgets: { scripted: budget } })
    const first = find(1)
    for (const waitMs of [200, 400]) {
      provider.fail(passing())
      await settled()
      world.advance(waitMs)
      await settled()
    }
    assert.match(await first, /It stumbled/)
    assert.equal(provider.asked.length, 2)
    const refused = await find(2)
    assert.match(refused, new RegExp(`used up \\(${limit}\\)`))
    assert.equal(statusIn(refused), 'OVER_QUERY_LIMIT')
    assert.equal(counters.refused[limit], 1)
  })
}

test('a call that one limit forbids costs nothing of the others', async () => {
  let taken = 0
  const budget: CallBudget = {
    take: () => {
      taken++
      return 'granted'
    },
  }
  const limits = { callsPerSecondPerAddressMax: 1, callsPerSecondMax: 2, asksInFlightMax: 1 }
  const { provider, find } = stageSource({ ...limits, budgets: { scripted: budget } })
  const first = find(1)
  await find(2)
  provider.answer(bodyOf('OK'))
  await first
  await find(3)
  assert.equal(taken, 1)
  const other = find(4, 5, '10.0.0.2')
  provider.answer(bodyOf('OK'))
  assert.equal(statusIn(await other), 'OK')
  assert.match(await find(5, 5, '10.0.0.3'), /callsPerSecondMax/)
  assert.equal(taken, 2)
})

/** Says yes so often. */
function budgetOf(calls: number) {
  const budget = {
    taken: 0,
    take: () =>
      budget.taken < calls && ++budget.taken > 0 ? ('granted' as const) : ('callsPerDayMax' as const),
  }
  return budget
}

test('each further call of a search counts, for the budget and for both rates', async () => {
  const budget = budgetOf(100)
  const limits = { callsPerSecondMax: 4, callsPerSecondPerAddressMax: 2 }
  const { provider, world, find, source, counters } = stageSource({
    ...limits,
    budgets: { scripted: budget },
  })
  provider.habit = ({ nextCall, answer }) => {
    for (let rings = 2; rings <= 4; rings++) nextCall()
    answer(bodyOf('OK'))
  }
  assert.equal(statusIn(await find(1)), 'OK')
  assert.deepEqual([budget.taken, counters.calls, source.counters.retries], [4, 4, 0])
  assert.match(await find(2, 5, '10.0.0.2'), /callsPerSecondMax/)
  world.advance(250)
  assert.match(await find(2), /callsPerSecondPerAddressMax/, 'two of its own, and two that it owes')
  assert.equal(
    statusIn(await find(2, 5, '10.0.0.2')),
    'OK',
    'a search that has begun is not refused by a rate',
  )
  assert.equal(budget.taken, 8)
  world.advance(750)
  assert.match(await find(3, 5, '10.0.0.3'), /callsPerSecondMax/, 'three are owed, and one more is needed')
  world.advance(250)
  assert.equal(statusIn(await find(3, 5, '10.0.0.3')), 'OK')
})

test('a budget that ends within a search ends the search, and that is no failure of the provider', async () => {
  const { provider, world, find, source, failures, opened } = stageSource({
    breakerFailuresMax: 1,
    budgets: { scripted: budgetOf(2) },
  })
  provider.habit = ({ nextCall, answer }) => {
    for (let rings = 2; rings <= 4; rings++) nextCall()
    answer(bodyOf('OK'))
  }
  const refused = await find(1)
  assert.match(refused, /used up \(callsPerDayMax\)/)
  assert.equal(statusIn(refused), 'OVER_QUERY_LIMIT')
  const { calls, errors, refused: counts } = source.counters
  assert.deepEqual([calls, errors, counts.callsPerDayMax, source.status.breaker], [2, 0, 1, 'closed'])
  assert.deepEqual([failures, opened], [[], []])
  assert.equal(world.timers, 0)
})

test('a trial whose budget ends in the middle closes the breaker: the provider has answered', async () => {
  const { provider, world, find, source } = stageSource({
    ...{ breakerFailuresMax: 1, breakerOpenMs: 1_000, budgets: { scripted: budgetOf(2) } },
  })
  provider.habit = (search) => search.fail(new ProviderFailed('It is broken.', 'UNKNOWN_ERROR'))
  await find(1)
  assert.equal(source.status.breaker, 'open')
  world.advance(1_000)
  provider.habit = ({ nextCall }) => nextCall()
  assert.match(await find(2), /used up/)
  assert.equal(source.status.breaker, 'closed')
})

test('a search that was given up gets no further calls', async () => {
  const budget = budgetOf(100)
  const { provider, world, find } = stageSource({
    ...{ tryMsMax: 100, retriesMax: 0 },
    budgets: { scripted: budget },
  })
  const found = find(1)
  world.advance(100)
  assert.match(await found, /did not answer within 100 ms/)
  assert.throws(() => provider.asked[0]?.nextCall(), /did not answer within 100 ms/)
  assert.equal(budget.taken, 1)
})

test('every limit that may refuse has a counter', () => {
  const limits: Record<PlacesRefusal, true> = {
    ...{ breaker: true, asksInFlightMax: true, callsPerSecondMax: true },
    ...{ callsPerSecondPerAddressMax: true, callsPerDayMax: true, callsPerMonthMax: true },
  }
  assert.deepEqual(Object.keys(stageSource().source.status.refused), Object.keys(limits))
})
