import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { HerdStandIn, type Mood, problem } from '../../test/support/herd-stand-in.ts'
import { waitUntil } from '../../test/support/live-herd.ts'
import { HerdClosed, HerdProblem, HerdUnreachable } from './errors.ts'
import { HerdClient, type HerdClientOptions } from './herd-client.ts'

const HERE = { lat: 34.06893, lon: -118.445127 }

async function standIns(t: TestContext, count: number): Promise<[HerdStandIn, ...HerdStandIn[]]> {
  const [first = await HerdStandIn.start(t), ...others] = await Promise.all(
    Array.from({ length: count }, () => HerdStandIn.start(t)),
  )
  return [first, ...others]
}

function clientOf(
  t: TestContext,
  servers: readonly HerdStandIn[],
  more: Partial<HerdClientOptions> = {},
): HerdClient {
  const herd = new HerdClient({
    servers: servers.map(({ url }) => url),
    timeouts: { requestMs: 300, totalMs: 10_000 },
    backoff: { firstMs: 10, mostMs: 50 },
    ...more,
  })
  t.after(() => herd.close({ withinMs: 0 }))
  return herd
}

for (const mood of [
  'unavailable',
  'hanging',
  'garbage',
  'other JSON',
  'breaking',
  'catching up',
] satisfies Mood[]) {
  test(`a server that is ${mood} is left for the next, and that one is kept`, async (t) => {
    const [bad, good] = await standIns(t, 2)
    assert.ok(good !== undefined)
    bad.mood = mood
    const herd = clientOf(t, [bad, good])
    assert.equal((await herd.get('kiwi'))?.client, 'kiwi')
    assert.equal((await herd.report({ client: 'kiwi', ...HERE })).outcome, 'new')
    assert.equal(herd.server, good.url)
    assert.deepEqual(
      good.taken.map(({ client }) => client),
      ['kiwi'],
    )
    const asked = bad.asked.length
    bad.mood = 'well'
    await herd.near({ ...HERE, radius_m: 1000 })
    assert.equal(bad.asked.length, asked)
  })
}

test('one that is catching up is better than none', async (t) => {
  const [behind, dead] = await standIns(t, 2)
  assert.ok(dead !== undefined)
  behind.mood = 'catching up'
  await dead.stop()
  const herd = clientOf(t, [dead, behind])
  assert.equal((await herd.get('kiwi'))?.client, 'kiwi')
  await herd.report({ client: 'kiwi', ...HERE })
  assert.equal(behind.taken.length, 1)
})

test('when none answers, a question says of each why; a report waits, and is sent when one is back', async (t) => {
  const [only, gone] = await standIns(t, 2)
  assert.ok(gone !== undefined)
  const told: string[] = []
  only.mood = 'unavailable'
  await gone.stop()
  const herd = clientOf(t, [only, gone], { timeouts: { requestMs: 200, totalMs: 300 } })
  herd.on('offline', (attempts) => told.push(`offline ${attempts.length}`))
  herd.on('online', (server) => told.push(`online ${server}`))
  await assert.rejects(herd.get('kiwi'), (error) => {
    assert.ok(error instanceof HerdUnreachable)
    const [first, second] = error.attempts
    assert.deepEqual([first?.server, second?.server], [only.url, gone.url])
    assert.match(first?.reason ?? '', /catching up|503/)
    assert.match(second?.reason ?? '', /ECONNREFUSED/)
    return true
  })
  assert.equal(herd.isOnline, false)
  const reports = ['a', 'b', 'c'].map((client) => herd.report({ client, ...HERE }))
  assert.equal(herd.queued, 3)
  only.mood = 'well'
  for (const { outcome } of await Promise.all(reports)) assert.equal(outcome, 'new')
  assert.deepEqual(
    only.taken.map(({ client }) => client),
    ['a', 'b', 'c'],
  )
  assert.equal(herd.queued, 0)
  assert.equal(told[0], 'offline 2')
  assert.equal(told.at(-1), `online ${only.url}`)
})

test('an answer that got lost: the report is sent to the next, and no harm is done', async (t) => {
  const [bad, good] = await standIns(t, 2)
  assert.ok(good !== undefined)
  const herd = clientOf(t, [bad, good])
  await herd.get('kiwi')
  bad.mood = 'breaking'
  await herd.report({ client: 'kiwi', ...HERE })
  assert.deepEqual(good.taken, bad.taken)
  assert.match(String(good.taken[0]?.time), /^\d{10}\.\d{6}$/)
})

test('a refusal is no outage: the caller has its status, its code, its detail, and no other server is asked', async (t) => {
  const [first, other] = await standIns(t, 2)
  first.refuse = () => ({ problem: problem(403, 'not-allowed', 'a phone may not read all') })
  const herd = clientOf(t, [first, other ?? first])
  await assert.rejects(herd.near(HERE), (error) => {
    assert.ok(error instanceof HerdProblem)
    assert.deepEqual(
      [error.status, error.code, error.detail, error.retryAfter],
      [403, 'not-allowed', 'a phone may not read all', null],
    )
    return true
  })
  assert.deepEqual(other?.asked, [])
  assert.equal(herd.isOnline, true)
})

test('nobody has heard of it: null', async (t) => {
  const [only] = await standIns(t, 1)
  only.refuse = () => ({ problem: problem(404, 'unknown-client', 'nobody has heard of it') })
  assert.equal(await clientOf(t, [only]).get('kiwi'), null)
})

