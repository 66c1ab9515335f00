import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { eventOf, fixOf, HerdStandIn, problem } from '../../test/support/herd-stand-in.ts'
import { waitUntil } from '../../test/support/live-herd.ts'
import { HerdClosed, HerdProblem } from './errors.ts'
import { HerdClient, type HerdClientOptions } from './herd-client.ts'
import type { Watch, WatchEvent } from './watch.ts'

async function watched(
  t: TestContext,
  count: number,
  more: Partial<HerdClientOptions> = {},
): Promise<{ herd: HerdClient; servers: readonly HerdStandIn[]; first: HerdStandIn }> {
  const first = await HerdStandIn.start(t)
  const servers = [first]
  while (servers.length < count) servers.push(await HerdStandIn.start(t))
  const herd = new HerdClient({
    servers: servers.map(({ url }) => url),
    timeouts: { requestMs: 300, silenceMs: 10_000 },
    backoff: { firstMs: 10, mostMs: 50 },
    ...more,
  })
  t.after(() => herd.close({ withinMs: 0 }))
  return { herd, servers, first }
}

const streamsAsked = ({ asked }: HerdStandIn): string[] => asked.filter((one) => one.includes('/v1/stream'))

async function take(watch: Watch, count: number): Promise<WatchEvent[]> {
  const events: WatchEvent[] = []
  for await (const event of watch) {
    events.push(event)
    if (events.length === count) break
  }
  return events
}

for (const how of ['end', 'destroy'] as const) {
  test(`a stream that goes (${how}) is gone on with at another server, from the last cursor on`, async (t) => {
    const { herd, servers } = await watched(t, 2)
    const told: string[] = []
    const watch = herd.watch(
      { clients: ['a', 'b,c%'], from: 'all' },
      {
        fix: ({ client, time_ns }) => told.push(`${client} ${BigInt(time_ns) % 60_000_000_000n}`),
        disconnected: () => told.push('disconnected'),
      },
    )
    const [first, second] = servers
    assert.ok(first !== undefined && second !== undefined)
    await waitUntil(() => first.streams === 1, 'the first is watched')
    first.write(`${eventOf('fix', fixOf('a', 1))}id: Alford~1~1\n\n`)
    await watch.ready
    first.write(eventOf('fix', fixOf('a', 2)))
    await waitUntil(() => told.length === 2, 'both were told')
    // The other knows what the first one told behind its cursor, and something older, and something new.
    second.streamHead = [fixOf('a', 1), fixOf('a', 2), fixOf('b,c%', 3)]
      .map((fix) => eventOf('fix', fix))
      .join('')
    first.endStreams(how)
    await waitUntil(() => told.length === 4, 'the new one was told')
    assert.deepEqual(told, ['a 1000000000', 'a 2000000000', 'disconnected', 'b,c% 3000000000'])
    assert.deepEqual(streamsAsked(first), ['GET /v1/stream?client=a%2Cb%252Cc%2525&from=all'])
    assert.deepEqual(streamsAsked(second), [
      'GET /v1/stream?client=a%2Cb%252Cc%2525&last_event_id=Alford%7E1%7E1',
    ])
    assert.equal(watch.cursor, 'Alford~1~1')
  })
}

test('a server that says nothing for long is left', async (t) => {
  const { herd, servers, first } = await watched(t, 2, { timeouts: { requestMs: 300, silenceMs: 60 } })
  const reasons: string[] = []
  const watch = herd.watch({}, { disconnected: (_server, reason) => reasons.push(reason) })
  await waitUntil(() => streamsAsked(servers[1] ?? first).length > 0, 'the second is watched')
  assert.match(reasons[0] ?? '', /silent for 60 ms/)
  watch.close()
  assert.equal(await watch.ended, null)
})

test('a server that sends nonsense is left', async (t) => {
  const { herd, servers, first } = await watched(t, 2)
  const reasons: string[] = []
  herd.watch({}, { disconnected: (_server, reason) => reasons.push(reason) })
  await waitUntil(() => first.streams === 1, 'the first is watched')
  first.write('event: fix\ndata: {"client":7}\n\n')
  await waitUntil(() => servers[1]?.streams === 1, 'the second is watched')
  assert.match(reasons[0] ?? '', /no fix/)
})

