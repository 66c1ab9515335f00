/** WHATSAT and a provider that may do anything: there is always a reply, and never a key in it. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { CANARY_KEY } from '../support/canary.ts'
import { type Behaviour, googleText } from '../support/google-stand-in.ts'
import type { LineClient, PlacesReply } from '../support/live-client.ts'
import { type CountName, countOf, waitUntil } from '../support/live-herd.ts'
import { startAskingHerd } from '../support/live-places.ts'

const TIME = '1479413884.392014450'
/** What the server says by itself when Google gives it nothing to pass on. */
const FAILURES: readonly { readonly behaviour: Behaviour; readonly status: string; readonly says: RegExp }[] =
  [
    { behaviour: 'hang', status: 'UNKNOWN_ERROR', says: /did not answer within/ },
    { behaviour: 'hang-in-body', status: 'UNKNOWN_ERROR', says: /did not answer within/ },
    { behaviour: 'malformed', status: 'UNKNOWN_ERROR', says: /malformed/ },
    { behaviour: 'truncated', status: 'UNKNOWN_ERROR', says: /connection/ },
    { behaviour: 'huge', status: 'UNKNOWN_ERROR', says: /65536 bytes/ },
    { behaviour: 'reset', status: 'UNKNOWN_ERROR', says: /connection/ },
    { behaviour: { body: '' }, status: 'UNKNOWN_ERROR', says: /malformed/ },
    { behaviour: { body: '[]' }, status: 'UNKNOWN_ERROR', says: /malformed/ },
    { behaviour: { httpStatus: 500 }, status: 'UNKNOWN_ERROR', says: /500/ },
    { behaviour: { httpStatus: 403 }, status: 'REQUEST_DENIED', says: /403/ },
    { behaviour: { httpStatus: 429 }, status: 'OVER_QUERY_LIMIT', says: /429/ },
    { behaviour: { httpStatus: 302, location: 'http://127.0.0.1:9/' }, status: 'UNKNOWN_ERROR', says: /302/ },
  ]
/** What is Google's own answer, and passed on. */
const PASSED_ON: readonly { readonly behaviour: Behaviour; readonly status: string }[] = [
  { behaviour: 'ok', status: 'OK' },
  { behaviour: 'zero-results', status: 'ZERO_RESULTS' },
  { behaviour: 'over-query-limit', status: 'OVER_QUERY_LIMIT' },
  { behaviour: 'request-denied', status: 'REQUEST_DENIED' },
  { behaviour: 'invalid-request', status: 'INVALID_REQUEST' },
  { behaviour: 'unknown-error', status: 'UNKNOWN_ERROR' },
]

/** Asks until the breaker lets the ask through, which it does some milliseconds after a denial. */
async function asked(client: LineClient, radius: number): Promise<PlacesReply> {
  const reply = await client.whatsat('kiwi', radius)
  return /left alone/.test(reply.body.error_message ?? '') ? asked(client, radius) : reply
}

test('whatever the provider does, the AT line and a JSON come, the connection goes on, and the key shows nowhere', async (t) => {
  const { herd, google } = await startAskingHerd(t, {
    ...{ tryMsMax: 400, totalMsMax: 800, bodyBytesMax: 65_536 },
    ...{ breakerFailuresMax: 1000, breakerOpenMs: 10, breakerDeniedMs: 10 },
  })
  const client = await herd.connect('Alford')
  const at = await client.ask(`IAMAT kiwi +34.068930-118.445127 ${TIME}`)
  const replies: string[] = []
  // Another radius is another question, so nothing comes from the cache.
  let radius = 0
  for (const { behaviour, status, says } of FAILURES) {
    google.behave(behaviour)
    const reply = await asked(client, ++radius)
    replies.push(reply.text)
    assert.equal(reply.at, at)
    assert.equal(reply.body.status, status, JSON.stringify(behaviour))
    assert.match(reply.body.error_message ?? '', says)
    assert.deepEqual(reply.body.results, [])
    assert.match(await client.ask(`IAMAT on +1+1 ${TIME}`), /^AT Alford /)
  }
  for (const { behaviour, status } of PASSED_ON) {
    google.behave(behaviour)
    const reply = await asked(client, ++radius)
    replies.push(reply.text)
    assert.equal(reply.at, at)
    assert.equal(reply.body.status, status)
  }
  assert.equal(google.requests.length, radius)
  assert.ok(google.requests.every(({ query }) => query.get('key') === CANARY_KEY))

  const status = await herd.status('Alford')
  const told = PASSED_ON.filter(({ status }) => status !== 'ZERO_RESULTS' && status !== 'OK')
  assert.equal(countOf(status, 'places.calls'), radius)
  assert.equal(countOf(status, 'places.errors'), FAILURES.length + told.length)
  await herd.kill('Alford', 'SIGTERM')
  const log = await herd.logText('Alford')
  assert.match(log, /"event":"places failed"/)
  for (const text of [...replies, JSON.stringify(status), log, herd.output])
    assert.ok(!text.includes(CANARY_KEY))
})