test('an ID that no URL can name is refused with a word on it, and no server is asked', async (t) => {
  const [only] = await standIns(t, 1)
  const herd = clientOf(t, [only])
  for (const client of ['.', '..', 'half\ud83d']) {
    for (const asked of [herd.get(client), herd.places(client)]) {
      await assert.rejects(asked, (error) => {
        assert.ok(error instanceof HerdProblem && error.code === 'invalid')
        assert.match(error.detail, /^no URL can name the client ".*": watch it instead$/)
        return true
      })
    }
  }
  assert.deepEqual(only.asked, [])
})

test('too many requests: waits as long as it is told, or says so', async (t) => {
  const [only] = await standIns(t, 1)
  let refusals = 1
  const rate = problem(429, 'rate', 'too many')
  only.refuse = () => (refusals-- > 0 ? { problem: rate } : null)
  const herd = clientOf(t, [only])
  assert.equal((await herd.get('kiwi'))?.client, 'kiwi')
  only.refuse = () => ({ problem: rate, retryAfter: 60 })
  await assert.rejects(herd.get('kiwi'), (error) => error instanceof HerdProblem && error.retryAfter === 60)
})

test('of a batch, what is refused for good goes back, what is for later is sent again, the rest is taken', async (t) => {
  const [first, other] = await standIns(t, 2)
  assert.ok(other !== undefined)
  let busy = 2
  first.judge = ({ client }) => {
    if (client === 'bad') return problem(400, 'invalid', 'no such place')
    if (client === 'later' && busy-- > 0) return problem(429, 'rate', 'too many')
    return client === 'full' ? problem(507, 'table-full', 'the table is full') : null
  }
  const refused: string[] = []
  const herd = clientOf(t, [first, other])
  herd.on('refused', (_problem, { client }) => refused.push(client))
  const clients = ['a', 'bad', 'later', 'full', 'z']
  const results = await Promise.allSettled(clients.map((client) => herd.report({ client, ...HERE })))
  assert.deepEqual(
    results.map(({ status }) => status),
    ['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled'],
  )
  assert.deepEqual(refused, ['bad'])
  assert.ok(other.taken.some(({ client }) => client === 'full'))
})

test('a body that is too large is sent in parts', async (t) => {
  const [only] = await standIns(t, 1)
  only.refuse = (_path, body) =>
    body.length > 2000 ? { problem: problem(413, 'invalid', 'too large') } : null
  const herd = clientOf(t, [only])
  const clients = Array.from({ length: 100 }, (_, n) => `client-${n}`)
  await Promise.all(clients.map((client) => herd.report({ client, ...HERE })))
  assert.deepEqual(
    only.taken.map(({ client }) => client),
    clients,
  )
})

test('the token is shown, whoever makes it; one that fails is tried again', async (t) => {
  const [only] = await standIns(t, 1)
  let fails = 1
  const token = async (): Promise<string> => {
    if (fails-- > 0) throw new Error('the login is away')
    return 'secret'
  }
  await clientOf(t, [only], { token }).get('kiwi')
  assert.deepEqual(only.tokens, new Set(['Bearer secret']))
  only.tokens.clear()
  await clientOf(t, [only], { token: () => null }).get('kiwi')
  assert.deepEqual(only.tokens, new Set(['']), 'nobody has one yet')
})

test('a signal ends a question, and its reason is thrown', async (t) => {
  const [only] = await standIns(t, 1)
  only.mood = 'hanging'
  const herd = clientOf(t, [only])
  const control = new AbortController()
  const asked = herd.get('kiwi', { signal: control.signal })
  const reason = new Error('the user went on')
  control.abort(reason)
  await assert.rejects(asked, reason)
  assert.equal(herd.isOnline, null)
})

test('close waits for what waits, and gives back what could not be sent', async (t) => {
  const [only] = await standIns(t, 1)
  const herd = clientOf(t, [only])
  const report = herd.report({ client: 'kiwi', ...HERE })
  assert.deepEqual(await herd.close(), [])
  assert.equal((await report).outcome, 'new')
  await assert.rejects(herd.get('kiwi'), HerdClosed)
  await assert.rejects(herd.report({ client: 'kiwi', ...HERE }), HerdClosed)

  only.mood = 'unavailable'
  const late = clientOf(t, [only])
  const unsent = late.report({ client: 'kiwi', ...HERE })
  const [[back]] = await Promise.all([late.close({ withinMs: 30 }), assert.rejects(unsent, HerdClosed)])
  assert.equal(back?.client, 'kiwi')
})

test('the network is back: nobody is left alone any longer', async (t) => {
  const [only] = await standIns(t, 1)
  only.mood = 'unavailable'
  let isBack = (): void => {}
  const herd = clientOf(t, [only], {
    backoff: { firstMs: 3_600_000, mostMs: 3_600_000 },
    platform: {
      onNetwork: (callback) => {
        isBack = callback
        return () => {}
      },
    },
  })
  const offline = new Promise((resolve) => herd.on('offline', resolve))
  const report = herd.report({ client: 'kiwi', ...HERE })
  // It is unable to say whether it is up to date: that is as good as unable.
  await waitUntil(() => only.asked.length > 1, 'the report was tried')
  await offline
  only.mood = 'well'
  isBack()
  assert.equal((await report).outcome, 'new')
})

test('an address that is none is named at once', () => {
  for (const wrong of ['localhost:12000', 'ftp://localhost', '', 'http://a?b']) {
    assert.throws(() => new HerdClient({ servers: [wrong] }), /no address of a server, such as/)
  }
  assert.throws(() => new HerdClient({ servers: [] }), TypeError)
})
