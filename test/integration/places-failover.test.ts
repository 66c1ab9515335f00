/** WHATSAT over several providers: the next one answers when one fails, in time; and no key shows anywhere. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GoogleNewStandIn } from '../support/google-new-stand-in.ts'
import type { Behaviour } from '../support/google-stand-in.ts'
import { GoogleStandIn } from '../support/google-stand-in.ts'
import { LiveCommand } from '../support/live-command.ts'
import { countOf, LiveHerd } from '../support/live-herd.ts'
import { startAskingHerd } from '../support/live-places.ts'
import { XStandIn } from '../support/x-stand-in.ts'

const REPORT = 'IAMAT kiwi +34.068930-118.445127 1479413884.392014450'
/** Characters that are spelled otherwise in a URL, in JSON and in HTML. */
const CANARY = `canary/"+=&<~%\\7f3`
/** Whatever is said of it, however it is spelled, has this in it. */
const TRACE = /canary/i
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

test('the keys of all providers show nowhere, whatever these do', async (t) => {
  const google = await GoogleNewStandIn.start({ key: CANARY })
  const legacy = await GoogleStandIn.start({ key: CANARY })
  const x = await XStandIn.start({ token: CANARY })
  const standIns = [google, legacy, x]
  t.after(() => Promise.all(standIns.map((standIn) => standIn.close())))
  const herd = await LiveHerd.start(t, {
    servers: ['Alford'],
    settings: {
      logs: { level: 'traffic' },
      places: {
        providers: ['google', 'google-legacy', 'x'],
        google: { baseUrl: google.url, legacyBaseUrl: legacy.url, callsPerDayMax: 0, callsPerMonthMax: 0 },
        x: { baseUrl: x.url, callsPerDayMax: 0, callsPerMonthMax: 0 },
        limits: {
          ...{ tryMsMax: 300, totalMsMax: 1000, retriesMax: 0, bodyBytesMax: 65_536 },
          ...{ callsPerSecondMax: 0, callsPerSecondPerAddressMax: 0 },
          ...{ breakerFailuresMax: 1000, breakerOpenMs: 10, breakerDeniedMs: 10 },
        },
      },
    },
    env: { GOOGLE_PLACES_API_KEY: CANARY, X_BEARER_TOKEN: CANARY },
  })
  const client = await herd.connect('Alford')
  await client.ask(REPORT)
  const behaviours: readonly Behaviour[] = [
    ...(['request-denied', 'over-query-limit', 'invalid-request', 'unknown-error', 'zero-results'] as const),
    ...(['hang', 'hang-in-body', 'malformed', 'truncated', 'huge', 'reset', 'ok'] as const),
    ...[400, 401, 403, 404, 429, 500, 503].map((httpStatus) => ({ httpStatus })),
    { httpStatus: 302, location: `http://127.0.0.1:9/?key=${encodeURIComponent(CANARY)}` },
    ...spellingsOf(CANARY).map((spelling) => ({ body: JSON.stringify({ error_message: spelling }) })),
    ...spellingsOf(CANARY).map((spelling) => ({ body: `${spelling}{` })),
  ]
  const texts: string[] = []
  let question = 0
  for (const [tested] of standIns.entries()) {
    for (const behaviour of behaviours) {
      for (const [index, standIn] of standIns.entries())
        standIn.behave(index < tested ? 'reset' : index === tested ? behaviour : 'ok')
      texts.push((await client.whatsat('kiwi', ++question / 10, 20)).text)
    }
  }
  // All were asked with it, or there would be nothing to find. A breaker may have kept a few away.
  for (const { requests } of standIns) assert.ok(requests.length > behaviours.length / 2)
  texts.push(JSON.stringify(await herd.status('Alford')))
  await herd.kill('Alford', 'SIGTERM')
  const log = await herd.logText('Alford')
  assert.match(log, /"event":"places failed","level":"warning","provider":"x"/)
  texts.push(log, herd.output)
  for (const text of texts) assert.doesNotMatch(text, TRACE)
  assert.ok(texts.join('').length > 10_000)
})

/** As one finds it in URLs, forms, JSON, HTML, headers. */
function spellingsOf(key: string): string[] {
  const json = JSON.stringify(key).slice(1, -1)
  const html = key.replaceAll('&', '&amp;').replaceAll('"', '&quot;').replaceAll('<', '&lt;')
  const form = new URLSearchParams({ key }).toString()
  return [key, encodeURIComponent(key), form, json, html, `Bearer ${key}`, encodeURI(key)]
}
