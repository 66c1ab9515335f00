/** What phones send, byte for byte, to one server, and what another one then knows of them. */
import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { hashOf } from '../../src/gateways/access/tokens.ts'
import type { FixJson } from '../../src/gateways/http/shapes.ts'
import { converse } from '../support/live-client.ts'
import { LiveHerd, waitUntil } from '../support/live-herd.ts'

const FOLDER = new URL('../fixtures/phones/', import.meta.url)
const TWO = { servers: ['Alford', 'Ball'], links: [['Alford', 'Ball']] } as const
const NOW_S = Math.floor(Date.now() / 1000)

interface Answer {
  readonly status: number
  readonly head: string
  readonly body: string
}

/** Sends bytes to Alford as a phone does, which keeps the connection; returns the answer. */
async function replay(herd: LiveHerd, request: Buffer): Promise<Answer> {
  const client = await herd.connect('Alford')
  await client.send(request)
  const lines: string[] = []
  do lines.push(await client.line())
  while (lines.at(-1) !== '\r')
  const head = lines.join('\n')
  const length = Number(/^content-length: (\d+)/im.exec(head)?.[1])
  await waitUntil(() => client.waitingBytes >= length, `${length} bytes of a body come`)
  client.halfClose()
  const body = Buffer.from(await client.rest(), 'latin1').toString()
  return { status: Number(/^HTTP\/1\.1 (\d+)/.exec(head)?.[1]), head, body }
}

async function replayFile(herd: LiveHerd, name: string): Promise<Answer> {
  return replay(herd, await readFile(new URL(`${name}.http`, FOLDER)))
}

/** Posts a location of jane's phone to Alford. */
function post(herd: LiveHerd, fields: object, query = ''): Promise<Response> {
  return fetch(`http://127.0.0.1:${herd.port('Alford')}/pub${query}`, {
    method: 'POST',
    headers: { 'x-limit-u': 'jane', 'x-limit-d': 'phone' },
    body: JSON.stringify({ _type: 'location', tid: 'JP', ...fields }),
  })
}

/** What Ball says of a client over HTTP, once it knows it. */
async function fixAtBall(herd: LiveHerd, client: string): Promise<FixJson> {
  await herd.agree(['Alford', 'Ball'], [client])
  const url = `http://127.0.0.1:${herd.port('Ball')}/v1/clients/${encodeURIComponent(client)}`
  return (await (await fetch(url)).json()) as FixJson
}

async function startTwo(t: TestContext, settings: Readonly<Record<string, object>> = {}): Promise<LiveHerd> {
  // Recorded requests call the server by the name that it had.
  const herd = await LiveHerd.start(t, { ...TWO, settings: { http: { allowedHosts: ['*'] }, ...settings } })
  await herd.linked()
  return herd
}

const LOCATIONS = [
  {
    file: 'owntracks-ios',
    client: 'jane/1EECC57A-21BB-4178-8B07-8FFAD85E4950',
    at: '+34.06893-118.44512700000001 1771914405.000000000',
    fix: { altitude_m: 48, accuracy_m: 10, battery_pct: 64 },
    tags: { p: '99.676', inregions: '["Home"]', SSID: 'my net', conn: 'w', tid: 'JP', m: '1', vac: '30' },
  },
  {
    file: 'owntracks-ios-9',
    client: 'jane/A1B2C3',
    at: '+34.1-118.4 1517405128.000000000',
    fix: { altitude_m: 8, accuracy_m: 65, battery_pct: 42 },
    tags: { tid: '6p', t: 'u', vac: '10' },
  },
  {
    file: 'owntracks-android',
    client: 'jane/pixel',
    at: '+34.0695031-118.4452 1762340000.000000000',
    fix: { altitude_m: 154, accuracy_m: 13, speed_mps: 10, heading_deg: 271, battery_pct: 87 },
    tags: { _id: '9f2d6f3c', bs: '2', source: 'fused', created_at: '1762340005', inrids: '["abc"]' },
  },
  {
    file: 'traccar-client-android-3',
    client: '163858',
    at: '+53.78965665-1.58033182 1480141213.000000000',
    fix: { altitude_m: 105, speed_mps: 0, heading_deg: 0, battery_pct: 6 },
    tags: undefined,
  },
  {
    file: 'traccar-client-android-7',
    client: '82879256',
    at: '+34.0555277-118.2455733 1762340000.000000000',
    fix: {
      accuracy_m: 22.975_999,
      speed_mps: 5.144_444_444_444_445,
      heading_deg: 26.213_94,
      battery_pct: 93,
    },
    tags: { charge: 'true' },
  },
  {
    file: 'traccar-client-9',
    client: '981866116',
    at: '-20.4178477-40.3370157 1749956578.577000000',
    fix: { altitude_m: 2.4, accuracy_m: 100, battery_pct: 69 },
    tags: { is_moving: 'false', odometer: '0', charge: 'false', activity: 'still', heartbeat: 'true' },
  },
  {
    file: 'traccar-client-10',
    client: '71881261',
    at: '+34.0522-118.2437 1788163200.000000000',
    fix: { altitude_m: 89, accuracy_m: 5, speed_mps: 0.998_022_222_222_222_3, battery_pct: 80 },
    tags: undefined,
  },
] as const

