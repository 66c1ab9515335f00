/** The TypeScript client with a real herd: servers die, nothing that was reported is lost, and who watches ends with the newest. */
import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Fix, HerdClient, HerdClosed, HerdProblem } from '../../src/client/index.ts'
import { FileStore } from '../../src/client/stores/file-store.ts'
import { openPage, serveClient } from '../support/client-page.ts'
import { LiveHerd, waitUntil } from '../support/live-herd.ts'

const SERVERS = ['Alford', 'Ball', 'Hamilton'] as const
const LINKS = [
  ['Alford', 'Ball'],
  ['Ball', 'Hamilton'],
  ['Hamilton', 'Alford'],
] as const
const HERE = { lat: 34.06893, lon: -118.445127 }

async function startHerd(t: TestContext, settings = {}): Promise<LiveHerd> {
  const herd = await LiveHerd.start(t, { servers: SERVERS, links: LINKS, settings })
  await herd.linked()
  return herd
}

const addressesOf = (live: LiveHerd): string[] => SERVERS.map((name) => `http://127.0.0.1:${live.port(name)}`)

function clientOf(t: TestContext, live: LiveHerd, queue = {}): HerdClient {
  const herd = new HerdClient({ servers: addressesOf(live), queue, backoff: { mostMs: 1000 } })
  t.after(() => herd.close({ withinMs: 0 }))
  return herd
}

/** The server that a client uses. */
function usedBy(herd: HerdClient, live: LiveHerd): (typeof SERVERS)[number] {
  const name = SERVERS.find((one) => herd.server === `http://127.0.0.1:${live.port(one)}`)
  assert.ok(name !== undefined, `it uses ${herd.server}`)
  return name
}

test('report, get, near, within, places: on a real herd', async (t) => {
  const live = await startHerd(t)
  const herd = clientOf(t, live)
  const reported = await herd.report({ client: 'kiwi', ...HERE, accuracy_m: 5, tags: { note: 'é' } })
  assert.equal(reported.outcome, 'new')
  assert.match(reported.at, /^AT Alford .*kiwi/)
  const fix = await herd.get('kiwi')
  assert.deepEqual([fix?.lat, fix?.lon, fix?.accuracy_m, fix?.tags], [HERE.lat, HERE.lon, 5, { note: 'é' }])
  assert.equal(await herd.get('nobody'), null)
  await herd.report({ client: 'a/b,c%', lat: 34.07, lon: -118.44 })
  assert.equal((await herd.get('a/b,c%'))?.client, 'a/b,c%')
  const near = await herd.near({ client: 'kiwi', radius_m: 5000, limit: 5 })
  assert.deepEqual([near.fixes.map(({ client }) => client), near.more], [['a/b,c%'], false])
  const box = [-119, 34, -118, 35] as const
  const [west, south, east, north] = box
  const ring = [
    [west, south],
    [east, south],
    [east, north],
    [west, south],
  ]
  assert.equal((await herd.within(box, { limit: 1 })).more, true)
  const inPolygon = await herd.within({ type: 'Polygon', coordinates: [ring] })
  assert.equal(inPolygon.fixes.length, 2)
  const places = await herd.places('kiwi', { radius_km: 10, items: 3 })
  assert.equal(places.status, 'OK')
  assert.equal(places.results.length, 3)
  const { herd: name, servers } = await herd.state()
  assert.deepEqual([name, servers.map((server) => server.name).toSorted()], ['live', [...SERVERS]])
  await assert.rejects(herd.report({ client: 'white space', ...HERE }), (error) => {
    assert.ok(error instanceof HerdProblem)
    return error.status === 400 && error.code === 'invalid'
  })
})

