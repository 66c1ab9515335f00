/** MQTT at the one port of real servers, with the package `mqtt` and Mosquitto's own clients. */
import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { type TestContext, test } from 'node:test'
import { promisify } from 'node:util'
import { LiveHerd, waitUntil } from '../support/live-herd.ts'
import { LiveMqtt, location, type Message } from '../support/live-mqtt.ts'

const run = promisify(execFile)
const JANE = 'owntracks/jane/phone'

async function pair(t: TestContext, settings: Record<string, object | string> = {}): Promise<LiveHerd> {
  const herd = await LiveHerd.start(t, {
    servers: ['Alford', 'Hamilton'],
    links: [['Alford', 'Hamilton']],
    settings,
  })
  await herd.linked()
  return herd
}

async function alone(t: TestContext, settings: Record<string, object | string> = {}): Promise<LiveHerd> {
  return await LiveHerd.start(t, { servers: ['Alford'], settings })
}

function topicsOf(messages: readonly Message[]): string[] {
  return messages.map(({ topic }) => topic)
}

test('what a phone publishes is told at another server, in OwnTracks’ units and as a fix, once', async (t) => {
  const herd = await pair(t)
  const phone = await LiveMqtt.connect(t, herd.port('Alford'))
  const friend = await LiveMqtt.connect(t, herd.port('Hamilton'))
  assert.deepEqual(await friend.subscribe(['owntracks/+/+', 'herd/+/fix'], 1), [1, 1])
  const sent = location({ vel: 36, acc: 5, batt: 80, cog: 90, alt: 66 })
  await phone.publish(JANE, sent, 1, true)
  const [fix, own] = await friend.take(2)
  assert.deepEqual([own?.topic, own?.qos, own?.retain], [JANE, 1, false])
  assert.deepEqual(JSON.parse(own?.text ?? ''), { ...sent, topic: JANE })
  assert.equal(fix?.topic, 'herd/jane%2Fphone/fix')
  const { client, server, speed_mps, battery_pct } = JSON.parse(fix?.text ?? '')
  assert.deepEqual([client, server, speed_mps, battery_pct], ['jane/phone', 'Alford', 10, 80])
  // What is older is no news; something new is, and comes alone.
  await phone.publish(JANE, location({ tst: 1_479_413_884 }), 1)
  await phone.publish('herd/kiwi/fix', { lat: 1, lon: 2 }, 1)
  assert.deepEqual(topicsOf([await friend.next()]), ['herd/kiwi/fix'])
  const [at] = await herd.agree(['Alford', 'Hamilton'], ['jane/phone'])
  assert.match(at ?? '', /^AT Alford \S+ jane\/phone \+34\.07-118\.45 \d+/)
  assert.equal(await herd.count('Alford', 'mqttPublishes'), 3)
})

test('who subscribes gets the last fix of each client retained, at any server, also of those that never spoke MQTT', async (t) => {
  const herd = await pair(t)
  await herd.report('Alford', 'jane/phone', '+1+2')
  await herd.report('Alford', 'kiwi', '+3+4')
  await herd.report('Alford', 'joe/tablet', '+5+6')
  await herd.agree(['Alford', 'Hamilton'], ['jane/phone', 'kiwi', 'joe/tablet'])
  const friend = await LiveMqtt.connect(t, herd.port('Hamilton'))
  await friend.subscribe('owntracks/+/+')
  const retained = await friend.take(2)
  assert.deepEqual(topicsOf(retained), [JANE.replace('jane/phone', 'jane/phone'), 'owntracks/joe/tablet'])
  assert.ok(retained.every(({ retain }) => retain))
  const { lat, lon, tid } = JSON.parse(retained[0]?.text ?? '')
  assert.deepEqual([lat, lon, tid], [1, 2, 'ne'])
  await herd.report('Alford', 'jane/phone', '+7+8')
  assert.equal((await friend.next()).retain, false)

  const all = await LiveMqtt.connect(t, herd.port('Hamilton'))
  await all.subscribe('#')
  const everything = [
    'herd/jane%2Fphone/fix',
    'herd/joe%2Ftablet/fix',
    'herd/kiwi/fix',
    JANE,
    'owntracks/joe/tablet',
  ]
  assert.deepEqual(topicsOf(await all.take(5)), everything)
  const one = await LiveMqtt.connect(t, herd.port('Alford'))
  await one.subscribe(['herd/kiwi/fix', 'owntracks/joe/tablet'])
  assert.deepEqual(topicsOf(await one.take(2)), ['herd/kiwi/fix', 'owntracks/joe/tablet'])
  await one.client.unsubscribeAsync('herd/kiwi/fix')
  await herd.report('Alford', 'kiwi', '+9+9')
  await herd.report('Alford', 'joe/tablet', '+9+9')
  assert.equal((await one.next()).topic, 'owntracks/joe/tablet')
})

