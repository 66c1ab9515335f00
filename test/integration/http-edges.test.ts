/** HTTP where it is rarely used: half-closed connections, pipelines, ranges, old versions, and what must not be let through. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { PMTiles } from 'pmtiles'
import { WebSocket } from 'ws'
import type { LineClient } from '../support/live-client.ts'
import { LiveHerd, waitUntil } from '../support/live-herd.ts'
import { onePmtile } from '../support/pmtiles-file.ts'
import { fc, runs } from '../support/properties.ts'

const run = promisify(execFile)
/** Reports wait so long for a neighbor that isn't there. */
const WAITING = { ack: 'peers:1', limits: { ackMsMax: 1500 } }
const CLIENTS = 1000

function start(t: TestContext, settings: Readonly<Record<string, object | string>> = {}): Promise<LiveHerd> {
  return LiveHerd.start(t, { servers: ['Alford'], settings })
}

/** A server whose neighbor is down: its reports are answered late. */
function startAlone(t: TestContext, http: object = {}): Promise<LiveHerd> {
  const links = [['Alford', 'Ball']] as const
  const options = { servers: ['Alford', 'Ball'], started: ['Alford'], links }
  return LiveHerd.start(t, { ...options, settings: { ...WAITING, http } })
}

function urlOf(herd: LiveHerd, path: string): string {
  return `http://127.0.0.1:${herd.port('Alford')}${path}`
}

function get(path: string, ...headers: readonly string[]): string {
  return `GET ${path} HTTP/1.1\r\n${['host: localhost', ...headers].join('\r\n')}\r\n\r\n`
}

function post(client: string): string {
  return postJson({ client, lat: 1, lon: 1 })
}

function postJson(json: object): string {
  const body = JSON.stringify(json)
  const head = ['host: localhost', 'content-type: application/json', `content-length: ${body.length}`]
  return `POST /v1/fixes HTTP/1.1\r\n${head.join('\r\n')}\r\n\r\n${body}`
}

/** What follows the head of the only answer; it is checked to be whole. */
function bodyOf(answer: string, status: number): string {
  const [, said, head = ''] = /^HTTP\/1\.1 (\d+) ([\s\S]*?)\r\n\r\n/.exec(answer) ?? []
  assert.equal(Number(said), status, answer.slice(0, 200))
  const body = answer.slice(answer.indexOf('\r\n\r\n') + 4)
  assert.equal(Number(/^content-length: (\d+)$/im.exec(head)?.[1]), body.length)
  return body
}

test('who ends its side after a request still gets the whole answer, and the connection ends', async (t) => {
  const herd = await start(t)
  const tags = { fill: 'x'.repeat(500) }
  const batch = Array.from({ length: CLIENTS }, (_, index) => ({ client: `c${index}`, lat: 1, lon: 1, tags }))
  assert.equal(JSON.parse(bodyOf(await herd.converse('Alford', postJson(batch)), 200)).length, CLIENTS)
  for (const path of ['/v1/clients?', '/v1/near?lat=1&lon=1&']) {
    const answer = await herd.converse('Alford', get(`${path}limit=${CLIENTS}`))
    assert.equal(JSON.parse(bodyOf(answer, 200)).fixes.length, CLIENTS, path)
  }
  const two = await herd.converse('Alford', get('/livez') + get('/v1/clients/c7'))
  assert.match(two, /^HTTP\/1\.1 200 [\s\S]*ok\nHTTP\/1\.1 200 [\s\S]*"client":"c7"/)
  // Half a request is none.
  assert.match(await herd.converse('Alford', get('/livez').slice(0, -2)), /^HTTP\/1\.1 400 /)
  await waitUntil(async () => (await herd.status('Alford')).connections <= 1, 'all have ended')
})

test('an answer that takes its time comes to who has ended its side, also when the server stops', async (t) => {
  const herd = await startAlone(t)
  assert.match(bodyOf(await herd.converse('Alford', post('a')), 504), /urn:herd:late/)
  const waiting = herd.converse('Alford', post('b'))
  await waitUntil(
    async () => (await herd.table('Alford', ['b']))[0]?.startsWith('AT ') === true,
    'it is taken',
  )
  await herd.kill('Alford', 'SIGTERM')
  assert.match(await waiting, /^HTTP\/1\.1 \d{3} /)
})

