/** What MQTT clients may cost a server, and what they may do: each bound is reached. */
import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { LiveHerd, waitUntil } from '../support/live-herd.ts'
import { LiveMqtt, location } from '../support/live-mqtt.ts'
import { setTokens } from '../support/live-tokens.ts'

const JANE = 'owntracks/jane/phone'
const EVENT = `${JANE}/event`

async function alone(t: TestContext, settings: Record<string, object | string>): Promise<LiveHerd> {
  return await LiveHerd.start(t, { servers: ['Alford'], settings })
}

test('a message that is too long closes the connection before it is all there', async (t) => {
  const herd = await alone(t, { mqtt: { messageBytesMax: 1024 } })
  const client = await LiveMqtt.connect(t, herd.port('Alford'))
  await client.publish(EVENT, 'x'.repeat(900))
  // 64 MiB are announced, and 100 bytes of them come.
  client.client.stream.write(Buffer.concat([Buffer.from('30ffffff1f', 'hex'), Buffer.alloc(100)]))
  await client.closed()
  assert.equal(await herd.count('Alford', 'mqttMessagesTooLong'), 1)
})

test('a CONNECT must be complete in time', async (t) => {
  const herd = await alone(t, { mqtt: { connectMsMax: 50 } })
  const socket = connect(herd.port('Alford'), '127.0.0.1')
  socket.write(Buffer.from('\x10\x0c\x00\x04MQTT', 'latin1'))
  socket.resume()
  await once(socket, 'close')
  assert.equal(await herd.count('Alford', 'mqttConnectsLate'), 1)
})

test('a connection has no more subscriptions than it may, nor a server more who watch', async (t) => {
  const herd = await alone(t, { mqtt: { subscriptionsPerConnectionMax: 3 }, limits: { watchersMax: 4 } })
  const client = await LiveMqtt.connect(t, herd.port('Alford'))
  const topics = ['herd/a/fix', 'herd/b/fix', 'herd/c/fix', 'herd/d/fix']
  assert.deepEqual(await client.subscribe(topics, 1), [1, 1, 1, 128])
  // One that it has already is no further one, and one that it gives up makes room.
  assert.deepEqual(await client.subscribe('herd/a/fix'), [0])
  await client.client.unsubscribeAsync('herd/a/fix')
  assert.deepEqual(await client.subscribe('herd/d/fix'), [0])
  const other = await LiveMqtt.connect(t, herd.port('Alford'))
  assert.deepEqual(await other.subscribe(['herd/a/fix']), [0])
  assert.deepEqual(await other.subscribe(['herd/b/fix']), [128])
  assert.equal(await herd.count('Alford', 'mqttSubscriptionsRefused'), 2)
})

test('who doesn’t acknowledge is told no more than may be on the way, and the newest when it does', async (t) => {
  const herd = await alone(t, { mqtt: { inflightMax: 5 } })
  const slow = await LiveMqtt.connect(t, herd.port('Alford'))
  const acknowledge: (() => void)[] = []
  slow.client.handleMessage = (_packet, done) => void acknowledge.push(done)
  await slow.subscribe('owntracks/+/+', 1)
  const phone = await LiveMqtt.connect(t, herd.port('Alford'))
  for (let turn = 1; turn <= 50; turn++) {
    await phone.publish(JANE, location({ tst: 1_700_000_000 + turn }))
    // Each is told by itself as long as they are told at all.
    if (turn <= 5)
      await waitUntil(async () => (await herd.count('Alford', 'mqttFixesOut')) >= turn, 'it is told')
  }
  assert.equal(await herd.count('Alford', 'mqttFixesOut'), 5)
  slow.client.handleMessage = (_packet, done) => done()
  for (const done of acknowledge) done()
  await slow.next(({ text }) => JSON.parse(text).tst === 1_700_000_050)
  assert.equal(await herd.count('Alford', 'mqttFixesOut'), 6)
})