test('a phone that reports to one server is where it said on another, by lines and by HTTP', async (t) => {
  const herd = await startTwo(t)
  for (const { file, client, at, fix, tags } of LOCATIONS) {
    const answer = await replayFile(herd, file)
    assert.equal(answer.status, 200, `${file}: ${answer.head} ${answer.body}`)
    const known = await fixAtBall(herd, client)
    const [line] = await herd.table('Ball', [client])
    assert.equal(line?.split(' ').slice(3).join(' '), `${client} ${at}`, file)
    for (const [name, value] of Object.entries(fix))
      assert.equal(known[name as keyof FixJson], value, `${file} ${name}`)
    if (tags === undefined) assert.equal(known.tags, undefined, file)
    for (const [name, value] of Object.entries(tags ?? {}))
      assert.equal(known.tags?.[name], value, `${file} ${name}`)
    assert.equal(known.server, 'Alford')
  }
  const { speed_mps, heading_deg } = await fixAtBall(herd, '981866116')
  assert.deepEqual([speed_mps, heading_deg], [undefined, undefined])
  // Passwords and tokens are in no log, whatever is logged.
  assert.doesNotMatch(await herd.logText('Alford'), /s3cret|amFuZTpzM2NyZXQ/)
})

test('what is no report is taken: transitions, states, and nothing at all', async (t) => {
  const herd = await startTwo(t)
  const files = ['owntracks-android-transition', 'owntracks-android-status', 'owntracks-ios-friend-deleted']
  for (const file of files) {
    const answer = await replayFile(herd, file)
    assert.deepEqual([answer.status, answer.body], [200, '[]'], file)
    assert.match(answer.head, /content-type: application\/json/i)
  }
  const unknown = await post(herd, { _type: 'of-tomorrow' })
  assert.deepEqual([unknown.status, await unknown.json()], [200, []])
  assert.match((await herd.table('Alford', ['jane/pixel'])).join(), /^\? /)
})

test('the answer has the friends, nearest first, each with its card, and no more than asked for', async (t) => {
  const herd = await startTwo(t)
  await herd.report('Ball', 'kiwi', '+34.2-118.4')
  await herd.report('Ball', 'far', '+60+10')
  await replayFile(herd, 'owntracks-android')
  await herd.agree(['Alford', 'Ball'], ['kiwi', 'far', 'jane/pixel'])
  const friendsOf = async (query: string): Promise<readonly Record<string, unknown>[]> =>
    (await (await post(herd, { lat: 34.19, lon: -118.4, tst: NOW_S }, query)).json()) as Record<
      string,
      unknown
    >[]
  const friends = await friendsOf('')
  assert.deepEqual(
    friends.map(({ _type, tid, name, topic }) => [_type, tid, name ?? topic]),
    [
      ['location', 'JP', 'owntracks/jane/phone'],
      ['card', 'JP', 'jane/phone'],
      ['location', 'kiwi', 'owntracks/kiwi'],
      ['card', 'kiwi', 'kiwi'],
      ['location', 'px', 'owntracks/jane/pixel'],
      ['card', 'px', 'jane/pixel'],
      ['location', 'far', 'owntracks/far'],
      ['card', 'far', 'far'],
    ],
  )
  const { lat, lon, tst, acc, vel, batt } = friends[4] ?? {}
  assert.deepEqual([lat, lon, tst, acc, vel, batt], [34.069_503_1, -118.4452, 1_762_340_000, 13, 36, 87])
  assert.equal((await friendsOf('?friends=2')).length, 4)
  assert.deepEqual(await friendsOf('?friends=0'), [])
})

test('FRIENDS_MAX: 100 friends, however many are near or asked for', async (t) => {
  const herd = await startTwo(t)
  const lines = Array.from({ length: 150 }, (_, index) => `IAMAT near${index} +34.19-118.4 ${NOW_S}\n`)
  await herd.converse('Alford', lines.join(''))
  const answer = await post(herd, { lat: 34.19, lon: -118.4, tst: NOW_S }, '?friends=1000')
  assert.equal(((await answer.json()) as unknown[]).length, 200)
})