test('one that is slow to iterate gets the newest of each client, and the cursor of what it has', async (t) => {
  const { herd, first } = await watched(t, 1)
  const watch = herd.watch()
  await waitUntil(() => first.streams === 1, 'it is watched')
  const fixes = [fixOf('a', 1), fixOf('b', 1), fixOf('a', 2), fixOf('a', 3)]
  first.write(
    `${fixes.map((fix) => eventOf('fix', fix)).join('')}${eventOf('exit', fixOf('b', 2))}id: X~1~9\n\n`,
  )
  await watch.ready
  assert.equal(watch.cursor, null)
  const events: WatchEvent[] = []
  for await (const event of watch) {
    events.push(event)
    if (events.length < 2) continue
    // The reader has come so far that it asks for more: what it has is behind it.
    first.write(eventOf('fix', fixOf('c', 9)))
    if (events.length === 3) break
    await waitUntil(() => first.streams === 1, 'the stream goes on')
  }
  assert.deepEqual(
    events.map(({ type, fix }) => [type, fix.client, fix.time]),
    [
      ['fix', 'a', fixOf('a', 3).time],
      ['exit', 'b', fixOf('b', 2).time],
      ['fix', 'c', fixOf('c', 9).time],
    ],
  )
  assert.equal(watch.cursor, 'X~1~9')
  await waitUntil(() => first.streams === 0, 'the stream is closed when the iteration is left')
})

test('a refusal ends it: the iteration throws, handlers are told', async (t) => {
  const { herd, first } = await watched(t, 1)
  first.refuse = () => ({ problem: problem(403, 'not-allowed', 'a phone may not read all') })
  const watch = herd.watch()
  await assert.rejects(
    take(watch, 1),
    (error) => error instanceof HerdProblem && error.code === 'not-allowed',
  )
  await assert.rejects(watch.ready, HerdProblem)
  const problems: string[] = []
  const handled = herd.watch({}, { failed: ({ detail }) => problems.push(detail) })
  assert.equal((await handled.ended)?.status, 403)
  assert.deepEqual(problems, ['a phone may not read all'])
})

test('a cursor of a herd that knows it no more is left out; one of the caller’s is refused', async (t) => {
  const { herd, first } = await watched(t, 1)
  const watch = herd.watch({}, {})
  await waitUntil(() => first.streams === 1, 'it is watched')
  first.write('id: Old~1~1\n\n')
  await watch.ready
  first.refuse = (path) =>
    path.includes('last_event_id') ? { problem: problem(400, 'invalid', 'that is no cursor') } : null
  first.endStreams('end')
  await waitUntil(() => first.streams === 1, 'it is watched again')
  assert.match(streamsAsked(first).at(-1) ?? '', /from=all$/)
  const mine = herd.watch({ from: { cursor: 'nonsense' } }, {})
  assert.equal((await mine.ended)?.detail, 'that is no cursor')
})

test('close, a signal, and the client’s close end it; so does leaving the iteration', async (t) => {
  const { herd, first } = await watched(t, 1)
  const control = new AbortController()
  const watches = [herd.watch({}, {}), herd.watch({ signal: control.signal }, {}), herd.watch({}, {})]
  const iterated = take(herd.watch(), 1)
  await waitUntil(() => first.streams === 4, 'all watch')
  watches[0]?.close()
  control.abort()
  await herd.close()
  assert.deepEqual(await Promise.all(watches.map(({ ended }) => ended)), [null, null, null])
  assert.deepEqual(await iterated, [])
  await waitUntil(() => first.streams === 0, 'nobody watches')
  assert.throws(() => herd.watch(), HerdClosed)
})

test('a question that makes no sense is refused at once', async (t) => {
  const { herd } = await watched(t, 1)
  const circle = { lat: 1, lon: 2, radius_m: 3 }
  assert.throws(() => herd.watch({ clients: [] }), /name one at least/)
  assert.throws(() => herd.watch({ circle, box: [1, 2, 3, 4] }), /not both/)
  const clients = Array.from({ length: 3000 }, (_, n) => `client-${n}`)
  assert.throws(() => herd.watch({ clients }), /watch them in parts/)
})

test('what a handler throws harms nothing here', async (t) => {
  const thrown: unknown[] = []
  const { herd, first } = await watched(t, 1, {
    platform: {
      after: (ms, callback) => {
        const guarded = (): void => {
          try {
            callback()
          } catch (error) {
            thrown.push(error)
          }
        }
        const timer = setTimeout(guarded, ms)
        return () => clearTimeout(timer)
      },
    },
  })
  const mistake = new Error('a mistake of the page')
  const seen: string[] = []
  herd.watch(
    {},
    {
      fix: ({ client }) => {
        seen.push(client)
        throw mistake
      },
    },
  )
  await waitUntil(() => first.streams === 1, 'it is watched')
  first.write(eventOf('fix', fixOf('a')) + eventOf('fix', fixOf('b')))
  await waitUntil(() => thrown.length === 2, 'both were thrown')
  assert.deepEqual(thrown, [mistake, mistake])
  assert.deepEqual(seen, ['a', 'b'])
})