test('one that reads nothing is dropped, and the others are told meanwhile', async (t) => {
  const herd = await alone(t, { limits: { slowReaderMsMax: 500 } })
  const [stuck, friend, phone] = await Promise.all([
    LiveMqtt.connect(t, herd.port('Alford')),
    LiveMqtt.connect(t, herd.port('Alford')),
    LiveMqtt.connect(t, herd.port('Alford')),
  ])
  await stuck.subscribe('owntracks/#')
  await friend.subscribe(JANE)
  stuck.client.stream.pause()
  const card = 'x'.repeat(60_000)
  let sent = 0
  while ((await herd.count('Alford', 'slowReadersDropped')) === 0 && sent < 100_000) {
    for (let index = 0; index < 40; index++) await phone.publish(EVENT, card, 0)
    for (let index = 0; index < 500; index++, sent++) {
      await phone.publish(
        `owntracks/jane/p${index}`,
        location({ tst: 1_700_000_000 + sent, poi: 'y'.repeat(1000) }),
        0,
      )
    }
    await phone.publish(JANE, location({ tst: 1_800_000_000 + sent }))
    const told = 1_800_000_000 + sent
    await friend.next(({ text }) => JSON.parse(text).tst === told)
  }
  assert.equal(await herd.count('Alford', 'slowReadersDropped'), 1)
  assert.ok((await herd.count('Alford', 'mqttSlowDropped')) > 0)
  stuck.client.stream.resume()
  await stuck.closed()
})

test('a session’s messages, and sessions, are no more than may be', async (t) => {
  const herd = await alone(t, { mqtt: { queuedMax: 3, sessionsMax: 2 } })
  const port = herd.port('Alford')
  for (const clientId of ['first', 'second', 'third']) {
    const client = await LiveMqtt.connect(t, port, { clientId, clean: false })
    await client.subscribe(EVENT, 1)
    await client.end()
    const gone = clientId === 'third' ? 1 : 0
    await waitUntil(async () => (await herd.count('Alford', 'mqttSessionsEnded')) === gone, 'sessions end')
  }
  const phone = await LiveMqtt.connect(t, port)
  for (let event = 1; event <= 5; event++) await phone.publish(EVENT, String(event))
  assert.equal(await herd.count('Alford', 'mqttQueuedDropped'), 4)
  const third = await LiveMqtt.connect(t, port, { clientId: 'third', clean: false })
  assert.deepEqual(
    (await third.take(3)).map(({ text }) => text),
    ['3', '4', '5'],
  )
  const first = await LiveMqtt.connect(t, port, { clientId: 'first', clean: false })
  await phone.publish(EVENT, '6')
  assert.equal((await third.next()).text, '6')
  assert.deepEqual(first.waiting, [])
})

test('no more is retained than may be, by number and by size', async (t) => {
  const herd = await alone(t, { mqtt: { retainedMax: 3, retainedBytesMax: 3000 } })
  const phone = await LiveMqtt.connect(t, herd.port('Alford'))
  const card = (device: string): string => `owntracks/jane/${device}/info`
  for (const device of ['a', 'b', 'c', 'd']) await phone.publish(card(device), device, 1, true)
  assert.equal(await herd.count('Alford', 'mqttRetainedRefused'), 1)
  await phone.publish(card('a'), '', 1, true)
  await phone.publish(card('d'), 'x'.repeat(2900), 1, true)
  await phone.publish(card('b'), 'y'.repeat(200), 1, true)
  assert.equal(await herd.count('Alford', 'mqttRetainedRefused'), 2)
  const friend = await LiveMqtt.connect(t, herd.port('Alford'))
  await friend.subscribe('owntracks/+/+/info')
  const topics = (await friend.take(2)).map(({ topic }) => topic)
  assert.deepEqual(topics, [card('c'), card('d')])
})