test('buffered points, duplicates and points of the future follow the order of fixes', async (t) => {
  const herd = await startTwo(t)
  const place = async (): Promise<number> => (await fixAtBall(herd, 'jane/phone')).lat
  assert.equal((await post(herd, { lat: 10, lon: 1, tst: NOW_S - 10 })).status, 200)
  for (let back = 100; back > 10; back -= 10) {
    assert.equal((await post(herd, { lat: 20, lon: 1, tst: NOW_S - back })).status, 200)
  }
  assert.equal(await place(), 10)
  // An answer was lost on its way: the phone says the same once more.
  const { time, position, tags } = await fixAtBall(herd, 'jane/phone')
  assert.equal((await post(herd, { lat: 10, lon: 1, tst: NOW_S - 10 })).status, 200)
  const again = await fixAtBall(herd, 'jane/phone')
  assert.deepEqual([again.time, again.position, again.tags], [time, position, tags])
  // A year ahead counts as a minute after it came: what comes a minute later is newer.
  assert.equal((await post(herd, { lat: 30, lon: 1, tst: NOW_S + 31_536_000 })).status, 200)
  assert.equal(await place(), 30)
  assert.equal((await post(herd, { lat: 40, lon: 1, tst: NOW_S - 5 })).status, 200)
  assert.equal(await place(), 30)
  assert.equal((await post(herd, { lat: 50, lon: 1, tst: NOW_S + 31_536_001 })).status, 200)
  assert.equal(await place(), 50)
  const { age_s } = await fixAtBall(herd, 'jane/phone')
  assert.ok(age_s < 0 && age_s >= -60, String(age_s))
})