test('a stream ends when its reader ends its side, and so does a WebSocket', async (t) => {
  const herd = await start(t)
  const reader = await herd.connect('Alford')
  await reader.send(get('/v1/stream'))
  await reader.line()
  await waitUntil(async () => (await metric(herd, 'herd_watchers')) === 1, 'somebody watches')
  reader.halfClose()
  assert.match(await reader.rest(), /retry: 1000\n\n/)
  await waitUntil(async () => (await metric(herd, 'herd_watchers')) === 0, 'nobody watches')
  // Both at once: the end comes with the request.
  assert.match(await herd.converse('Alford', get('/v1/stream')), /retry: 1000\n\n/)
  const headers = ['connection: upgrade', 'upgrade: websocket', 'sec-websocket-version: 13']
  const opened = get('/v1/socket', ...headers, `sec-websocket-key: ${'A'.repeat(22)}==`)
  assert.match(await herd.converse('Alford', opened), /^HTTP\/1\.1 101 /)
})

test('pendingMax: who sends more requests than it may without waiting is closed', async (t) => {
  const herd = await startAlone(t, { pendingMax: 2 })
  const within = await herd.converse('Alford', post('a') + post('b'))
  assert.equal(within.match(/urn:herd:late/g)?.length, 2)
  const beyond = await herd.connect('Alford')
  await beyond.send(post('a') + post('b') + post('c'))
  assert.equal(await beyond.rest(), '')
  assert.equal(await herd.count('Alford', 'httpRefused'), 1)
})

test('pendingMax: a WebSocket is read no further until something is answered', async (t) => {
  const herd = await startAlone(t, { pendingMax: 2 })
  const socket = new WebSocket(`ws://127.0.0.1:${herd.port('Alford')}/v1/socket`)
  t.after(() => socket.terminate())
  const heard: string[] = []
  socket.on('message', (data: Buffer) => heard.push(JSON.parse(data.toString()).op))
  await once(socket, 'open')
  const reports = ['a', 'b', 'c'].map((client) => ({
    op: 'report',
    id: client,
    report: { client, lat: 1, lon: 1 },
  }))
  for (const report of reports.slice(0, 2)) socket.send(JSON.stringify(report))
  await waitUntil(
    async () => (await herd.table('Alford', ['a', 'b'])).every((line) => line.startsWith('AT ')),
    'two',
  )
  for (const message of [...reports.slice(2), { op: 'ping' }]) socket.send(JSON.stringify(message))
  await waitUntil(() => heard.length === 4, 'all is answered')
  // Nobody was asked for a pong before one of both was answered.
  assert.equal(heard[0], 'problem')
  assert.equal(heard.filter((op) => op === 'pong').length, 1)
})

test('a file of street tiles is served in ranges, and only what has changed is sent again', async (t) => {
  const herd = await start(t, { map: { pmtiles: 'my tiles 100%.pmtiles' } })
  const tile = Buffer.from('not really a picture')
  const file = onePmtile(tile)
  assert.equal((await fetch(urlOf(herd, '/map/tiles.pmtiles'))).status, 404)
  await writeFile(join(herd.folder, 'my tiles 100%.pmtiles'), file)
  const { tiles } = JSON.parse(await (await fetch(urlOf(herd, '/map.json'))).text())
  const url = urlOf(herd, `/${tiles}`)
  const archive = new PMTiles(url)
  assert.equal((await archive.getHeader()).numAddressedTiles, 1)
  const read = await archive.getZxy(0, 0, 0)
  assert.ok(read !== undefined)
  assert.deepEqual(Buffer.from(read.data), tile)

  const part = await fetch(url, { headers: { range: 'bytes=0-6', 'accept-encoding': 'br, gzip' } })
  assert.deepEqual([part.status, await part.text()], [206, 'PMTiles'])
  assert.equal(part.headers.get('content-range'), `bytes 0-6/${file.length}`)
  assert.match(part.headers.get('cache-control') ?? '', /max-age=0/)
  assert.doesNotMatch(part.headers.get('cache-control') ?? '', /immutable/)
  const end = await fetch(url, { headers: { range: 'bytes=-7' } })
  assert.deepEqual([end.status, await end.text()], [206, 'picture'])
  const beyond = await fetch(url, { headers: { range: `bytes=${file.length}-` } })
  assert.deepEqual([beyond.status, beyond.headers.get('content-range')], [416, `bytes */${file.length}`])
  const tag = part.headers.get('etag') ?? ''
  assert.match(await herd.converse('Alford', get(`/${tiles}`, `if-none-match: ${tag}`)), /^HTTP\/1\.1 304 /)
  const changed = await fetch(url, { headers: { range: 'bytes=0-6', 'if-range': '"another"' } })
  assert.deepEqual([changed.status, (await changed.arrayBuffer()).byteLength], [200, file.length])
})

