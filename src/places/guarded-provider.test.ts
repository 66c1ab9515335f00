import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FakeWorld } from '../../test/support/google-stand-in.ts'
import { bodyOf, passing, queryOf, ScriptedProvider, settled } from '../../test/support/scripted-places.ts'
import { CLOSE_MS_MAX, GuardedProvider } from './guarded-provider.ts'
import { type PlacesBody, ProviderFailed } from './provider.ts'

const NEVER = new AbortController().signal
const LIMITS = { tryMsMax: 500, bodyBytesMax: 60 }
const GOOD = { text: '{"results":[]}', status: 'OK' }

function stage(local = false) {
  const provider = new ScriptedProvider({ local, keeping: { freshMs: 1, staleMs: 2 } })
  const world = new FakeWorld()
  return { provider, world, guarded: new GuardedProvider(provider, { limits: LIMITS, world }) }
}

async function failureOf(asked: Promise<unknown>): Promise<ProviderFailed> {
  const error = await asked.then(
    () => assert.fail('it did not fail'),
    (reason: unknown) => reason,
  )
  assert.ok(error instanceof ProviderFailed, String(error))
  return error
}

test('its own failures pass; whatever else it throws is for the log alone', async () => {
  const { provider, guarded } = stage()
  const own = passing()
  provider.habit = (search) => search.fail(own)
  assert.equal(await failureOf(guarded.search(queryOf(1), NEVER)), own)
  for (const [thrown, says] of [
    [new RangeError('canary'), 'RangeError: canary'],
    ['canary', 'no Error was thrown'],
    [undefined, 'no Error was thrown'],
  ] as const) {
    provider.habit = () => {
      throw thrown
    }
    const { message, status, mayRetry, cause } = await failureOf(guarded.search(queryOf(1), NEVER))
    assert.deepEqual([message, status, mayRetry], ['scripted failed.', 'UNKNOWN_ERROR', false])
    assert.ok(cause instanceof Error && cause.message === says)
  }
})

test('an answer that is no body is a failure', async () => {
  const { provider, world } = stage()
  for (const [body, says] of [
    ['null', /no text and status/],
    ['7', /no text and status/],
    ['{"text":7,"status":"OK"}', /no text and status/],
    ['{"text":"{}"}', /no text and status/],
    ['{"text":"{}","status":"OK","list":"other"}', /a list that is neither/],
    ['{"text":"{}","status":"OK","usd":"1"}', /a price that is no number/],
    ['{"text":"{}","status":"OK","usd":-1}', /a price that is no number/],
    [JSON.stringify({ ...GOOD, text: 'é'.repeat(31) }), /more than 60 bytes/],
  ] as const) {
    const search = async (): Promise<PlacesBody> => JSON.parse(body)
    const { name, local, snaps, keeping } = provider
    const odd = new GuardedProvider({ name, local, snaps, keeping, search }, { limits: LIMITS, world })
    assert.match((await failureOf(odd.search(queryOf(1), NEVER))).message, says, body)
  }
})

test('a good one is taken, up to its bound, and nothing besides', async () => {
  const { provider, world } = stage()
  const { name, local, snaps, keeping } = provider
  const text = 'é'.repeat(30)
  const search = async (): Promise<PlacesBody> =>
    JSON.parse(JSON.stringify({ ...GOOD, text, usd: 0.5, more: 1 }))
  const one = new GuardedProvider({ name, local, snaps, keeping, search }, { limits: LIMITS, world })
  assert.deepEqual(await one.search(queryOf(1), NEVER), { text, status: 'OK', list: 'results', usd: 0.5 })
})

test('further calls of its search are asked for where those of ours are', async () => {
  const { provider, guarded } = stage()
  const own = passing()
  provider.habit = ({ nextCall }) => nextCall()
  const nextCall = () => {
    throw own
  }
  assert.equal(await failureOf(guarded.search(queryOf(1), NEVER, nextCall)), own)
})

test('one that is local keeps nothing, and has the time of one try', async () => {
  const { provider, world, guarded } = stage(true)
  assert.equal(guarded.keeping, undefined)
  const failure = failureOf(guarded.search(queryOf(1), NEVER))
  world.advance(LIMITS.tryMsMax)
  assert.equal((await failure).message, 'scripted did not answer within 500 ms.')
  assert.equal(provider.asked[0]?.signal.aborted, true)
  const answered = guarded.search(queryOf(1), NEVER)
  provider.answer(bodyOf('OK', 0))
  assert.equal((await answered).text, bodyOf('OK', 0))
  assert.equal(world.timers, 0)
})

test('CLOSE_MS_MAX: closing ends, whatever it does', async () => {
  const { provider, world, guarded } = stage()
  await guarded.close()
  assert.ok(provider.closed)
  provider.close = () => Promise.reject(new Error('no'))
  await guarded.close()
  provider.close = () => {
    throw new Error('no')
  }
  await guarded.close()
  assert.equal(world.timers, 0)
  provider.close = () => new Promise(() => {})
  let isClosed = false
  const closing = guarded.close().then(() => {
    isClosed = true
  })
  world.advance(CLOSE_MS_MAX - 1)
  await settled()
  assert.equal(isClosed, false)
  world.advance(1)
  await closing
})
