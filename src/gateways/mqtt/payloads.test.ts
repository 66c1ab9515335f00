import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Packet, parser } from 'mqtt-packet'
import { fc, runs } from '../../../test/support/properties.ts'
import { CallRefused } from '../calls/call-refused.ts'
import type { ClientFix } from '../calls/client-fix.ts'
import { HERD_MESSAGES, OWNTRACKS_MESSAGES, readReport } from './payloads.ts'
import { withMessageId, writePublish } from './publish-packet.ts'
import { ownTracksTopic, readTopic } from './topics.ts'

const FIX: ClientFix = {
  clientBytes: Buffer.from('jane/phone'),
  ...{ client: 'jane/phone', server: 'Alford', latitude: 34.07, longitude: -118.45 },
  ...{ positionText: '+34.07-118.45', timeText: '1479413884.5', skewText: '+0.25' },
  time: { seconds: 1_479_413_884, nanoseconds: 500_000_000 },
  skew: { seconds: 0, nanoseconds: 250_000_000 },
  attributes: { speed: 10, altitude: 66, accuracy: 5, course: 90, battery: 0.8 },
}
const NOW = { seconds: 1_479_413_886, nanoseconds: 500_000_000 }
const OWNTRACKS = { family: 'owntracks', client: 'jane/phone' } as const
const HERD = { family: 'herd', client: 'kiwi' } as const

test('a fix goes out as OwnTracks has it, in its units', () => {
  const { topic, payload, retain, qos } = published(OWNTRACKS_MESSAGES.live.encode(FIX, NOW))
  assert.deepEqual([topic, retain, qos], ['owntracks/jane/phone', false, 0])
  assert.deepEqual(JSON.parse(payload), {
    ...{ _type: 'location', lat: 34.07, lon: -118.45, tst: 1_479_413_884, tid: 'ne' },
    ...{ topic: 'owntracks/jane/phone', vel: 36, alt: 66, acc: 5, cog: 90, batt: 80 },
  })
  assert.equal(published(OWNTRACKS_MESSAGES.retained.encode(FIX, NOW)).retain, true)
  assert.equal(OWNTRACKS_MESSAGES.live.encode({ ...FIX, client: 'kiwi' }, NOW).length, 0)
})

test('a fix goes out as the HTTP API has it', () => {
  const { topic, payload, retain } = published(HERD_MESSAGES.retained.encode(FIX, NOW))
  assert.deepEqual([topic, retain], ['herd/jane%2Fphone/fix', true])
  const json = JSON.parse(payload)
  assert.deepEqual(
    [json.client, json.speed_mps, json.age_s, json.time],
    ['jane/phone', 10, 2, '2016-11-17T20:18:04.500000000Z'],
  )
})

test('reports are read by their topic', () => {
  const location = '{"_type":"location","lat":34.07,"lon":-118.45,"tst":1479413884,"vel":36}'
  const report = readReport(OWNTRACKS, Buffer.from(location))
  assert.deepEqual(
    [report?.client, report?.position, report?.attributes?.speed],
    ['jane/phone', '+34.07-118.45', 10],
  )
  const herd = readReport(
    HERD,
    Buffer.from('{"lat":1,"lon":2,"time":"1479413884.392014450","client":"other"}'),
  )
  assert.deepEqual([herd?.client, herd?.position, herd?.time], ['kiwi', '+1+2', '1479413884.392014450'])
  for (const text of ['{"_type":"lwt"}', '{"_type":"new in 2030"}', '']) {
    assert.equal(readReport(OWNTRACKS, Buffer.from(text)), null, text)
  }
  assert.equal(readReport({ ...OWNTRACKS, family: 'beside' }, Buffer.from(location)), null)
  const broken = [
    '',
    '{',
    '[]',
    'null',
    '1',
    '{"lat":91,"lon":0}',
    '{"lat":1,"lon":2,"speed":3}',
    '{"lat":1}',
  ]
  for (const text of broken.slice(1)) {
    assert.throws(() => readReport(HERD, Buffer.from(text)), isInvalid, text)
  }
})

test('whatever is published, it is a report, or none, or broken', () => {
  const anything = fc.oneof(
    fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    fc.json().map((text) => Buffer.from(text)),
    fc
      .dictionary(
        fc.constantFrom('_type', 'lat', 'lon', 'tst', 'time', 'position', 'tags', 'vel', 'acc', '__proto__'),
        fc.oneof(fc.constant('location'), fc.double(), fc.jsonValue()),
      )
      .map((members) => Buffer.from(JSON.stringify(members))),
  )
  fc.assert(
    fc.property(fc.constantFrom(OWNTRACKS, HERD), anything, (topic, payload) => {
      try {
        const report = readReport(topic, payload)
        assert.ok(report === null || report.client === topic.client)
      } catch (error) {
        assert.ok(isInvalid(error) && error instanceof CallRefused, String(error))
        assert.match(error.message, /OwnTracks message|no place|no time|report|position/)
      }
    }),
    runs(2000),
  )
})

test('packets are read by mqtt-packet as they were meant', () => {
  const topic = fc
    .string({ minLength: 1, maxLength: 300, unit: 'grapheme' })
    .filter((text) => !text.includes('\0'))
  const payload = fc.oneof(
    fc.string(),
    fc.nat(20_000).map((length) => 'é'.repeat(length)),
  )
  fc.assert(
    fc.property(
      topic,
      payload,
      fc.boolean(),
      fc.integer({ min: 1, max: 65_535 }),
      (name, text, retain, id) => {
        const packet = writePublish(name, text, retain)
        assert.deepEqual(published(packet), { topic: name, payload: text, retain, qos: 0, id: undefined })
        assert.deepEqual(published(withMessageId(packet, id)), {
          topic: name,
          payload: text,
          retain,
          qos: 1,
          id,
        })
      },
    ),
    runs(300),
  )
})

test('what is told under a topic is what is reported under it', () => {
  const topic = ownTracksTopic(FIX.client) ?? ''
  const about = readTopic(topic)
  assert.ok(about !== null)
  const { payload } = published(OWNTRACKS_MESSAGES.live.encode(FIX, NOW))
  const report = readReport(about, Buffer.from(payload))
  assert.deepEqual(
    [report?.client, report?.position, report?.time],
    ['jane/phone', '+34.07-118.45', '1479413884.000000000'],
  )
})

function isInvalid(error: unknown): boolean {
  return error instanceof CallRefused && error.code === 'invalid'
}

function published(bytes: Buffer): {
  topic: string
  payload: string
  retain: boolean
  qos: number
  id: unknown
} {
  const packets: Packet[] = []
  const reader = parser()
  reader.on('packet', (packet) => packets.push(packet))
  assert.equal(reader.parse(bytes), 0)
  const [packet] = packets
  assert.ok(packets.length === 1 && packet?.cmd === 'publish')
  const { topic, payload, retain, qos, messageId } = packet
  return { topic, payload: payload.toString(), retain, qos, id: messageId }
}