test('HEAD is answered as GET is, without the body, and leaves the connection to the next', async (t) => {
  const herd = await start(t, { map: { pmtiles: 'tiles.pmtiles' } })
  await writeFile(join(herd.folder, 'tiles.pmtiles'), onePmtile(Buffer.from('x')))
  await herd.report('Alford', 'kiwi')
  for (const path of [
    ...['/livez', '/readyz', '/metrics', '/openapi.json', '/', '/map.json', '/map/tiles.pmtiles', '/nowhere'],
    ...[
      '/v1/clients',
      '/v1/clients/kiwi',
      '/v1/clients/nobody',
      '/v1/herd',
      '/v1/near',
      '/v1/stream',
      '/v1/socket',
    ],
  ]) {
    const client = await herd.connect('Alford')
    await client.send(get(path).replace('GET', 'HEAD'))
    const [said = '', ...head] = await lines(client)
    const controller = new AbortController()
    const answer = await fetch(urlOf(herd, path), { signal: controller.signal })
    controller.abort()
    assert.equal(Number(said.split(' ')[1]), answer.status, path)
    const type = head.find((line) => /^content-type:/i.test(line))?.slice('content-type: '.length) ?? null
    assert.equal(type?.trim(), answer.headers.get('content-type') ?? undefined, path)
    await client.send(get('/livez', 'connection: close'))
    const rest = await client.rest()
    // A stream is the last of its connection.
    if (path === '/v1/stream') assert.equal(rest, '')
    else assert.match(rest, /^HTTP\/1\.1 200 OK\r\n[\s\S]*ok\n$/, path)
  }
})

test('HTTP/1.0 is answered, and its connection closed unless it wants to go on', async (t) => {
  const herd = await start(t)
  await herd.report('Alford', 'kiwi')
  const once = await herd.connect('Alford')
  await once.send('GET /v1/clients/kiwi HTTP/1.0\r\n\r\n')
  const answer = await once.rest()
  assert.match(answer, /^HTTP\/1\.1 200 OK\r\n[\s\S]*\r\nconnection: close\r\n[\s\S]*"client":"kiwi"/i)
  assert.doesNotMatch(answer, /transfer-encoding/i)
  const again = await herd.connect('Alford')
  await again.send('GET /livez HTTP/1.0\r\nconnection: keep-alive\r\n\r\n')
  while ((await again.line()) !== 'ok');
  await again.send('GET /livez HTTP/1.0\r\n\r\n')
  assert.match(await again.rest(), /^HTTP\/1\.1 200 OK\r\n[\s\S]*ok\n$/)
  const stream = await herd.connect('Alford')
  await stream.send('GET /v1/stream HTTP/1.0\r\n\r\n')
  while (!(await stream.line()).startsWith('data: {"client":"kiwi"'));
})

test('who asks whether to go on before it sends its body is told to', async (t) => {
  const herd = await start(t)
  const body = JSON.stringify({ client: 'kiwi', lat: 1, lon: 1 })
  const headers = ['expect: 100-continue', 'content-type: application/json'].flatMap((header) => [
    '-H',
    header,
  ])
  const { stdout, stderr } = await run('curl', [
    '-sv',
    '--expect100-timeout',
    '20',
    ...headers,
    '-d',
    body,
    urlOf(herd, '/v1/fixes'),
  ])
  assert.match(stdout, /"outcome":"new"/)
  assert.match(stderr, /< HTTP\/1\.1 100 Continue/)
  assert.match(await herd.converse('Alford', get('/livez', 'expect: a miracle')), /^HTTP\/1\.1 417 /)
})

