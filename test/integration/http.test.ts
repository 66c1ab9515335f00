/** The HTTP API, on real servers: every route, streams that go on at another server, and what must be refused. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { type TestContext, test } from 'node:test'
import { EventSource } from 'eventsource'
import { WebSocket } from 'ws'
import type { FixJson, HerdJson, ProblemJson, SocketTellJson } from '../../src/gateways/http/shapes.ts'
import { chainOf } from '../support/live-graphs.ts'
import { LiveHerd, waitUntil } from '../support/live-herd.ts'
import { fc, runs } from '../support/properties.ts'

const PAIR = ['Alford', 'Ball']
const JSON_BODY = { 'content-type': 'application/json' }

/** An answer with its body read. */
interface Answer {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  readonly body: unknown
}

async function ask(herd: LiveHerd, path: string, init: RequestInit = {}, server = 'Alford'): Promise<Answer> {
  const response = await fetch(`${baseOf(herd, server)}${path}`, init)
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.includes('json') === true && text !== ''
  return { status: response.status, headers: response.headers, text, body: isJson ? JSON.parse(text) : null }
}

function post(
  herd: LiveHerd,
  path: string,
  body: unknown,
  headers: Record<string, string> = JSON_BODY,
): Promise<Answer> {
  return ask(herd, path, {
    method: 'POST',
    headers,
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

function baseOf(herd: LiveHerd, server = 'Alford'): string {
  return `http://${herd.host(server)}:${herd.port(server)}`
}

function start(t: TestContext, settings: Readonly<Record<string, object>> = {}): Promise<LiveHerd> {
  return LiveHerd.start(t, { servers: ['Alford'], settings })
}

function assertProblem({ status, headers, body }: Answer, wanted: number, says: RegExp): void {
  assert.equal(status, wanted)
  assert.match(headers.get('content-type') ?? '', /^application\/problem\+json/)
  const problem = body as ProblemJson
  assert.equal(problem.status, wanted)
  assert.match(problem.type, /^urn:herd:[a-z-]+$/)
  assert.match(problem.detail, says)
}

test('reports, one and many, and what is asked of them: as JSON and as GeoJSON', async (t) => {
  const herd = await start(t)
  const one = await post(herd, '/v1/fixes', {
    ...{ client: 'kiwi', position: '+34.068930-118.445127', time: '1479413884.392014450' },
    ...{ speed_mps: 1.5, altitude_m: 90, battery_pct: 55, tags: { bus: '9' } },
  })
  assert.equal(one.status, 200)
  assert.match(
    one.text,
    /"outcome":"new","at":"AT Alford \+\d+\.\d{9} kiwi \+34\.068930-118\.445127 1479413884\.392014450"/,
  )
  const feature = (id: string, lon: number): object => ({
    ...{ type: 'Feature', id, geometry: { type: 'Point', coordinates: [lon, 34.07] } },
    properties: { accuracy_m: 5 },
  })
  const many = await post(herd, '/v1/fixes', {
    type: 'FeatureCollection',
    features: [feature('a', -118.44), feature('b', 500)],
  })
  const [a, b] = many.body as { client: string; outcome?: string; problem?: ProblemJson }[]
  assert.equal(a?.outcome, 'new')
  assert.equal(b?.problem?.status, 400)

  const fix = (await ask(herd, '/v1/clients/kiwi')).body as FixJson
  assert.deepEqual(
    [fix.lat, fix.lon, fix.position, fix.time, fix.time_ns, fix.speed_mps, fix.battery_pct, fix.tags],
    [
      34.06893,
      -118.445127,
      '+34.068930-118.445127',
      '2016-11-17T20:18:04.392014450Z',
      '1479413884392014450',
      1.5,
      55,
      { bus: '9' },
    ],
  )
  const geojson = await ask(herd, '/v1/clients/kiwi', { headers: { accept: 'application/geo+json' } })
  assert.match(geojson.headers.get('content-type') ?? '', /^application\/geo\+json/)
  assert.deepEqual((geojson.body as { geometry: unknown }).geometry, {
    type: 'Point',
    coordinates: [-118.445127, 34.06893, 90],
  })
  // What was read can be reported again, and is the same to the last digit.
  const again = await post(herd, '/v1/fixes', geojson.text, { 'content-type': 'application/geo+json' })
  assert.match(again.text, / kiwi \+34\.068930-118\.445127 1479413884\.392014450"/)

  const ids = ({ body }: Answer): string[] => (body as { fixes: FixJson[] }).fixes.map(({ client }) => client)
  assert.deepEqual(ids(await ask(herd, '/v1/near?lat=34.07&lon=-118.44&radius_m=5000')), ['a', 'kiwi'])
  assert.deepEqual(ids(await ask(herd, '/v1/near?client=kiwi')), ['a'])
  assert.deepEqual(ids(await ask(herd, '/v1/near?client=kiwi&max_age_s=0')), [])
  assert.equal((await ask(herd, '/v1/near?lat=34&lon=-118&limit=1')).text.endsWith('"more":true}'), true)
  assert.deepEqual(ids(await ask(herd, '/v1/within?box=-119,34,-118,35')), ['a', 'kiwi'])
  const ring = [
    [-118.442, 34],
    [-118, 34],
    [-118, 35],
    [-118.442, 35],
    [-118.442, 34],
  ]
  assert.deepEqual(ids(await post(herd, '/v1/within', { type: 'Polygon', coordinates: [ring] })), ['a'])
  const page = (await ask(herd, '/v1/clients?limit=1')).body as { fixes: FixJson[]; next: string }
  assert.equal(page.fixes.length, 1)
  assert.deepEqual(ids(await ask(herd, `/v1/clients?after=${page.next}`)), ['a'])
  const places = await ask(herd, '/v1/clients/kiwi/places?radius_km=10&items=2')
  const client = await herd.connect('Alford')
  assert.equal(places.text, (await client.whatsat('kiwi', 10, 2)).text)
})

test('a client that has not moved is told by its tag', async (t) => {
  const herd = await start(t)
  await herd.report('Alford', 'kiwi')
  const first = await ask(herd, '/v1/clients/kiwi')
  const tag = first.headers.get('etag') ?? ''
  const second = await ask(herd, '/v1/clients/kiwi', { headers: { 'if-none-match': `"x", ${tag}` } })
  assert.deepEqual([second.status, second.text], [304, ''])
  await herd.report('Alford', 'kiwi', '+1+1')
  assert.equal((await ask(herd, '/v1/clients/kiwi', { headers: { 'if-none-match': tag } })).status, 200)
})

test('what is wrong is said as a problem', async (t) => {
  const herd = await start(t, { http: { bodyBytesMax: 2048 } })
  assertProblem(await ask(herd, '/v1/clients/nobody'), 404, /"nobody"/)
  assertProblem(await ask(herd, '/nowhere'), 404, /\/docs/)
  assertProblem(await ask(herd, '/v1/near'), 400, /lat and lon, or client/)
  assertProblem(await ask(herd, '/v1/near?lat=91&lon=0'), 400, /lat of the query/)
  assertProblem(await ask(herd, '/v1/near?lat=&lon=0'), 400, /lat of the query/)
  assertProblem(await ask(herd, '/v1/near?lat=1&lon=0&radius=5'), 400, /"radius"/)
  assertProblem(await ask(herd, '/v1/within?box=1,2,3'), 400, /west,south,east,north/)
  assertProblem(await ask(herd, '/v1/clients?after=x'), 400, /after/)
  assertProblem(await ask(herd, '/v1/stream?last_event_id=hello'), 400, /no cursor/)
  assertProblem(await ask(herd, '/v1/socket'), 426, /WebSockets/)
  assertProblem(await post(herd, '/v1/fixes', '{'), 400, /no JSON/)
  assertProblem(await post(herd, '/v1/fixes', ''), 400, /no JSON/)
  assertProblem(await post(herd, '/v1/fixes', { client: 'a b', lat: 1, lon: 1 }), 400, /white space/)
  assertProblem(await post(herd, '/v1/fixes', { client: 'a', lat: null, lon: 1 }), 400, /lat of the report/)
  assertProblem(await post(herd, '/v1/fixes', { client: 'a', lat: '1', lon: 1 }), 400, /lat of the report/)
  assertProblem(await post(herd, '/v1/fixes', { client: 'a', lat: 1, lon: 1, time: 'noon' }), 400, /RFC 3339/)
  assertProblem(
    await post(herd, '/v1/fixes', 'x', { 'content-type': 'text/plain' }),
    415,
    /application\/json/,
  )
  assertProblem(await post(herd, '/v1/fixes', JSON.stringify('x'.repeat(4096))), 413, /http\.bodyBytesMax/)
  assertProblem(await post(herd, '/v1/within', { type: 'Polygon', coordinates: [[[0, 0]]] }), 400, /closed/)
  const many = Array.from({ length: 1001 }, () => 0)
  assertProblem(await post(herd, '/v1/fixes', many), 400, /1001 reports came/)
  // Over the port by hand.
  assert.match(
    await herd.converse('Alford', 'GET / HTTP/1.1\r\nhost: a b\r\nbad header\r\n\r\n'),
    /^HTTP\/1\.1 400 [\s\S]*problem\+json/,
  )
  assert.match(
    await herd.converse('Alford', 'GET /livez HTTP/1.1\r\n\r\n'),
    /^HTTP\/1\.1 400 [\s\S]*says in Host/,
  )
  assert.match(
    await herd.converse('Alford', `GET / HTTP/1.1\r\nx: ${'x'.repeat(20_000)}\r\n\r\n`),
    /^HTTP\/1\.1 431 /,
  )
})

test('a page of another origin can neither report nor read, unless it is allowed to', async (t) => {
  const herd = await start(t, { http: { allowedOrigins: ['https://map.example.org'] } })
  const report = { client: 'victim', lat: 1, lon: 1 }
  for (const headers of [
    { origin: 'https://evil.example' },
    { origin: 'null' },
    { 'sec-fetch-site': 'cross-site' },
  ]) {
    for (const path of ['/v1/clients', '/v1/stream', '/metrics', '/?id=victim&lat=1&lon=1']) {
      assertProblem(await ask(herd, path, { headers }), 403, /allowedOrigins/)
    }
    assertProblem(await post(herd, '/v1/fixes', report, { ...JSON_BODY, ...headers }), 403, /allowedOrigins/)
    const preflight = { ...headers, 'access-control-request-method': 'POST' }
    assert.equal(
      (await ask(herd, '/v1/fixes', { method: 'OPTIONS', headers: preflight })).headers.get(
        'access-control-allow-origin',
      ),
      null,
    )
  }
  const refused = new WebSocket(`ws://127.0.0.1:${herd.port('Alford')}/v1/socket`, {
    origin: 'https://evil.example',
  })
  const [error] = (await once(refused, 'error')) as [Error]
  assert.match(error.message, /403/)
  assert.deepEqual(await herd.table('Alford', ['victim']), ['? WHATSAT victim 1 0'])
  const origin = { origin: 'https://map.example.org' }
  const allowed = await ask(herd, '/v1/clients', { headers: origin })
  assert.equal(allowed.headers.get('access-control-allow-origin'), origin.origin)
  const asked = await ask(herd, '/v1/fixes', {
    method: 'OPTIONS',
    headers: {
      ...origin,
      'access-control-request-method': 'POST',
      'access-control-request-private-network': 'true',
    },
  })
  assert.equal(asked.status, 204)
  assert.match(asked.headers.get('access-control-allow-headers') ?? '', /authorization/)
  // A name of theirs that points here is no name of ours.
  for (const host of ['evil.example', 'evil.example:80', 'localhost.evil.example']) {
    assert.match(
      await herd.converse('Alford', `GET /v1/clients HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`),
      /^HTTP\/1\.1 421 [\s\S]*http\.allowedHosts/,
    )
  }
  for (const host of ['localhost:1', '[::1]', '10.1.2.3:80', 'map.example.org']) {
    assert.match(
      await herd.converse('Alford', `GET /livez HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`),
      /^HTTP\/1\.1 200 /,
    )
  }
})

test('a stream goes on at another server when its own is killed, and nobody is told twice or left out', async (t) => {
  const herd = await LiveHerd.start(t, { servers: PAIR, links: chainOf(PAIR) })
  await herd.linked()
  await herd.report('Alford', 'before')
  const first = new EventSource(`${baseOf(herd)}/v1/stream`)
  t.after(() => first.close())
  const told: string[] = []
  let cursor = ''
  const listen = (source: EventSource): void => {
    source.addEventListener('fix', (event: MessageEvent) => {
      const fix = JSON.parse(String(event.data)) as FixJson
      told.push(fix.client)
      cursor = event.lastEventId
    })
  }
  listen(first)
  await waitUntil(() => told.includes('before'), 'what is known is told')
  await herd.report('Ball', 'elsewhere')
  await waitUntil(() => told.includes('elsewhere'), 'what other servers hear is told')
  // A cursor comes behind what it covers: with the event after it.
  await waitUntil(async () => {
    await herd.report('Alford', 'mover')
    return cursor.includes('Alford~') && cursor.includes('Ball~')
  }, 'a cursor covers both servers')
  await herd.agree(PAIR, ['before', 'elsewhere', 'mover'])
  first.close()
  await herd.kill('Alford')
  await herd.report('Ball', 'meanwhile')
  told.length = 0
  const second = new EventSource(
    `${baseOf(herd, 'Ball')}/v1/stream?last_event_id=${encodeURIComponent(cursor)}`,
  )
  t.after(() => second.close())
  listen(second)
  await waitUntil(() => told.includes('meanwhile'), 'it goes on')
  assert.ok(!told.includes('before') && !told.includes('elsewhere'), told.join(' '))
})

test('a WebSocket reports, asks and watches, and hears when somebody leaves an area', async (t) => {
  const herd = await start(t, { http: { watchesPerSocketMax: 2, messageBytesMax: 4096 } })
  const socket = new WebSocket(`ws://127.0.0.1:${herd.port('Alford')}/v1/socket`)
  t.after(() => socket.terminate())
  const heard: SocketTellJson[] = []
  socket.on('message', (data: Buffer) => heard.push(JSON.parse(data.toString()) as SocketTellJson))
  await once(socket, 'open')
  const say = (message: object | string): void =>
    socket.send(typeof message === 'string' ? message : JSON.stringify(message))
  const hears = async (what: string): Promise<void> =>
    waitUntil(
      () => heard.some((message) => JSON.stringify(message).includes(what)),
      () => `${what}; heard ${JSON.stringify(heard)}`,
    )
  say({ op: 'watch', id: 'here', circle: { lat: 10, lon: 10, radius_m: 1000 } })
  say({ op: 'report', id: 'r1', report: { client: 'kiwi', lat: 10, lon: 10 } })
  await hears('"op":"reported","id":"r1","client":"kiwi","outcome":"new"')
  await hears('"op":"fix","id":"here"')
  say({ op: 'report', report: { client: 'kiwi', lat: 20, lon: 10 } })
  await hears('"op":"exit","id":"here"')
  say({ op: 'get', id: 'g', client: 'kiwi' })
  await hears('"op":"fix","id":"g"')
  say({ op: 'near', id: 'n', lat: 20, lon: 10, radius_m: 10 })
  await hears('"op":"fixes","id":"n","fixes":[{"client":"kiwi"')
  say({ op: 'watch', id: 'all' })
  say({ op: 'watch', id: 'third' })
  await hears('(http.watchesPerSocketMax)')
  say({ op: 'unwatch', id: 'all' })
  say({ op: 'unwatch', id: 'all' })
  await hears('\\"all\\" is not watched')
  for (const wrong of ['{', '[]', '{"op":"fly"}', '{"op":"report","id":"w","report":{"client":"a"}}'])
    say(wrong)
  await hears('"op":"problem","id":"w"')
  say({ op: 'ping' })
  await hears('"op":"pong"')
  assert.equal(await herd.count('Alford', 'watchersRefused'), 1)
  say('x'.repeat(5000))
  const [code] = (await once(socket, 'close')) as [number]
  assert.equal(code, 1009)
})

test('a reader that takes nothing of a stream is dropped; who doesn’t pong is, too', async (t) => {
  const herd = await start(t, { limits: { slowReaderMsMax: 300 }, http: { heartbeatMs: 100 } })
  const reader = await herd.connect('Alford')
  await reader.send('GET /v1/stream HTTP/1.1\r\nhost: localhost\r\n\r\n')
  await reader.line()
  reader.socket.pause()
  const tags = { fill: 'x'.repeat(1500) }
  await waitUntil(async () => {
    const batch = Array.from({ length: 300 }, (_, index) => ({ client: `c${index}`, lat: 1, lon: 1, tags }))
    await post(herd, '/v1/fixes', batch)
    return (await herd.count('Alford', 'slowReadersDropped')) === 1
  }, 'the slow reader is dropped')
  const mute = new WebSocket(`ws://127.0.0.1:${herd.port('Alford')}/v1/socket`, { autoPong: false })
  mute.on('error', () => {})
  const [code] = (await once(mute, 'close')) as [number]
  assert.equal(code, 1006)
})

test('health, metrics, the herd, and what documents it all', async (t) => {
  const herd = await LiveHerd.start(t, { servers: PAIR, links: chainOf(PAIR), started: ['Alford'] })
  assert.equal((await ask(herd, '/livez')).text, 'ok\n')
  assertProblem(await ask(herd, '/readyz?foo'), 400, /"foo"/)
  const alone = await ask(herd, '/readyz?verbose')
  assert.deepEqual([alone.status, alone.text], [503, '[-] herd: alone\nnot ok: alone\n'])
  await herd.startServer('Ball')
  await waitUntil(async () => (await ask(herd, '/readyz')).status === 200, 'it is ready')
  assert.match((await ask(herd, '/healthz?verbose')).text, /\[\+\] journal: ok/)
  await herd.report('Alford', 'secret-client')
  const metrics = (await ask(herd, '/metrics')).text
  for (const line of [
    /^herd_clients 1$/m,
    /^herd_fixes_new_total 1$/m,
    /^herd_link_open\{neighbor="Ball"\} 1$/m,
  ])
    assert.match(metrics, line)
  assert.match(metrics, /^herd_http_request_seconds_count\{method="GET",route="\/readyz",status="200"\} /m)
  assert.ok(!metrics.includes('secret-client'))
  const names = metrics
    .split('\n')
    .filter((line) => line.startsWith('# TYPE'))
    .map((line) => line.split(' ')[2])
  assert.equal(new Set(names).size, names.length)
  const view = (await ask(herd, '/v1/herd')).body as HerdJson
  assert.deepEqual(
    view.servers.map(({ name, reachable, links }) => [name, reachable, links]),
    [
      ['Alford', true, ['Ball']],
      ['Ball', true, ['Alford']],
    ],
  )
  const openapi = (await ask(herd, '/openapi.json')).body as { openapi: string; paths: object }
  assert.equal(openapi.openapi, '3.1.0')
  for (const path of [
    '/v1/fixes',
    '/v1/clients/{client}',
    '/v1/near',
    '/v1/within',
    '/v1/stream',
    '/v1/socket',
    '/v1/herd',
    '/metrics',
  ]) {
    assert.ok(path in openapi.paths, path)
  }
  const docs = await ask(herd, '/docs')
  assert.doesNotMatch(docs.headers.get('content-security-policy') ?? '', /upgrade-insecure|https?:|validator/)
  for (const [, url = ''] of docs.text.matchAll(/(?:src|href)="([^"#]+)"/g)) assert.match(url, /^\//)
})

test('what is asked while a server stops is answered, and its streams end', async (t) => {
  const herd = await start(t)
  const stream = await fetch(`${baseOf(herd)}/v1/stream`)
  const socket = new WebSocket(`ws://127.0.0.1:${herd.port('Alford')}/v1/socket`)
  await once(socket, 'open')
  const closed = once(socket, 'close') as Promise<[number]>
  const [, text, [code]] = await Promise.all([herd.kill('Alford', 'SIGTERM'), stream.text(), closed])
  assert.match(text, /^retry: 1000\n\n/)
  assert.equal(code, 1001)
})

test('no token is written to the log, and requests are', async (t) => {
  const herd = await start(t, { logs: { level: 'traffic' } })
  await ask(herd, '/v1/near?lat=1&lon=1&limit=\u0007')
  await ask(herd, '/v1/stream?from=x&%74oken=canary-token')
  await ask(herd, '/nowhere', { headers: { authorization: 'Bearer canary-token' } })
  await herd.kill('Alford', 'SIGTERM')
  const log = await herd.logText('Alford')
  assert.match(log, /"event":"http".*"path":"\/nowhere","status":404/)
  assert.ok(!log.includes('canary-token'))
  assert.match(log, /^[\n\x20-\x7e]*$/)
})

test('whatever is asked and sent, it is answered, and never with a mistake of ours', async (t) => {
  const herd = await start(t)
  await herd.report('Alford', 'kiwi')
  const paths = [
    '/v1/fixes',
    '/v1/clients',
    '/v1/clients/kiwi',
    '/v1/near',
    '/v1/within',
    '/v1/clients/kiwi/places',
    '/readyz',
    '/v1/herd',
    '/osmand',
    '/pub',
  ]
  const name = fc.constantFrom(
    'lat',
    'lon',
    'client',
    'radius_m',
    'limit',
    'after',
    'max_age_s',
    'box',
    'format',
    'items',
    'radius_km',
    'type',
    'keyword',
    'rank',
    '__proto__',
    'constructor',
    '',
  )
  const value = fc.oneof(
    fc.constantFrom('0', '1', '-1', '1e9', '9'.repeat(20), '1,2,3,4', 'kiwi', 'geojson', 'NaN', '%', '%00'),
    fc.string({ maxLength: 20, unit: 'binary' }).map(encodeURIComponentSafely),
  )
  const query = fc
    .array(fc.tuple(name, value), { maxLength: 5 })
    .map((pairs) => pairs.map((pair) => pair.join('=')).join('&'))
  const body = fc.oneof(
    fc.json({ maxDepth: 3 }),
    fc.string({ maxLength: 50 }),
    fc
      .record(
        {
          client: fc.string({ unit: 'binary' }),
          lat: fc.double(),
          lon: fc.double(),
          time: fc.oneof(fc.string(), fc.double(), fc.date().map(String)),
        },
        { requiredKeys: [] },
      )
      .map((json) => JSON.stringify(json)),
  )
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...paths), query, fc.option(body), async (path, text, sent) => {
      const init = sent === null ? {} : { method: 'POST', headers: JSON_BODY, body: sent }
      const answer = await ask(herd, `${path}?${text}`, init)
      assert.ok(answer.status < 500, `${answer.status}: ${answer.text}`)
      if (answer.status >= 400 && path.startsWith('/v1'))
        assert.match(answer.headers.get('content-type') ?? '', /problem\+json/)
    }),
    runs(300),
  )
})

/** Half of a pair of surrogates can't be encoded. */
function encodeURIComponentSafely(text: string): string {
  return encodeURIComponent(text.toWellFormed())
}
