/** Several sources, one after the other, in virtual time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { assertNoCanary, CANARY } from '../../test/support/canary.ts'
import { GoogleStandIn, googleText } from '../../test/support/google-stand-in.ts'
import { fc } from '../../test/support/properties.ts'
import {
  bodyOf,
  HERE,
  passing,
  queryOf,
  resultsIn,
  type ScriptedOptions,
  ScriptedProvider,
  type StageOptions,
  settled,
  stageOf,
  statusIn,
} from '../../test/support/scripted-places.ts'
import { ProviderFailed } from './provider.ts'
import { EmbeddedPlaces } from './providers/embedded.ts'
import { GoogleLegacyPlaces } from './providers/google-legacy.ts'

/** Providers `a`, `b` … as told, and a finder. */
function stage(kinds: readonly ScriptedOptions[], options: StageOptions = {}) {
  const providers = kinds.map(
    (kind, index) => new ScriptedProvider({ name: 'abcdefg'[index] ?? '', ...kind }),
  )
  const staged = stageOf(providers, { retriesMax: 0, ...options })
  return { ...staged, providers, find: (longitude = 1) => staged.finder.find(queryOf(longitude), 5, HERE) }
}

function googleAt(standIn: GoogleStandIn): GoogleLegacyPlaces {
  return new GoogleLegacyPlaces({
    ...{ key: CANARY, baseUrl: standIn.url, bodyBytesMax: 100_000, wallMs: () => 0 },
  })
}

function denied(): ProviderFailed {
  return new ProviderFailed('No.', 'REQUEST_DENIED')
}

function messagesIn(text: string): unknown {
  return JSON.parse(text).info_messages
}

test('1,000 asks at once are one call, and each gets its own number of items', async (t) => {
  const standIn = await GoogleStandIn.start({ key: CANARY })
  t.after(() => standIn.close())
  const provider = googleAt(standIn)
  const { finder, sources } = stageOf([provider])
  const texts = await Promise.all(
    Array.from({ length: 1_000 }, (_, ask) => finder.find(queryOf(-118), ask % 21, HERE)),
  )
  assert.equal(standIn.requests.length, 1)
  for (const [ask, text] of texts.entries()) assert.equal(resultsIn(text), ask % 21)
  assert.doesNotMatch(texts.join(), /\n\n/)
  assert.equal(`${texts[20]}\n\n`.replaceAll(/\n+/g, '\n'), googleText('34,-118').replaceAll(/\n+/g, '\n'))
  assert.deepEqual(finder.counters, {
    ...{ asks: 1_000, calls: 1, retries: 0, hits: 0, stale: 0, coalesced: 999, refused: 0, errors: 0 },
    ...{ failedOver: 0, failed: 0 },
  })
  assert.equal(sources[0]?.status.latency.count, 1)
})

test('a failure is told in the legacy shape, logged, counted, and not kept', async () => {
  const { providers, find, finder, failures } = stage([{}])
  const asks = [find(), find()]
  const failure = new ProviderFailed('It <failed>.', 'UNKNOWN_ERROR')
  providers[0]?.fail(failure)
  for (const text of await Promise.all(asks)) {
    assert.equal(
      text,
      '{\n   "error_message" : "It \\u003cfailed\\u003e.",\n   "html_attributions" : [],\n   "results" : [],\n   "status" : "UNKNOWN_ERROR"\n}',
    )
  }
  assert.deepEqual(failures, [failure])
  assert.deepEqual([finder.counters.errors, finder.counters.failed], [1, 2])
  const again = find()
  providers[0]?.answer(bodyOf('OK'))
  assert.equal(await again, bodyOf('OK'))
})

test('a malformed body and a broken provider are failures too', async () => {
  const { providers, find, failures } = stage([{}], { breakerFailuresMax: 100 })
  const [provider] = providers
  for (const fail of [
    () => provider?.answer('{"results":['),
    () => provider?.answer('{"status":"OK"}'),
    () => provider?.fail(new TypeError('oops')),
    () => provider?.fail(undefined),
  ]) {
    const text = find()
    fail()
    assert.equal(statusIn(await text), 'UNKNOWN_ERROR')
  }
  assert.equal(failures.length, 4)
})

test('a provider that throws instead of promising is a failure, and leaves no timer', async (t) => {
  const { providers, world, find } = stage([{}])
  const [provider] = providers
  assert.ok(provider)
  t.mock.method(provider, 'search', () => {
    throw new TypeError('oops')
  })
  assert.equal(statusIn(await find()), 'UNKNOWN_ERROR')
  assert.equal(world.timers, 0)
})

