import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../../test/support/properties.ts'
import { writeAttributes } from '../../protocol/index.ts'
import { CallRefused } from '../calls/call-refused.ts'
import type { Report } from '../calls/report.ts'
import { hasDevice, LOCATIONS_MAX, readOsmAndFields, readOsmAndJson } from './osmand.ts'

const fieldsOf = (text: string): Report => readOsmAndFields(new URLSearchParams(text))
const jsonOf = (message: unknown): Report[] => readOsmAndJson(JSON.stringify(message))
const PLACE = { coords: { latitude: 34.07, longitude: -118.45 } }

test('every field is read, in the units of a report, and the others are kept', () => {
  const text =
    'id=kiwi&lat=34.06893&lon=-118.445127&timestamp=1479413884&speed=10&bearing=270.5&altitude=154.3&accuracy=12.5&hdop=0.9&batt=87.5&charge=true&valid=1&driverUniqueId=7&cell=257,02,16,2224&cell=257,02,16,2223&token=secret'
  assert.deepEqual(fieldsOf(text), {
    client: 'kiwi',
    position: '+34.06893-118.445127',
    time: '1479413884.000000000',
    attributes: {
      ...{ altitude: 154.3, accuracy: 12.5, speed: 5.144444444444445, course: 270.5, battery: 0.875 },
      tags: {
        ...{ hdop: '0.9', charge: 'true', valid: '1', driverUniqueId: '7' },
        cell: '["257,02,16,2224","257,02,16,2223"]',
      },
    },
  } satisfies Report)
})

test('the other names of the same: deviceid, location, heading; and no time is now', () => {
  assert.deepEqual(fieldsOf('deviceid=a/b&location=1.5,-2&heading=90'), {
    ...{ client: 'a/b', position: '+1.5-2', time: null, attributes: { course: 90 } },
  })
})

for (const [timestamp, time] of [
  ['1479413884', '1479413884.000000000'],
  ['2147483647', '2147483647.000000000'],
  ['2147483648', '2147483.648000000'],
  ['1442068686579', '1442068686.579000000'],
  ['2016-01-27T18:55:47Z', '1453920947.000000000'],
  ['2016-01-27T18:55:47.123456789Z', '1453920947.123456789'],
  ['2016-01-27T18:55:47', '1453920947.000000000'],
  ['2016-01-27T19:55:47+01:00', '1453920947.000000000'],
  ['2016-01-27T13:55:47-0500', '1453920947.000000000'],
  ['2014-06-04 09:10:11', '1401873011.000000000'],
] as const) {
  test(`timestamp ${timestamp}`, () => {
    assert.equal(fieldsOf(`id=a&lat=1&lon=1&timestamp=${encodeURIComponent(timestamp)}`).time, time)
    assert.equal(jsonOf({ device_id: 'a', location: { ...PLACE, timestamp } })[0]?.time, time)
  })
}

test('a plus that nobody encoded is a space, and read all the same', () => {
  assert.equal(fieldsOf('id=a&lat=1&lon=1&timestamp=2014-06-04+09:10:11').time, '1401873011.000000000')
  const zone = 'id=a&lat=1&lon=1&timestamp=2016-01-27T19:55:47+01:00'
  assert.equal(fieldsOf(zone).time, '1453920947.000000000')
})

test('what is negative or 0 m accurate is not known', () => {
  assert.deepEqual(fieldsOf('id=a&lat=1&lon=1&speed=-1&bearing=-1&accuracy=0.0&batt=-1').attributes, {})
  const coords = { ...PLACE.coords, speed: -1, heading: -1, accuracy: 0 }
  const location = { coords, battery: { level: -1 } }
  assert.deepEqual(jsonOf({ device_id: 'a', location })[0]?.attributes, {})
})

test('the JSON of Traccar Client', () => {
  const location = {
    timestamp: '2025-08-28T11:51:46.587Z',
    coords: { latitude: 34.07, longitude: -118.45, accuracy: 4.32, speed: 2, heading: 158.44, altitude: 103 },
    ...{ is_moving: true, odometer: 12.5, event: 'motionchange' },
    ...{ battery: { level: 0.88, is_charging: false }, activity: { type: 'walking' }, extras: { sos: true } },
    ...{ _: '&id=7&lat=1&lon=1&', heartbeat: true },
  }
  assert.deepEqual(jsonOf({ device_id: 'kiwi', location }), [
    {
      client: 'kiwi',
      position: '+34.07-118.45',
      time: '1756381906.587000000',
      attributes: {
        ...{ altitude: 103, accuracy: 4.32, speed: 2, course: 158.44, battery: 0.88 },
        tags: {
          ...{ is_moving: 'true', odometer: '12.5', event: 'motionchange', heartbeat: 'true' },
          ...{ activity: 'walking', charge: 'false', sos: 'true' },
        },
      },
    },
  ] satisfies Report[])
  const empty = { ...PLACE, event: '', extras: {}, activity: {}, battery: {} }
  assert.deepEqual(jsonOf({ device_id: 7, location: empty })[0]?.attributes, {})
})

