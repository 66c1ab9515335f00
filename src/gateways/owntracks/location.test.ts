import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../../test/support/properties.ts'
import { ATTRIBUTES_BYTES_MAX, type Attributes, writeAttributes } from '../../protocol/index.ts'
import { CallRefused } from '../calls/call-refused.ts'
import type { ClientFix } from '../calls/client-fix.ts'
import type { Report } from '../calls/report.ts'
import { clientOfTopic, readOwnTracks, topicOf, writeOwnTracksLocation } from './location.ts'

const PLACE = { _type: 'location', lat: 34.06893, lon: -118.445127, tst: 1_479_413_884 }

function report(fields: object): Report {
  const { report } = readOwnTracks(JSON.stringify({ ...PLACE, ...fields }), 'jane/phone')
  assert.ok(report !== undefined)
  return report
}

function fixOf({ attributes = {}, ...fix }: Partial<ClientFix>): ClientFix {
  return {
    clientBytes: Buffer.from('jane/phone'),
    ...{ client: 'jane/phone', server: 'Alford', latitude: 34.06893, longitude: -118.445127 },
    ...{ positionText: '+34.068930-118.445127', timeText: '1479413884.392014450' },
    time: { seconds: 1_479_413_884, nanoseconds: 392_014_450 },
    ...{ skew: { seconds: 0, nanoseconds: 1 }, skewText: '+0.000000001', attributes },
    ...fix,
  }
}

test('every field of a location is read, in the units of a report', () => {
  const fields = {
    ...{ acc: 12, alt: 154, vac: 3, vel: 36, cog: 270, batt: 87, bs: 2, conn: 'w', t: 'u', m: 1 },
    ...{ p: 101.325, created_at: 1_479_413_890, inregions: ['Home', 'Garage'], inrids: ['6da9cf'] },
    ...{ SSID: 'my net', BSSID: '0:1:2', tid: 'JP', topic: 'owntracks/jane/phone', _id: '1e2f' },
    ...{ poi: 'Tower', tag: 'hike', image: 'AAAA', imagename: 'a.png' },
  }
  assert.deepEqual(report(fields), {
    client: 'jane/phone',
    position: '+34.06893-118.445127',
    time: '1479413884.000000000',
    attributes: {
      ...{ altitude: 154, accuracy: 12, speed: 10, course: 270, battery: 0.87 },
      tags: {
        ...{ vac: '3', bs: '2', conn: 'w', t: 'u', m: '1', p: '101.325', created_at: '1479413890' },
        ...{ inregions: '["Home","Garage"]', inrids: '["6da9cf"]', SSID: 'my net', BSSID: '0:1:2' },
        ...{ tid: 'JP', _id: '1e2f', poi: 'Tower', tag: 'hike' },
      },
    },
  } satisfies Report)
})

test('nothing is invented: what a phone does not know is in no attribute', () => {
  for (const unknown of [{}, { acc: 0, vel: -1, cog: -1, batt: -1, alt: null }, { vel: 'fast', cog: 400 }]) {
    assert.deepEqual(report(unknown).attributes, {})
  }
  assert.deepEqual(report({ vel: 0, cog: 0, batt: 0, alt: 0 }).attributes, {
    ...{ speed: 0, course: 0, battery: 0, altitude: 0 },
  })
})

test('numbers that were written as text are numbers', () => {
  const { position, time, attributes } = report({ lat: '1.5', lon: '-2', tst: '1700000000', acc: '5' })
  assert.deepEqual([position, time], ['+1.5-2', '1700000000.000000000'])
  assert.equal(attributes?.accuracy, 5)
})

test('what is no report is told by its type', () => {
  for (const type of ['transition', 'waypoints', 'lwt', 'card', 'encrypted', 'of-tomorrow']) {
    assert.deepEqual(readOwnTracks(Buffer.from(JSON.stringify({ _type: type })), 'a/b'), { type })
  }
})

for (const [what, text, message] of [
  ['no JSON', '{"_type"', /no OwnTracks message/],
  ['a list', '[]', /no OwnTracks message/],
  ['no type', '{"lat":1}', /no OwnTracks message/],
  ['no latitude', JSON.stringify({ ...PLACE, lat: undefined }), /no place/],
  ['beyond the pole', JSON.stringify({ ...PLACE, lat: 90.1 }), /no place/],
  ['too far west', JSON.stringify({ ...PLACE, lon: -180.1 }), /no place/],
  ['no time', JSON.stringify({ ...PLACE, tst: undefined }), /no time/],
  ['before 1970', JSON.stringify({ ...PLACE, tst: -1 }), /no time/],
  ['after all time', JSON.stringify({ ...PLACE, tst: 1e300 }), /no time/],
] as const) {
  test(`broken: ${what}`, () => {
    assert.throws(() => readOwnTracks(text, 'a/b'), { name: 'CallRefused', code: 'invalid', message })
  })
}