test('the server that is used dies, again and again: nothing is lost, and the watcher ends with the newest of all', async (t) => {
  const live = await startHerd(t)
  const herd = clientOf(t, live)
  const seen = new Map<string, Fix>()
  let isBackwards = false
  const watch = herd.watch(
    {},
    {
      fix: (fix) => {
        isBackwards ||= BigInt(seen.get(fix.client)?.time_ns ?? 0) >= BigInt(fix.time_ns)
        seen.set(fix.client, fix)
      },
    },
  )
  await watch.ready
  const clients = Array.from({ length: 20 }, (_, n) => `client-${n}`)
  const reports: Promise<unknown>[] = []
  const reportAll = (round: number): void => {
    for (const client of clients) reports.push(herd.report({ client, lat: round, lon: 1 }))
  }
  let round = 0
  for (let kills = 0; kills < 2; kills++) {
    await waitUntil(() => herd.isOnline === true, 'a server answers')
    for (let rounds = 0; rounds < 5; rounds++) reportAll(++round)
    const used = usedBy(herd, live)
    const killed = live.kill(used)
    for (let rounds = 0; rounds < 5; rounds++) reportAll(++round)
    await killed
    await Promise.all(reports)
    await live.startServer(used)
    await live.linked()
  }
  assert.equal(herd.queued, 0)
  await waitUntil(
    () => clients.every((client) => seen.get(client)?.lat === round),
    () => `all were seen at ${round}: ${JSON.stringify([...seen.values()].map(({ lat }) => lat))}`,
  )
  assert.ok(!isBackwards)
  for (const client of clients) assert.equal((await herd.get(client))?.lat, round)
})

test('nobody answers: reports wait in a file, outlast the client, and are sent when the herd is back', async (t) => {
  const live = await startHerd(t)
  const folder = await mkdtemp(join(tmpdir(), 'herd-client-'))
  t.after(() => rm(folder, { recursive: true }))
  const path = join(folder, 'reports.jsonl')
  await Promise.all(SERVERS.map((name) => live.kill(name)))

  const first = clientOf(t, live, { store: new FileStore(path) })
  const offline = new Promise((resolve) => first.on('offline', resolve))
  const ends = Array.from({ length: 50 }, (_, n) =>
    first.report({ client: `client-${n % 5}`, lat: n, lon: 1 }),
  )
  const rejected = Promise.all(ends.map((end) => assert.rejects(end, HerdClosed)))
  await offline
  assert.equal((await first.close({ withinMs: 0 })).length, 50)
  await rejected

  const second = clientOf(t, live, { store: new FileStore(path) })
  const latitudes: (number | undefined)[] = []
  second.on('reported', (_reported, { lat }) => latitudes.push(lat))
  await live.startServer('Ball')
  await second.sent()
  assert.deepEqual(
    latitudes,
    Array.from({ length: 50 }, (_, n) => n),
  )
  assert.equal((await second.get('client-4'))?.lat, 49)
})

test('in Chromium: a page of an allowed origin reports and watches, and goes on when its server dies', async (t) => {
  const origin = await serveClient(t)
  const live = await startHerd(t, { http: { allowedOrigins: [origin] } })
  const page = await openPage(t, origin)
  const script = `(async () => {
    const { HerdClient, WebStore } = await import('/client.js')
    const herd = new HerdClient({ servers: ${JSON.stringify(addressesOf(live))}, queue: { store: new WebStore(localStorage) } })
    window.seen = []
    window.herd = herd
    herd.watch({ clients: ['kiwi'] }, { fix: ({ lat }) => seen.push(lat) })
    await herd.report({ client: 'kiwi', lat: 1, lon: 2 })
    return herd.server
  })()`
  const server = await page.evaluate<string>(script)
  const used = SERVERS.find((name) => server.endsWith(`:${live.port(name)}`))
  assert.ok(used !== undefined)
  await page.waitForFunction('seen.includes(1)')
  await live.kill(used)
  const outcome = await page.evaluate<string>(
    "herd.report({ client: 'kiwi', lat: 3, lon: 4 }).then(({ outcome }) => outcome)",
  )
  assert.equal(outcome, 'new')
  await page.waitForFunction('seen.includes(3)')
  assert.equal(await page.evaluate<number>("herd.get('kiwi').then(({ lat }) => lat)"), 3)
  assert.equal(await page.evaluate<number>('localStorage.length'), 0)

  // All are away: what is reported waits in the page's storage, and the next page sends it.
  await Promise.all(SERVERS.filter((name) => name !== used).map((name) => live.kill(name)))
  await page.evaluate("void herd.report({ client: 'kiwi', lat: 5, lon: 6 }).catch(() => {})")
  await page.waitForFunction('localStorage.length === 1')
  await page.reload()
  await live.startServer(used)
  await page.evaluate(script.replace('await herd.report', 'void herd.report').replace('lat: 1', 'lat: 7'))
  await page.evaluate('herd.sent()')
  await page.waitForFunction('seen.includes(7)')
  assert.equal(await page.evaluate<number>('localStorage.length'), 0)
})