test('a session is told on its return what is new, the newest fix of each client and every other message', async (t) => {
  const herd = await alone(t)
  const port = herd.port('Alford')
  const session = { clientId: 'friend', clean: false }
  const friend = await LiveMqtt.connect(t, port, session)
  await friend.subscribe(['owntracks/+/+', 'owntracks/+/+/event'], 1)
  const phone = await LiveMqtt.connect(t, port)
  await phone.publish(JANE, location({ tst: 1_700_000_001 }))
  await phone.publish('owntracks/joe/tablet', location({ tst: 1_700_000_001 }))
  await friend.take(2)
  await friend.vanish()
  for (const tst of [1_700_000_002, 1_700_000_003]) await phone.publish(JANE, location({ tst }))
  await phone.publish(`${JANE}/event`, { _type: 'transition', event: 'enter' })
  await phone.publish(`${JANE}/event`, { _type: 'transition', event: 'leave' })
  const back = await LiveMqtt.connect(t, port, session)
  const isNews = ({ topic, text }: Message): boolean =>
    !topic.endsWith('/tablet') && (topic !== JANE || JSON.parse(text).tst > 1_700_000_001)
  const missed = [await back.next(isNews), await back.next(isNews), await back.next(isNews)]
  const [fix, ...events] = missed.toSorted((a, b) => a.topic.length - b.topic.length)
  assert.deepEqual([fix?.topic, JSON.parse(fix?.text ?? '').tst], [JANE, 1_700_000_003])
  assert.deepEqual(
    events.map(({ text }) => JSON.parse(text).event),
    ['enter', 'leave'],
  )
  // It goes on.
  await phone.publish(JANE, location({ tst: 1_700_000_004 }))
  await back.next(({ topic, text }) => topic === JANE && JSON.parse(text).tst === 1_700_000_004)
})

test('what OwnTracks says besides goes through, cards retained, commands to their device', async (t) => {
  const herd = await alone(t)
  const phone = await LiveMqtt.connect(t, herd.port('Alford'))
  const friend = await LiveMqtt.connect(t, herd.port('Alford'))
  await phone.subscribe(`${JANE}/cmd`, 1)
  await phone.publish(`${JANE}/info`, { _type: 'card', name: 'Jane' }, 1, true)
  await friend.subscribe(['owntracks/+/+', 'owntracks/+/+/info'], 1)
  const card = await friend.next()
  assert.deepEqual([card.topic, card.retain], [`${JANE}/info`, true])
  await friend.publish(`${JANE}/cmd`, { _type: 'cmd', action: 'reportLocation' })
  assert.equal((await phone.next()).topic, `${JANE}/cmd`)
  // No location: told as it is, and never retained, for that is the last fix.
  await phone.publish(JANE, { _type: 'lwt', tst: 1 }, 1, true)
  assert.deepEqual(await friend.next(), {
    topic: JANE,
    text: '{"_type":"lwt","tst":1}',
    qos: 1,
    retain: false,
  })
  await phone.publish(JANE, '', 1, true)
  const late = await LiveMqtt.connect(t, herd.port('Alford'))
  await late.subscribe('owntracks/#')
  assert.deepEqual(topicsOf([await late.next()]), [`${JANE}/info`])
})

test('what is broken, or for another server, is acknowledged, not kept, and told nobody', async (t) => {
  const herd = await alone(t)
  const client = await LiveMqtt.connect(t, herd.port('Alford'))
  await client.subscribe('#')
  const refused: [string, object | string][] = [
    [JANE, '{'],
    [JANE, { _type: 'location', lat: 91, lon: 0, tst: 1 }],
    [JANE, { _type: 'location', lat: 1, lon: 0 }],
    ['herd/kiwi/fix', { lat: 1 }],
    ['herd/ki wi/fix', { lat: 1, lon: 2 }],
    ['herd/kiwi/fix', '1,2'],
    ['homeassistant/sensor/x', 'on'],
    ['$SYS/broker', 'x'],
    ['$taken', 'x'],
  ]
  for (const [topic, what] of refused) {
    await client.publish(topic, what, 1, true)
    await client.publish(topic, what, 2)
    await client.publish(topic, what, 0)
  }
  await client.publish('herd/kiwi/fix', { lat: 1, lon: 2 }, 2)
  assert.deepEqual(topicsOf([await client.next()]), ['herd/kiwi/fix'])
  assert.equal(await herd.count('Alford', 'mqttRefused'), 3 * refused.length)
  assert.deepEqual(await client.subscribe(['homeassistant/#', '$SYS/#', 'owntracks/+/+']), [128, 128, 0])
  assert.equal(await herd.count('Alford', 'mqttSubscriptionsRefused'), 2)
  await herd.logged('Alford', '"event":"MQTT message refused"')
})