test('what settings or time can mend is no 2xx; one message that makes no sense is left out', async (t) => {
  const herd = await startTwo(t, { limits: { fixesPerSecondPerAddressMax: 2 } })
  const broken = await post(herd, { lat: 91, lon: 1, tst: NOW_S })
  assert.deepEqual([broken.status, await broken.text()], [200, '[]'])
  assert.match(broken.headers.get('herd-left-out') ?? '', /no place/)
  assert.equal((await post(herd, { lat: 1, lon: 1, tst: 1e13 })).headers.has('herd-left-out'), true)
  await herd.logged('Alford', 'an OwnTracks message is left out')
  assert.equal(await herd.count('Alford', 'owntracksLeftOut'), 2)
  const encrypted = await post(herd, { _type: 'encrypted', data: 'AAAA' })
  assert.equal(encrypted.status, 422)
  assert.match(await encrypted.text(), /encryption key/)
  const alford = `http://127.0.0.1:${herd.port('Alford')}`
  const nameless = await fetch(`${alford}/pub`, {
    method: 'POST',
    body: '{"_type":"location","lat":1,"lon":1}',
  })
  assert.equal(nameless.status, 400)
  assert.match(await nameless.text(), /doesn't say its user/)
  assert.equal((await fetch(`${alford}/pub`, { method: 'POST', body: 'hello' })).status, 400)
  const statuses = new Set<number>()
  for (let sent = 0; sent < 20; sent++)
    statuses.add((await post(herd, { lat: 1, lon: 1, tst: NOW_S })).status)
  assert.deepEqual(statuses, new Set([200, 429]))
})

test('a list with more than a second’s worth of reports is taken, and its newest is known', async (t) => {
  const herd = await startTwo(t, { limits: { fixesPerSecondPerAddressMax: 5 } })
  const location = Array.from({ length: 30 }, (_, index) => {
    return { timestamp: NOW_S - 30 + index, coords: { latitude: index, longitude: 1 } }
  })
  const body = JSON.stringify({ device_id: 'bus', location })
  const answer = await fetch(`http://127.0.0.1:${herd.port('Alford')}/`, { method: 'POST', body })
  assert.equal(answer.status, 200)
  assert.equal((await fixAtBall(herd, 'bus')).lat, 29)
})

test('a further port is as good as the first, and who has it already is named', async (t) => {
  const herd = await LiveHerd.start(t, { ...TWO, alsoPorts: ['Alford'] })
  await herd.linked()
  const also = herd.alsoPort('Alford')
  assert.equal((await fetch(`http://127.0.0.1:${also}/?id=bus&lat=1&lon=2`)).status, 200)
  assert.match(await converse(t, { port: also }, 'IAMAT kiwi +1+2 3\n'), /^AT Alford \S+ kiwi \+1\+2 3\n$/)
  await herd.agree(['Alford', 'Ball'], ['bus', 'kiwi'])
  await herd.kill('Alford')
  const squatter = createServer().listen(also, '127.0.0.1')
  t.after(() => squatter.close())
  await once(squatter, 'listening')
  const inUse = `127\\.0\\.0\\.1:${also} is in use already; .* servers\\.Alford\\.alsoPorts in `
  await assert.rejects(herd.startServer('Alford'), new RegExp(inUse))
  // And it is gone: its first port is free again.
  const free = createServer().listen(herd.port('Alford'), '127.0.0.1')
  t.after(() => free.close())
  await once(free, 'listening')
})

test('tokens: the password of OwnTracks, the field of Traccar Client; each phone reports and reads what it may', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'herd-tokens-'))
  t.after(() => rm(folder, { recursive: true }))
  const tokensFile = join(folder, 'tokens.yaml')
  const entry = (name: string, report: readonly string[], read: readonly string[]): object => {
    return { name, sha256: hashOf(`herd_${name}`), report, read }
  }
  const tokens = [entry('jane', ['jane/*'], ['jane/*', 'ben/*']), entry('ben', ['ben/*', 'bus'], ['*'])]
  await writeFile(tokensFile, JSON.stringify({ tokens }))
  const herd = await LiveHerd.start(t, { ...TWO, settings: { clients: { tokensFile } } })
  await herd.linked()
  const alford = `http://127.0.0.1:${herd.port('Alford')}`
  const postAs = (client: string, password: string | null, lat: number): Promise<Response> => {
    const authorization = `Basic ${Buffer.from(`whoever:${password}`).toString('base64')}`
    return fetch(`${alford}/owntracks/${client}`, {
      method: 'POST',
      headers: password === null ? {} : { authorization },
      body: JSON.stringify({ _type: 'location', tid: client.slice(0, 2), lat, lon: 1, tst: NOW_S }),
    })
  }
  for (const password of [null, '', 'herd_wrong'])
    assert.equal((await postAs('jane/phone', password, 1)).status, 401)
  assert.equal((await postAs('ben/phone', 'herd_jane', 1)).status, 403)
  assert.equal((await fetch(`${alford}/osmand?id=bus&lat=1.5&lon=1`)).status, 401)
  assert.equal((await fetch(`${alford}/osmand?id=tram&lat=1.5&lon=1&token=herd_ben`)).status, 403)
  const basic = { authorization: `Basic ${Buffer.from('bus:herd_ben').toString('base64')}` }
  assert.equal(
    (await fetch(`${alford}/osmand?id=bus&lat=1&lon=1&timestamp=1`, { headers: basic })).status,
    200,
  )
  const bus = `id=bus&lat=1.5&lon=1&timestamp=${NOW_S}`
  assert.equal((await fetch(`${alford}/?token=herd_ben`, { method: 'POST', body: bus })).status, 200)
  const benSees = (await (await postAs('ben/phone', 'herd_ben', 1)).json()) as { topic?: string }[]
  const janeSees = (await (await postAs('jane/phone', 'herd_jane', 2)).json()) as { topic?: string }[]
  const topics = (seen: readonly { topic?: string }[]): (string | undefined)[] =>
    seen.filter(({ topic }) => topic !== undefined).map(({ topic }) => topic)
  assert.deepEqual(topics(benSees), ['owntracks/ben/phone', 'owntracks/bus'])
  assert.deepEqual(topics(janeSees), ['owntracks/jane/phone', 'owntracks/ben/phone'])
  assert.doesNotMatch(await herd.logText('Alford'), /herd_(?:jane|ben|wrong)/)
})

test('OsmAnd and Traccar Client: at / and /osmand, and what is broken is a 400 that says why', async (t) => {
  const herd = await startTwo(t)
  const alford = `http://127.0.0.1:${herd.port('Alford')}`
  assert.equal((await fetch(`${alford}/osmand?id=bus&lat=1&lon=2&timestamp=${NOW_S}`)).status, 200)
  assert.equal((await fetch(`${alford}/?deviceid=tram&location=3,4&token=t0ken`)).status, 200)
  await fixAtBall(herd, 'bus')
  assert.deepEqual((await fixAtBall(herd, 'tram')).tags, undefined)
  const wrong = await fetch(`${alford}/?id=bus&lat=north&lon=2&token=t0ken`)
  assert.equal(wrong.status, 400)
  assert.match(await wrong.text(), /no place/)
  assert.equal((await fetch(`${alford}/osmand`, { method: 'POST', body: '{"device_id":"bus"}' })).status, 400)
  assert.equal((await fetch(`${alford}/?id=a%20b&lat=1&lon=2`)).status, 400)
  // A picture in a page of another origin.
  const picture = await fetch(`${alford}/?id=bus&lat=5&lon=5`, {
    headers: { 'sec-fetch-site': 'cross-site' },
  })
  assert.equal(picture.status, 403)
  assert.equal((await fixAtBall(herd, 'bus')).lat, 1)
  assert.doesNotMatch(await herd.logText('Alford'), /t0ken/)
})