test('nobody is asked behind one that answers', async () => {
  const { providers, find, finder } = stage([{}, {}])
  for (const status of ['OK', 'ZERO_RESULTS']) {
    const text = find(status.length)
    providers[0]?.answer(bodyOf(status))
    assert.equal(await text, bodyOf(status))
  }
  assert.equal(providers[1]?.asked.length, 0)
  assert.equal(finder.counters.failedOver, 0)
})

for (const [how, fail] of [
  ['down', (provider: ScriptedProvider) => provider.fail(passing('Nobody is there.'))],
  ['denying', (provider: ScriptedProvider) => provider.fail(denied())],
  ['denying in a body', (provider: ScriptedProvider) => provider.answer(bodyOf('REQUEST_DENIED', 0))],
  ['asked what it can’t be', (provider: ScriptedProvider) => provider.answer(bodyOf('INVALID_REQUEST', 0))],
  ['malformed', (provider: ScriptedProvider) => provider.answer('{')],
] as const) {
  test(`a provider that is ${how}: the next one answers, and the reply says so`, async () => {
    const { providers, find, finder } = stage([{}, { name: 'next' }])
    const [first, next] = providers
    assert.ok(first && next)
    const text = find()
    fail(first)
    await settled()
    next.answer('{"html_attributions":[],"results":[1],"status":"OK"}')
    const messages = messagesIn(await text)
    assert.ok(Array.isArray(messages))
    assert.match(String(messages), /^a did not answer: \S/)
    assert.equal(
      (await text).replace(/"info_messages":\[[^\]]*\],/, ''),
      bodyOf('OK', 1).replace('[0]', '[1]'),
    )
    assert.equal(finder.counters.failedOver, 1)
  })
}

test('a provider that a limit or its breaker forbids is not asked, and the reply says that', async () => {
  const spent = { take: () => 'callsPerMonthMax' as const }
  const { providers, find } = stage([{}, {}, { local: true }], { budgets: { a: spent } })
  const [, second, local] = providers
  assert.ok(second && local)
  second.habit = (search) => search.fail(denied())
  local.habit = (search) => search.answer(bodyOf('OK'))
  assert.deepEqual(messagesIn(await find(1)), [
    "a was not asked: This herd's asks for places are used up (callsPerMonthMax): ask again next month.",
    'b did not answer: No.',
  ])
  assert.deepEqual(messagesIn(await find(2)), [
    "a was not asked: This herd's asks for places are used up (callsPerMonthMax): ask again next month.",
    'b was not asked: b is left alone for a while, as it failed: No.',
  ])
})

test('when all fail, the first failure is told', async () => {
  const { providers, find } = stage([{}, {}])
  const text = find()
  providers[0]?.fail(new ProviderFailed('First.', 'REQUEST_DENIED'))
  await settled()
  providers[1]?.fail(passing('Second.'))
  assert.deepEqual(JSON.parse(await text), {
    ...{ error_message: 'First.', html_attributions: [], results: [], status: 'REQUEST_DENIED' },
  })
  const own =
    '{"error_message":"Its own words","html_attributions":[],"results":[],"status":"REQUEST_DENIED"}'
  const { providers: others, find: again } = stage([{}, {}])
  const passedOn = again()
  others[0]?.answer(own)
  await settled()
  others[1]?.fail(passing('Second.'))
  assert.equal(await passedOn, own)
})

test('what finds nothing on this machine lets the next on this machine try, and nobody else', async () => {
  const local = { local: true }
  for (const [kinds, bodies, expected] of [
    [[local, local], ['ZERO_RESULTS', 'OK'], 'OK'],
    [[local, local], ['ZERO_RESULTS', 'ZERO_RESULTS'], 'ZERO_RESULTS'],
    [[local, local], ['ZERO_RESULTS', 'fails'], 'ZERO_RESULTS'],
    [[local, {}, local], ['ZERO_RESULTS', 'OK', 'OK'], 'ZERO_RESULTS'],
    [[{}, local], ['ZERO_RESULTS', 'OK'], 'ZERO_RESULTS'],
    [[local, {}], ['fails', 'OK'], 'OK'],
  ] as const) {
    const { providers, find } = stage(kinds)
    for (const [index, provider] of providers.entries()) {
      const body = bodies[index] ?? ''
      provider.habit = ({ answer, fail }) => (body === 'fails' ? fail(passing()) : answer(bodyOf(body)))
    }
    assert.equal(statusIn(await find()), expected)
  }
})