test('a request that two could read in two ways is refused, and nothing behind it is heard', async (t) => {
  const herd = await start(t)
  const hidden = post('smuggled')
  const chunked = 'transfer-encoding: chunked'
  for (const [head, body] of [
    [['content-length: 5', chunked], '0\r\n\r\n'],
    [[chunked, 'content-length: 5'], '0\r\n\r\n'],
    [['content-length: 0', 'content-length: 5'], ''],
    [['content-length: 5', 'content-length: 5'], 'hello'],
    [['content-length: 0, 5'], ''],
    [['content-length: +5'], 'hello'],
    [['content-length: -1'], ''],
    [['content-length: 0x5'], 'hello'],
    [['content-length : 5'], 'hello'],
    [['transfer-encoding: xchunked'], '0\r\n\r\n'],
    [['transfer-encoding: chunked, identity'], '0\r\n\r\n'],
    [[chunked, chunked], '0\r\n\r\n'],
    [[' content-length: 5'], 'hello'],
    [[chunked], '0x0\r\n\r\n'],
    [[chunked], '5\nhello\r\n0\r\n\r\n'],
    [[chunked], 'fffffffffffffffff\r\n'],
    [['x: a\0b'], ''],
    [['x: a\rcontent-length: 5'], 'hello'],
  ] as const) {
    const type = 'content-type: application/json'
    const request = `POST /v1/fixes HTTP/1.1\r\n${['host: localhost', type, ...head].join('\r\n')}\r\n\r\n${body}`
    const answer = await herd.converse('Alford', request + hidden)
    const what = `${JSON.stringify([head, body])}: ${answer}`
    assert.match(answer, /^HTTP\/1\.1 400 /, what)
    assert.equal(answer.match(/HTTP\/1\.1 /g)?.length, 1, what)
  }
  assert.deepEqual(await herd.table('Alford', ['smuggled']), ['? WHATSAT smuggled 1 0'])
})

test('a target that is no address is refused as any other, for a WebSocket too', async (t) => {
  const herd = await start(t)
  const upgrade = ['connection: upgrade', 'upgrade: websocket', 'sec-websocket-version: 13']
  const key = `sec-websocket-key: ${'A'.repeat(22)}==`
  const refused = /^HTTP\/1\.1 4\d\d [\s\S]*application\/problem\+json/i
  for (const target of ['http://[', '//%zz', '/%', '/v1/clients/%ff', '//:0/v1/socket']) {
    assert.match(await herd.converse('Alford', get(target)), refused, target)
    assert.match(await herd.converse('Alford', get(target, ...upgrade, key)), refused, target)
  }
  // To a browser the first three are the page.
  for (const target of ['//', '///', '?', '*', 'http://a:b/']) {
    assert.match(await herd.converse('Alford', get(target, ...upgrade, key)), refused, target)
  }
  for (const lacking of [upgrade, [...upgrade, key].slice(1), [...upgrade, 'sec-websocket-key: short']]) {
    assert.doesNotMatch(await herd.converse('Alford', get('/v1/socket', ...lacking)), /^HTTP\/1\.1 101/)
  }
  assert.match(await herd.converse('Alford', get('/livez')), /^HTTP\/1\.1 200 /)
})