test('the password is the token: what it is not for is neither taken nor told', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'herd-tokens-'))
  t.after(() => rm(folder, { recursive: true, force: true }))
  const sha256 = (token: string): string => createHash('sha256').update(token).digest('hex')
  const tokens = [
    { name: 'jane', sha256: sha256('herd_jane'), report: ['jane/*'], read: ['jane/*', 'joe/*'] },
    { name: 'map', sha256: sha256('herd_map'), report: [], read: ['*'] },
    { name: 'joe', sha256: sha256('herd_joe'), report: ['joe/*', 'secret/*'], read: ['joe/*'] },
  ]
  const tokensFile = join(folder, 'tokens.yaml')
  await writeFile(tokensFile, JSON.stringify({ tokens }), { mode: 0o600 })
  const herd = await alone(t, { clients: { tokensFile } })
  const port = herd.port('Alford')
  await assert.rejects(LiveMqtt.connect(t, port), /Not authorized/)
  await assert.rejects(
    LiveMqtt.connect(t, port, { username: 'jane', password: 'herd_wrong' }),
    /Not authorized/,
  )

  const jane = await LiveMqtt.connect(t, port, { username: 'jane', password: 'herd_jane' })
  const joe = await LiveMqtt.connect(t, port, { username: 'joe', password: 'herd_joe' })
  const map = await LiveMqtt.connect(t, port, { username: 'herd_map', password: '' })
  assert.deepEqual(await jane.subscribe(['#', 'owntracks/secret/base'], 1), [1, 128])
  assert.deepEqual(await map.subscribe('owntracks/#', 1), [1])
  await jane.publish('owntracks/joe/phone', location())
  await map.publish('herd/kiwi/fix', { lat: 1, lon: 2 })
  assert.equal(await herd.count('Alford', 'mqttRefused'), 2)
  await joe.publish('owntracks/secret/base', location())
  await joe.publish('owntracks/secret/base/event', 'e', 1, true)
  await joe.publish('owntracks/joe/phone', location())
  await jane.publish(EVENT, 'mine')
  const told = (await map.take(4)).map(({ topic }) => topic)
  assert.deepEqual(told, [
    'owntracks/jane/phone/event',
    'owntracks/joe/phone',
    'owntracks/secret/base',
    'owntracks/secret/base/event',
  ])
  const janes = (await jane.take(3)).map(({ topic }) => topic)
  assert.deepEqual(janes, ['herd/joe%2Fphone/fix', EVENT, 'owntracks/joe/phone'])
  // Nor what is retained.
  const late = await LiveMqtt.connect(t, port, { username: 'jane', password: 'herd_jane' })
  await late.subscribe('#')
  assert.deepEqual(
    (await late.take(2)).map(({ topic }) => topic),
    janes.filter((topic) => topic !== EVENT),
  )
  assert.doesNotMatch(await herd.logText('Alford'), /herd_(?:jane|joe|map|wrong)/)
})

test('a phone whose token holds no more is closed and not let in, until it shows one that does', async (t) => {
  const herd = await alone(t, {})
  const rights = { report: ['jane/*'], read: ['jane/*'] }
  const [old, renewed] = [`herd_${'a'.repeat(43)}`, `herd_${'b'.repeat(43)}`]
  await setTokens(herd, 'Alford', { jane: { token: old, ...rights } })
  const port = herd.port('Alford')
  const phone = await LiveMqtt.connect(t, port, { username: 'jane', password: old })
  await phone.publish(JANE, location({ tst: 1_700_000_001 }))
  await setTokens(herd, 'Alford', { jane: { token: renewed, ...rights } })
  await phone.closed()
  await assert.rejects(LiveMqtt.connect(t, port, { username: 'jane', password: old }), /Not authorized/)
  const again = await LiveMqtt.connect(t, port, { username: 'jane', password: renewed })
  await again.publish(JANE, location({ tst: 1_700_000_002 }))
  await again.subscribe(JANE)
  assert.equal(JSON.parse((await again.next()).text).tst, 1_700_000_002)
})