test('the time is shared: the first leaves the next a try, who is on this machine needs none', async () => {
  const { providers, world, find } = stage([{}, {}, { local: true }], { totalMsMax: 8_000, tryMsMax: 3_000 })
  const [first, second, local] = providers
  assert.ok(first && second && local)
  local.habit = (search) => search.answer(bodyOf('OK'))
  const text = find()
  world.advance(2_999)
  await settled()
  assert.equal(second.asked.length, 0)
  world.advance(1)
  await settled()
  assert.equal(second.asked.length, 1)
  world.advance(3_000)
  assert.deepEqual(messagesIn(await text), [
    'a did not answer: a did not answer within 3000 ms.',
    'b did not answer: b did not answer within 3000 ms.',
  ])
})

test('retries of the first take nothing from the time of the next', async () => {
  const limits = { totalMsMax: 8_000, tryMsMax: 4_000, retriesMax: 10 }
  const { providers, world, find } = stage([{}, {}], limits)
  const [first, second] = providers
  assert.ok(first && second)
  first.habit = (search) => search.fail(passing('Later.', 1_500))
  const text = find()
  for (let ms = 0; ms < 4_000 && second.asked.length === 0; ms += 500) {
    await settled()
    world.advance(500)
  }
  await settled()
  assert.equal(second.asked.length, 1)
  second.answer(bodyOf('OK'))
  assert.equal(statusIn(await text), 'OK')
})

test('whatever the providers do, the answer comes in time, and a local one that answers is never missed', async () => {
  const kind = fc.record({
    local: fc.boolean(),
    does: fc.constantFrom('answers', 'hangs', 'fails', 'denies', 'finds nothing', 'malformed'),
    afterMs: fc.constantFrom(0, 100, 2_500, 4_000),
  })
  const limits = fc.record({
    totalMsMax: fc.constantFrom(1_000, 8_000),
    tryMsMax: fc.constantFrom(400, 1_000),
    retriesMax: fc.nat(3),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(kind, { minLength: 1, maxLength: 5 }), limits, async (kinds, set) => {
      const { providers, world, find } = stage(kinds, set)
      for (const [index, provider] of providers.entries()) {
        const { does, afterMs, local } = kinds[index] ?? { does: 'hangs', afterMs: 0, local: false }
        provider.habit = ({ answer, fail }) => {
          const act = (): void => {
            if (does === 'answers') answer(bodyOf('OK'))
            else if (does === 'finds nothing') answer(bodyOf('ZERO_RESULTS', 0))
            else if (does === 'malformed' || (does === 'hangs' && local)) answer('{')
            else if (does === 'fails') fail(passing())
            else if (does === 'denies') fail(denied())
          }
          if (local || afterMs === 0) act()
          else world.after(afterMs, act)
        }
      }
      let text: string | undefined
      void find().then((found) => {
        text = found
      })
      await settled()
      for (let ms = 0; ms < set.totalMsMax; ms += 50) {
        world.advance(50)
        await settled()
      }
      assert.ok(text !== undefined, 'it is answered in time')
      const certain = kinds.some(({ local, does }) => local && does === 'answers')
      const mayEndEarly = kinds.some(({ does }) => does === 'finds nothing')
      if (certain && !mayEndEarly) assert.equal(statusIn(text), 'OK')
    }),
    { numRuns: 60 },
  )
})

test('the key is in no text that a client gets', async (t) => {
  const standIn = await GoogleStandIn.start()
  t.after(() => standIn.close())
  const limits = { bodyBytesMax: 100_000, totalMsMax: 8_000, tryMsMax: 4_000, retriesMax: 0 }
  const provider = googleAt(standIn)
  const behaviours = [
    'request-denied',
    'malformed',
    'truncated',
    'reset',
    'huge',
    { httpStatus: 403 },
  ] as const
  for (const behaviour of behaviours) {
    const { finder } = stageOf([provider, EmbeddedPlaces.load()], limits)
    standIn.behave(behaviour)
    const text = await finder.find(queryOf(-118), 20, HERE)
    assertNoCanary({ text })
    assert.doesNotMatch(text, /maps\/api/)
    assert.match(String(messagesIn(text)), /^google-legacy did not answer: /)
    assert.equal(statusIn(text), 'OK')
  }
})

test('close: every source is closed', async () => {
  const { providers, finder } = stage([{}, { local: true }])
  await finder.close()
  assert.deepEqual(
    providers.map(({ closed }) => closed),
    [true, true],
  )
})

test('a status for each source, in their order', async () => {
  const { providers, find, finder } = stage([{}, { local: true }])
  const text = find()
  providers[0]?.fail(denied())
  await settled()
  providers[1]?.answer(bodyOf('OK'))
  await text
  assert.deepEqual(
    finder.statuses.map(({ name, local, breaker, calls, errors }) => [name, local, breaker, calls, errors]),
    [
      ['a', false, 'open', 1, 1],
      ['b', true, 'closed', 1, 0],
    ],
  )
})