test('QoS 1 is acknowledged only once the report is held where it must be; else the connection ends', async (t) => {
  const herd = await pair(t, { ack: 'peers:1', limits: { ackMsMax: 500 } })
  const phone = await LiveMqtt.connect(t, herd.port('Alford'))
  await phone.publish(JANE, location({ tst: 1_700_000_001 }))
  assert.match((await herd.table('Hamilton', ['jane/phone']))[0] ?? '', /1700000001/)
  herd.signal('Hamilton', 'SIGSTOP')
  const late = phone.publish(JANE, location({ tst: 1_700_000_002 })).catch(() => 'not acknowledged')
  await phone.closed()
  await phone.client.endAsync(true)
  assert.equal(await late, 'not acknowledged')
  herd.signal('Hamilton', 'SIGCONT')
  const again = await LiveMqtt.connect(t, herd.port('Alford'))
  await again.publish(JANE, location({ tst: 1_700_000_002 }))
  assert.match((await herd.table('Hamilton', ['jane/phone']))[0] ?? '', /1700000002/)
})

test('a client that reports faster than it may is read more slowly, and loses nothing', async (t) => {
  const herd = await alone(t, { limits: { fixesPerSecondPerAddressMax: 20 } })
  const phone = await LiveMqtt.connect(t, herd.port('Alford'))
  const publishes = Array.from({ length: 40 }, (_, index) =>
    phone.publish(`owntracks/jane/p${index}`, location({ tst: 1_700_000_000 + index })),
  )
  await Promise.all(publishes)
  assert.ok((await herd.count('Alford', 'pausesForRate')) > 0)
  assert.equal(await herd.count('Alford', 'fixesNew'), 40)
})

test('Mosquitto’s own clients publish and subscribe', async (t) => {
  const herd = await pair(t)
  const at = (name: string): string[] => ['-h', '127.0.0.1', '-p', String(herd.port(name))]
  const message = JSON.stringify(location())
  await run('mosquitto_pub', [...at('Alford'), '-q', '1', '-t', JANE, '-m', message, '-r'])
  await herd.agree(['Alford', 'Hamilton'], ['jane/phone'])
  const format = ['-F', '%r %q %t']
  const { stdout } = await run('mosquitto_sub', [
    ...at('Hamilton'),
    '-t',
    'owntracks/+/+',
    '-C',
    '1',
    '-W',
    '10',
    ...format,
  ])
  assert.equal(stdout.trim(), `1 0 ${JANE}`)
  const live = run('mosquitto_sub', [
    ...at('Hamilton'),
    '-t',
    'herd/+/fix',
    '-q',
    '1',
    '-R',
    '-C',
    '1',
    '-W',
    '10',
    ...format,
  ])
  await waitUntil(async () => (await herd.count('Hamilton', 'mqttFixesOut')) >= 2, 'it is subscribed')
  await run('mosquitto_pub', [...at('Alford'), '-q', '2', '-t', 'herd/kiwi/fix', '-m', '{"lat":1,"lon":2}'])
  assert.equal((await live).stdout.trim(), '0 1 herd/kiwi/fix')
  await assert.rejects(run('mosquitto_pub', [...at('Alford'), '-V', '5', '-t', JANE, '-m', message]))
})

test('a stop acknowledges what was taken, and ends the connections', async (t) => {
  const herd = await alone(t, { ack: 'disk' })
  const phone = await LiveMqtt.connect(t, herd.port('Alford'))
  const friend = await LiveMqtt.connect(t, herd.port('Alford'))
  await friend.subscribe('#')
  await phone.publish(JANE, location())
  const gone = Promise.all([phone.closed(), friend.closed()])
  await herd.kill('Alford', 'SIGTERM')
  await gone
  assert.doesNotMatch(await herd.logText('Alford'), /"level":"error"/)
})

test('garbage behind a CONNECT’s first byte ends that connection and nothing else', async (t) => {
  const herd = await alone(t)
  const starts = [
    '10ff',
    '10ffffffff',
    '1000',
    '100c00044d5154540402003c0000',
    '100d00044d515454040200',
    'ff',
  ]
  for (const start of starts) {
    const socket = connect(herd.port('Alford'), '127.0.0.1')
    socket.on('error', () => {})
    socket.end(Buffer.from(`${start}${'ff00'.repeat(100)}`, 'hex'))
    socket.resume()
    await once(socket, 'close')
  }
  const phone = await LiveMqtt.connect(t, herd.port('Alford'))
  await phone.publish(JANE, location())
})