test('a phone whose tags are too long is kept without the longest of them', () => {
  const { attributes } = report({ acc: 5, tid: 'JP', inregions: Array(500).fill('Home'), SSID: 'net' })
  assert.deepEqual(attributes, { accuracy: 5, tags: { tid: 'JP', SSID: 'net' } })
  const around = '{"tags":{"a":"","tid":"JP"}}'.length
  const longest = 'x'.repeat(ATTRIBUTES_BYTES_MAX - around)
  assert.deepEqual(report({ tid: 'JP', a: longest }).attributes, { tags: { tid: 'JP', a: longest } })
  assert.deepEqual(report({ tid: 'JP', a: `${longest}x` }).attributes, { tags: { tid: 'JP' } })
})

test('a fix is written as phones read it: in their units, whole numbers where they take no others', () => {
  const attributes: Attributes = {
    ...{ altitude: 154.4, accuracy: 11.2, speed: 10, course: 269.6, battery: 0.871 },
    tags: { tid: 'JP', vac: '2.6', t: 'u', p: '101.325', inregions: '["Home"]', inrids: '{}', m: 'x' },
  }
  assert.deepEqual(writeOwnTracksLocation(fixOf({ attributes })), {
    ...{ _type: 'location', lat: 34.06893, lon: -118.445127, tst: 1_479_413_884, tid: 'JP' },
    ...{ topic: 'owntracks/jane/phone', acc: 12, alt: 154, vel: 36, cog: 270, batt: 87 },
    ...{ vac: 3, t: 'u', p: 101.325, inregions: ['Home'] },
  })
  assert.deepEqual(writeOwnTracksLocation(fixOf({ client: 'kiwi.cs.ucla.edu' })), {
    ...{ _type: 'location', lat: 34.06893, lon: -118.445127, tst: 1_479_413_884, tid: 'du' },
    topic: 'owntracks/kiwi.cs.ucla.edu',
  })
})

test('what is written is read as the same fix', () => {
  const whole = (min: number, max: number): fc.Arbitrary<number> => fc.integer({ min, max })
  const tags = fc.constantFrom({ tid: 'ab' }, { tid: 'é語', t: 'u', vac: '7', inregions: '["Home"]' })
  const attributes = fc.record(
    {
      altitude: whole(-400, 9000),
      accuracy: whole(1, 5000),
      speed: whole(0, 500).map((kmh) => kmh / 3.6),
      course: whole(0, 360),
      battery: whole(0, 100).map((percent) => percent / 100),
      tags,
    },
    { requiredKeys: ['tags'], noNullPrototype: true },
  )
  const place = fc.double({ min: -90, max: 90, noNaN: true })
  fc.assert(
    fc.property(place, place, attributes, (latitude, longitude, attributes) => {
      const fix = fixOf({ latitude, longitude, attributes })
      const { report } = readOwnTracks(JSON.stringify(writeOwnTracksLocation(fix)), fix.client)
      assert.deepEqual(report?.attributes, attributes)
    }),
    runs(300),
  )
})

test('whatever comes, it is read or refused, and what is read can be kept', () => {
  const value = fc.oneof(
    fc.jsonValue({ maxDepth: 4 }),
    fc.double(),
    fc.string({ unit: 'binary' }),
    fc.constantFrom('1', '-181', '1e999', '0x10', ' ', '__proto__', -0, 2 ** 53),
  )
  const names = ['lat', 'lon', 'tst', 'acc', 'alt', 'vel', 'cog', 'batt', 'p', 'inregions', '__proto__', 'x']
  const message = fc
    .dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), value)
    .chain((fields) => fc.constantFrom({ ...fields, _type: 'location' }, { ...PLACE, ...fields }))
    .map((fields) => JSON.stringify(fields))
  const text = fc.oneof(message, fc.json(), fc.string({ unit: 'binary' }))
  fc.assert(
    fc.property(text, (text) => {
      try {
        const { report } = readOwnTracks(text, 'a/b')
        if (report?.attributes !== undefined) writeAttributes(report.attributes)
      } catch (error) {
        assert.ok(error instanceof CallRefused && error.code === 'invalid', String(error))
        assert.match(error.message, /no OwnTracks message|no place|no time/)
      }
    }),
    runs(2000),
  )
  assert.throws(() => readOwnTracks('['.repeat(100_000), 'a/b'), CallRefused)
  const deep = `{"_type":"location","lat":1,"lon":1,"tst":1,"x":${'['.repeat(50_000)}${']'.repeat(50_000)}}`
  assert.deepEqual(readOwnTracks(deep, 'a/b').report?.attributes, {})
})

test('a client and its topic', () => {
  assert.equal(topicOf('jane/phone'), 'owntracks/jane/phone')
  assert.equal(clientOfTopic('owntracks/jane/phone'), 'jane/phone')
  assert.equal(clientOfTopic('/owntracks/jane/phone/event'), 'jane/phone')
  for (const other of ['', 'owntracks/jane', 'owntracks//phone', 'a/owntracks/jane/phone']) {
    assert.equal(clientOfTopic(other), null, other)
  }
})