test('nobody listens where Google should be', async (t) => {
  const { herd, google } = await startAskingHerd(t)
  const client = await herd.connect('Alford')
  const at = await client.ask(`IAMAT kiwi +1+1 ${TIME}`)
  await google.close()
  const reply = await client.whatsat('kiwi')
  assert.equal(reply.at, at)
  assert.equal(reply.body.status, 'UNKNOWN_ERROR')
  assert.match(reply.body.error_message ?? '', /connection/)
})

test("Google's own text is passed on, cut to the items, its newline runs squeezed", async (t) => {
  const { herd, google } = await startAskingHerd(t)
  const client = await herd.connect('Alford')
  await client.ask(`IAMAT kiwi +34.068930-118.445127 ${TIME}`)
  const original = googleText('34.068930,-118.445127')
  assert.match(original, /\n\n[\s\S]/)
  const all = JSON.parse(original)
  for (const items of [0, 1, 5, 19, 20]) {
    const { text, body } = await client.whatsat('kiwi', 10, items)
    assert.deepEqual(body, { ...all, results: all.results.slice(0, items) })
    assert.doesNotMatch(text, /\n\n|\n$/)
  }
  assert.equal((await client.whatsat('kiwi', 10, 20)).text, original.replace(/\n+/g, '\n').trimEnd())
  assert.equal(google.requests.length, 1)
})

test('1,000 connections ask one server of three for the places around as many clients: one call', async (t) => {
  const places = { rank: 'prominence' }
  const { herd, google } = await startAskingHerd(t, {}, {}, places, ['Alford', 'Ball', 'Holiday'])
  await herd.linked()
  // Some metres apart, within one cell of 100 m.
  const clients = Array.from({ length: 1_000 }, (_, n) => `client-${n}`)
  const reports = clients.map((name, n) => `IAMAT ${name} +34.0695${n % 10}-118.4451${n % 7} ${TIME}\n`)
  assert.equal((await herd.converse('Ball', reports.join(''))).split('\n').length, 1_001)
  await herd.agree(['Alford', 'Ball'], clients)
  const connections = await Promise.all(clients.map(() => herd.connect('Alford')))
  // To see what a server knows is to ask it for places, too.
  const before = await herd.status('Alford')
  const since = async (name: CountName): Promise<number> =>
    countOf(await herd.status('Alford'), name) - countOf(before, name)
  const requests = google.requests.length
  google.behave('hang')
  await Promise.all(connections.map((connection, n) => connection.send(`WHATSAT client-${n} 10 5\n`)))
  await waitUntil(async () => (await since('places.asks')) === 1_000, 'all have asked')
  await google.seen(requests + 1)
  google.release()
  const replies = await Promise.all(connections.map((connection) => connection.places()))
  for (const [n, { at, body }] of replies.entries()) {
    assert.ok(at.includes(` client-${n} `), at)
    assert.deepEqual([body.status, body.results.length], ['OK', 5])
  }
  assert.equal(google.requests.length, requests + 1)
  assert.deepEqual([await since('places.calls'), await since('places.coalesced')], [1, 999])
})

test('1,000 identical WHATSATs on 50 connections are one call', async (t) => {
  const { herd, google } = await startAskingHerd(t)
  await herd.report('Alford', 'kiwi')
  google.behave({ slowMs: 300 })
  const replies = await Promise.all(
    Array.from({ length: 50 }, () => herd.converse('Alford', 'WHATSAT kiwi 10 5\n'.repeat(20))),
  )
  assert.equal(google.requests.length, 1)
  const [first = ''] = replies
  assert.equal(first.split('"status" : "OK"').length - 1, 20)
  for (const reply of replies) assert.equal(reply, first)
  const status = await herd.status('Alford')
  assert.equal(countOf(status, 'places.asks'), 1000)
  assert.equal(countOf(status, 'places.calls'), 1)
  assert.equal(countOf(status, 'places.hits') + countOf(status, 'places.coalesced'), 999)
})
