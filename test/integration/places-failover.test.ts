/** WHATSAT over several providers: the next one answers when one fails, in time. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LiveCommand } from '../support/live-command.ts'
import { countOf, LiveHerd } from '../support/live-herd.ts'
import { startAskingHerd } from '../support/live-places.ts'

const REPORT = 'IAMAT kiwi +34.068930-118.445127 1479413884.392014450'
const FALL_BACK = { providers: ['google-legacy', 'embedded'] }

test('a provider that is down: the next one answers, and the reply says who did not', async (t) => {
  const { herd, google } = await startAskingHerd(t, {}, {}, FALL_BACK)
  await google.close()
  const client = await herd.connect('Alford')
  await client.ask(REPORT)
  const { body, text } = await client.whatsat('kiwi', 10, 2)
  assert.equal(body.status, 'OK')
  assert.deepEqual(
    body.results.map(({ name }) => name),
    ['Bel Air', 'Westwood'],
  )
  assert.match(text, /^ {3}"info_messages" : \[ ?\n? *"google-legacy did not answer: [^"]+"\n? *\],$/m)
  const status = await herd.status('Alford')
  assert.equal(countOf(status, 'places.failedOver'), 1)
  assert.deepEqual(
    status.places?.providers.map(({ name, calls, errors }) => [name, calls, errors]),
    [
      ['google-legacy', 1, 1],
      ['embedded', 1, 0],
    ],
  )
  assert.deepEqual(status.places?.budgets, [])
})

test('a provider that never answers takes its time, and no more', async (t) => {
  const limits = { totalMsMax: 600, tryMsMax: 300 }
  const { herd, google } = await startAskingHerd(t, limits, {}, FALL_BACK)
  google.behave('hang')
  const client = await herd.connect('Alford')
  await client.ask(REPORT)
  const { body } = await client.whatsat('kiwi')
  assert.equal(body.status, 'OK')
  assert.deepEqual(body.info_messages, [
    'google-legacy did not answer: google-legacy did not answer within 300 ms.',
  ])
})

test('a provider that denies us is left alone, and is not asked again', async (t) => {
  const { herd, google } = await startAskingHerd(t, { retriesMax: 2 }, {}, FALL_BACK)
  google.behave('request-denied')
  const client = await herd.connect('Alford')
  await client.ask(REPORT)
  for (const radius of [1, 2, 3]) await client.whatsat('kiwi', radius)
  const { body } = await client.whatsat('kiwi', 10)
  assert.equal(body.status, 'OK')
  assert.match(String(body.info_messages), /^google-legacy was not asked: .* left alone .* REQUEST_DENIED/)
  assert.equal(google.requests.length, 1)
  const [provider] = (await herd.status('Alford')).places?.providers ?? []
  assert.deepEqual([provider?.breaker, provider?.refused.breaker], ['open', 3])
  await herd.logged('Alford', '"event":"places left alone"')
})

test('a failure that passes is tried again', async (t) => {
  const { herd, google } = await startAskingHerd(t, { retriesMax: 2 })
  google.behave({ httpStatus: 503 }, 'unknown-error', 'ok')
  const client = await herd.connect('Alford')
  await client.ask(REPORT)
  assert.equal((await client.whatsat('kiwi')).body.status, 'OK')
  assert.equal(google.requests.length, 3)
  const status = await herd.status('Alford')
  assert.deepEqual([countOf(status, 'places.calls'), countOf(status, 'places.retries')], [1, 2])
})

test('callsPerSecondPerAddressMax: one address can’t use up the calls of another', async (t) => {
  const { herd, google } = await startAskingHerd(t, { callsPerSecondPerAddressMax: 1 })
  const client = await herd.connect('Alford')
  await client.ask(REPORT)
  // In one piece, so that no second passes between them.
  await client.send('WHATSAT kiwi 1 1\nWHATSAT kiwi 1 5\nWHATSAT kiwi 2 1\n')
  const statuses: string[] = []
  for (let reply = 0; reply < 3; reply++) statuses.push((await client.places()).body.status)
  assert.deepEqual(statuses, ['OK', 'OK', 'OVER_QUERY_LIMIT'])
  const elsewhere = await herd.connect('Alford', { from: '127.0.0.2' })
  assert.equal((await elsewhere.whatsat('kiwi', 2)).body.status, 'OK')
  assert.equal(google.requests.length, 2)
})

test('a WHATSAT says which places, and the herd file says it where a WHATSAT does not', async (t) => {
  const more = { rank: 'prominence', type: 'museum', keyword: 'fowler museum' }
  const { herd, google } = await startAskingHerd(t, {}, {}, more)
  const client = await herd.connect('Alford')
  await client.ask(REPORT)
  const asked = async (operands: string) => {
    await client.send(`WHATSAT kiwi 10 1${operands}\n`)
    assert.equal((await client.places()).body.status, 'OK')
    const { query } = google.requests.at(-1) ?? {}
    return ['type', 'keyword', 'rankby', 'location'].map((name) => query?.get(name) ?? null)
  }
  const [, , , snapped] = await asked('')
  assert.notEqual(snapped, '34.068930,-118.445127')
  assert.deepEqual(await asked(''), ['museum', 'fowler museum', null, snapped])
  assert.deepEqual(await asked(' rank=distance keyword=Caf%C3%A9%20%5B type=cafe'), [
    ...['cafe', 'Café [', 'distance', '34.068930,-118.445127'],
  ])
  assert.equal(google.requests.length, 2)
  assert.equal(await client.ask('WHATSAT kiwi 10 1 type=Cafe'), '? WHATSAT kiwi 10 1 type=Cafe')
})

test('a provider without its key is left out with a warning, where another one remains', async (t) => {
  const places = { providers: ['x', 'embedded'] }
  const herd = await LiveHerd.start(t, { servers: ['Young'], settings: { places } })
  const client = await herd.connect('Young')
  await client.ask(REPORT)
  const { body } = await client.whatsat('kiwi', 10, 1)
  assert.deepEqual([body.status, body.info_messages], ['OK', undefined])
  assert.deepEqual(
    (await herd.status('Young')).places?.providers.map(({ name }) => name),
    ['embedded'],
  )
  const check = new LiveCommand(t, { folder: herd.folder }, ['up', `${herd.folder}/Young.yaml`])
  await check.printed(/warning.* has x, but there is no bearer token: set X_BEARER_TOKEN .* x is left out/)
})