test('LOCATIONS_MAX: as many at once, and one more is refused', () => {
  const many = (length: number): Report[] =>
    jsonOf({ device_id: 'a', location: Array.from({ length }, () => PLACE) })
  assert.equal(many(LOCATIONS_MAX).length, LOCATIONS_MAX)
  assert.throws(() => many(LOCATIONS_MAX + 1), { code: 'invalid', message: /1001 locations .* 1000/ })
})

for (const [text, message] of [
  ['lat=1&lon=1', /no device/],
  ['id=&lat=1&lon=1', /no device/],
  ['id=a', /no place/],
  ['id=a&lat=1', /no place/],
  ['id=a&lat=&lon=', /no place/],
  ['id=a&lat=91&lon=1', /no place/],
  ['id=a&lat=1&lon=nan', /no place/],
  ['id=a&location=1', /no place/],
  ['id=a&lat=1&lon=1&timestamp=soon', /no time/],
  ['id=a&lat=1&lon=1&timestamp=-1', /no time/],
  ['id=a&lat=1&lon=1&timestamp=1e300', /no time/],
  ['id=a&lat=1&lon=1&timestamp=2016-13-27T18:55:47Z', /no time/],
] as const) {
  test(`broken: ${text}`, () => {
    assert.throws(() => fieldsOf(text), { name: 'CallRefused', code: 'invalid', message })
  })
}

for (const [text, message] of [
  ['', /no JSON/],
  ['[]', /no JSON/],
  ['{}', /no device/],
  ['{"device_id":""}', /no device/],
  ['{"device_id":"a"}', /has coords/],
  ['{"device_id":"a","location":{"coords":{}}}', /no place/],
  ['{"device_id":"a","location":[{"coords":{"latitude":1,"longitude":1},"timestamp":{}}]}', /no time/],
] as const) {
  test(`broken JSON: ${text}`, () => {
    assert.throws(() => readOsmAndJson(text), { name: 'CallRefused', code: 'invalid', message })
  })
}

test('whose a request is', () => {
  assert.deepEqual(
    ['id=a', 'deviceid=', 'lat=1', ''].map((text) => hasDevice(new URLSearchParams(text))),
    [true, true, false, false],
  )
})

test('whatever comes, it is read or refused, and what is read can be kept', () => {
  const mend = (read: () => Report[]): void => {
    try {
      for (const { attributes } of read()) if (attributes !== undefined) writeAttributes(attributes)
    } catch (error) {
      assert.ok(error instanceof CallRefused && error.code === 'invalid', String(error))
      assert.match(error.message, /device|place|time|JSON object|coords|locations/)
    }
  }
  const names = [
    'lat',
    'lon',
    'location',
    'timestamp',
    'speed',
    'batt',
    'altitude',
    '__proto__',
    'x',
    'token',
  ]
  const odd = fc.constantFrom('1', '-1', '1e999', '2016-01-27T18:55:47Z', '9007199254740993', ' ', '1,2')
  const value = fc.oneof(odd, fc.string({ unit: 'binary' }), fc.double().map(String))
  const field = fc.tuple(fc.oneof(fc.constantFrom(...names), fc.string()), value)
  fc.assert(
    fc.property(fc.array(field), (fields) => {
      mend(() => [readOsmAndFields(new URLSearchParams([['id', 'a'], ...fields]))])
      mend(() => [
        readOsmAndFields(new URLSearchParams([['id', 'a'], ['lat', '1'], ['lon', '1'], ...fields])),
      ])
    }),
    runs(1000),
  )
  const any = fc.oneof(fc.jsonValue({ maxDepth: 3 }), odd, fc.double())
  const part = fc.dictionary(fc.constantFrom('level', 'type', 'is_charging', '__proto__', 'a'), any)
  const location = fc.record(
    {
      coords: fc.record({
        latitude: fc.constant(1),
        longitude: odd,
        speed: any,
        heading: any,
        altitude: any,
      }),
      timestamp: any,
      ...{ battery: fc.oneof(part, any), activity: fc.oneof(part, any), extras: fc.oneof(part, any), x: any },
    },
    { requiredKeys: ['coords'] },
  )
  const message = fc.record({
    device_id: fc.constantFrom('a', 1),
    location: fc.oneof(location, fc.array(location), any),
  })
  fc.assert(
    fc.property(
      fc.oneof(
        message.map((it) => JSON.stringify(it)),
        fc.json(),
        fc.string(),
      ),
      (text) => mend(() => readOsmAndJson(text)),
    ),
    runs(2000),
  )
})