test('whatever a WebSocket says, what is wrong is named, and it stays open', async (t) => {
  const herd = await start(t)
  const socket = new WebSocket(`ws://127.0.0.1:${herd.port('Alford')}/v1/socket`)
  t.after(() => socket.terminate())
  const heard: {
    readonly op: string
    readonly problem?: { readonly status: number; readonly detail: string }
  }[] = []
  socket.on('message', (data: Buffer) => heard.push(JSON.parse(data.toString())))
  await once(socket, 'open')
  const op = fc.constantFrom(
    'token',
    'report',
    'watch',
    'unwatch',
    'get',
    'near',
    'fly',
    '__proto__',
    'constructor',
  )
  const value = fc.oneof(fc.jsonValue({ maxDepth: 2 }), fc.constantFrom('a', [1, 2, 3, 4], { cursor: '~~' }))
  const names = fc.constantFrom('id', 'report', 'client', 'clients', 'box', 'from', 'lat', 'lon', '__proto__')
  const message = fc.oneof(
    fc.tuple(op, fc.dictionary(names, value)).map(([op, members]) => JSON.stringify({ ...members, op })),
    fc.json(),
    fc.string({ unit: 'binary' }),
    fc.uint8Array(),
  )
  const messages = fc.sample(message, runs(1000).numRuns)
  for (const one of messages) socket.send(one)
  // JSON deeper than anybody's.
  socket.send(`{"op":${'['.repeat(30_000)}${']'.repeat(30_000)}}`)
  socket.send('{"op":"ping"}')
  await waitUntil(() => heard.some(({ op }) => op === 'pong'), 'it is open')
  for (const { problem } of heard) {
    if (problem !== undefined) assert.ok(problem.status < 500 && problem.detail.length > 10, problem.detail)
  }
  assert.doesNotMatch(await herd.logText('Alford'), /mistake|"level":"error"/)
})

test('whatever comes as Last-Event-ID, a stream goes on from it, or it is said to be none', async (t) => {
  const herd = await start(t)
  const part = fc.constantFrom('Alford', '~', ',', '1', '0', 'aaaaaaaa', '%', '%7E', ' ', '-', '.', '{}')
  const ascii = fc.string({
    unit: fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code)),
  })
  const cursor = fc.oneof(
    ascii,
    fc.array(part, { maxLength: 8 }).map((parts) => parts.join('')),
  )
  await fc.assert(
    fc.asyncProperty(cursor, async (id) => {
      const answer = await herd.converse('Alford', get('/v1/stream?from=now', `last-event-id: ${id}`))
      if (answer.startsWith('HTTP/1.1 200 ')) assert.match(answer, /\r\n\r\nretry: 1000\n\n/)
      else assert.match(bodyOf(answer, 400), /no cursor/)
    }),
    runs(200),
  )
})

/** One number of `/metrics`. */
async function metric(herd: LiveHerd, name: string): Promise<number> {
  const text = await (await fetch(urlOf(herd, '/metrics'))).text()
  return Number(new RegExp(`^${name} (\\d+)$`, 'm').exec(text)?.[1])
}

/** The lines of a head. */
async function lines(client: LineClient): Promise<string[]> {
  const head: string[] = []
  for (;;) {
    const line = (await client.line()).trimEnd()
    if (line === '') return head
    head.push(line)
  }
}

test('a body that stays away, or breaks off, is answered as what it is, and its connection ends', async (t) => {
  const herd = await start(t, { http: { requestMsMax: 300, headMsMax: 300 } })
  const head = 'POST /v1/fixes HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\n'
  const late = await herd.connect('Alford')
  await late.send(`${get('/livez')}${head}content-length: 100\r\n\r\n{`)
  assert.match(await late.rest(), /^HTTP\/1\.1 200 [\s\S]*ok\nHTTP\/1\.1 408 [\s\S]*http\.requestMsMax\)"}$/)
  const half = await herd.converse('Alford', `${head}content-length: 100\r\n\r\n{`)
  assert.match(half, /^HTTP\/1\.1 400 [\s\S]*that is no HTTP/)
  const broken = await herd.connect('Alford')
  await broken.send(`${head}transfer-encoding: chunked\r\n\r\nzz\r\n`)
  assert.match(await broken.rest(), /^HTTP\/1\.1 400 [\s\S]*that is no HTTP/)
  // What needed no body was answered before the rest of it was missed: once is enough.
  const answered = await herd.connect('Alford')
  await answered.send(get('/livez', 'content-length: 100'))
  assert.match(await answered.rest(), /^HTTP\/1\.1 200 [^{]*ok\n$/)
  await waitUntil(async () => (await herd.status('Alford')).connections <= 1, 'all have ended')
})
