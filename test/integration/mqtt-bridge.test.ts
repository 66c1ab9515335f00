/** `mqttBridge` with a real Mosquitto behind it. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { LiveHerd, waitUntil } from '../support/live-herd.ts'
import { LiveMosquitto } from '../support/live-mosquitto.ts'
import { LiveMqtt, location } from '../support/live-mqtt.ts'

const JANE = 'owntracks/jane/phone'
const PASSWORD = 'correct-horse-battery-9'

async function bridged(
  t: TestContext,
  broker: LiveMosquitto,
  more: Readonly<Record<string, unknown>> = {},
  env: Readonly<Record<string, string>> = {},
): Promise<LiveHerd> {
  const mqttBridge = { url: `mqtt://127.0.0.1:${broker.port}`, ...more }
  const herd = await LiveHerd.start(t, {
    servers: ['Alford', 'Hamilton'],
    links: [['Alford', 'Hamilton']],
    settings: { mqttBridge },
    env,
  })
  await herd.linked()
  await Promise.all(['Alford', 'Hamilton'].map((name) => herd.logged(name, '"event":"MQTT bridge up"')))
  return herd
}

test('what is published at the broker is reported, retained or not, and survives that it is killed', async (t) => {
  const broker = await LiveMosquitto.start(t)
  const before = await LiveMqtt.connect(t, broker.port)
  await before.publish('owntracks/joe/tablet', location({ tst: 1_700_000_001 }), 1, true)
  const herd = await bridged(t, broker, { topics: ['owntracks/+/+', 'herd/+/fix'] })
  await herd.agree(['Alford', 'Hamilton'], ['joe/tablet'])
  await before.publish(JANE, location({ tst: 1_700_000_002 }))
  await before.publish('herd/kiwi/fix', { lat: 1, lon: 2, time: 1_700_000_003 })
  await before.publish(JANE, 'no JSON')
  const [jane, kiwi] = await herd.agree(['Alford', 'Hamilton'], ['jane/phone', 'kiwi'])
  assert.match(jane ?? '', / jane\/phone \+34\.07-118\.45 1700000002/)
  assert.match(kiwi ?? '', / kiwi \+1\+2 1700000003/)
  await herd.logged('Alford', '"event":"MQTT bridge refused"')

  await broker.kill()
  await herd.logged('Alford', '"event":"MQTT bridge lost"')
  await broker.startAgain()
  const after = await LiveMqtt.connect(t, broker.port)
  const connects = (): number => broker.output.split('as herd-live-Alford').length - 1
  await waitUntil(() => connects() >= 2, 'it connects again')
  await after.publish(JANE, location({ tst: 1_700_000_009 }), 1, true)
  await waitUntil(
    async () => ((await herd.table('Hamilton', ['jane/phone']))[0] ?? '').includes('1700000009'),
    'what is published then is reported',
  )
  assert.ok((await herd.count('Alford', 'mqttBridgeLost')) >= 1)
})

test('the herd’s fixes are published there once each, retained, and nothing circles', async (t) => {
  const broker = await LiveMosquitto.start(t)
  const watcher = await LiveMqtt.connect(t, broker.port)
  await watcher.subscribe('#', 1)
  const herd = await bridged(t, broker, { publish: true, topics: ['owntracks/+/+', 'herd/+/fix'] })
  await herd.report('Alford', 'jane/phone', '+34.068930-118.445127', '1700000001')
  await herd.report('Hamilton', 'kiwi', '+3+4', '1700000001.5')
  const [fix, own] = await watcher.take(2)
  assert.deepEqual([fix?.topic, own?.topic], ['herd/kiwi/fix', JANE])
  const { lat, lon, tst } = JSON.parse(own?.text ?? '')
  assert.deepEqual([lat, lon, tst], [34.06893, -118.445127, 1_700_000_001])
  // What a phone publishes there is not sent back, and what comes then is the next message of all.
  await watcher.publish(JANE, location({ tst: 1_700_000_002 }))
  assert.equal(JSON.parse((await watcher.next()).text).tst, 1_700_000_002)
  await herd.agree(['Alford', 'Hamilton'], ['jane/phone', 'kiwi'])
  await herd.report('Alford', 'end/mark', '+5+6', '1700000003')
  assert.equal((await watcher.next()).topic, 'owntracks/end/mark')
  const retained = await LiveMqtt.connect(t, broker.port)
  await retained.subscribe('owntracks/end/mark')
  assert.equal((await retained.next()).retain, true)
  // A server that begins again publishes what it accepted; those there know it, and say nothing more.
  const counts = await Promise.all(['Alford', 'Hamilton'].map((name) => herd.count(name, 'mqttBridgeOut')))
  assert.deepEqual(counts, [2, 1])
})

test('a prefix stands before what is published', async (t) => {
  const broker = await LiveMosquitto.start(t)
  const watcher = await LiveMqtt.connect(t, broker.port)
  await watcher.subscribe('#', 1)
  const herd = await bridged(t, broker, { publish: true, prefix: 'fleet/', servers: ['Alford', 'Hamilton'] })
  await herd.report('Alford', 'jane/phone')
  assert.equal((await watcher.next()).topic, `fleet/${JANE}`)
})

test('the password opens the broker and shows nowhere; a wrong one is tried again, slower and slower', async (t) => {
  const broker = await LiveMosquitto.start(t, { name: 'herd', password: PASSWORD })
  const env = { HERD_MQTT_PASSWORD: PASSWORD }
  const herd = await bridged(t, broker, { username: 'herd' }, env)
  const phone = await LiveMqtt.connect(t, broker.port, { username: 'herd', password: PASSWORD })
  await phone.publish(JANE, location())
  await herd.agree(['Alford', 'Hamilton'], ['jane/phone'])
  await broker.kill()
  await herd.logged('Alford', '"event":"MQTT bridge lost"')
  const stranger = await LiveHerd.start(t, {
    servers: ['Alford'],
    settings: { mqttBridge: { url: `mqtt://127.0.0.1:${broker.port}`, username: 'herd' } },
    env: { HERD_MQTT_PASSWORD: `${PASSWORD}-wrong` },
  })
  await broker.startAgain()
  await stranger.logged('Alford', 'Not authorized')
  for (const each of [herd, stranger]) {
    const text = (await each.logText('Alford')) + JSON.stringify(await each.status('Alford')) + each.output
    assert.ok(!text.includes(PASSWORD))
  }
})
