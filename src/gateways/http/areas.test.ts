import assert from 'node:assert/strict'
import { test } from 'node:test'
import { degrees } from '../../../test/support/client-fixes.ts'
import { fc, runs } from '../../../test/support/properties.ts'
import type { Area } from '../../locations/index.ts'
import { CallRefused } from '../calls/call-refused.ts'
import { areaOf, boxFromText, boxOf, circleOf } from './areas.ts'

/** Whole degrees, that everything ties. */
const longitude = fc.oneof(fc.constantFrom(-180, 180, 0), fc.integer({ min: -180, max: 180 }))
const latitude = fc.oneof(fc.constantFrom(-90, 90), fc.integer({ min: -90, max: 90 }))

function contains(area: Area, lat: number, lon: number): boolean {
  assert.ok(area.kind === 'shape')
  return area.contains(lat, lon)
}

test('a box is what lies from its west on to the east, poles and ±180° included', () => {
  fc.assert(
    fc.property(
      longitude,
      latitude,
      longitude,
      latitude,
      latitude,
      longitude,
      (west, a, east, b, lat, lon) => {
        const [south, north] = [Math.min(a, b), Math.max(a, b)]
        const width = east < west ? east + 360 - west : east - west
        const isWithin = (((lon - west) % 360) + 360) % 360 <= width || width === 360
        const box = boxFromText([west, south, east, north].join(','))
        assert.equal(contains(box, lat, lon), lat >= south && lat <= north && isWithin)
      },
    ),
    runs(3000),
  )
})

test('a box has its own corners, whichever numbers they are', () => {
  fc.assert(
    fc.property(degrees(180), degrees(90), degrees(180), degrees(90), (west, a, east, b) => {
      const [south, north] = [Math.min(a, b), Math.max(a, b)]
      // As programs write numbers: 1e-7 among them.
      const box = boxFromText(`${west},${south},${east},${north}`)
      for (const lat of [south, north]) for (const lon of [west, east]) assert.ok(contains(box, lat, lon))
      assert.deepEqual(JSON.stringify(box), JSON.stringify(boxOf([west, south, east, north])))
    }),
    runs(1000),
  )
})

for (const text of [
  ...['', '1', '1,2,3', '1,2,3,4,5', '1,2,3,', ',,,', 'a,b,c,d', '1;2;3;4', '-181,0,0,0', '0,0,180.1,0'],
  ...['0,-90.1,0,0', '0,0,0,91', '0,0,0,NaN', '0,0,0,1e999', '1,2,3,0x4', '1,2,3,4\n', 'Infinity,0,0,0'],
]) {
  test(`${JSON.stringify(text)} is no box`, () => {
    assert.throws(() => boxFromText(text), {
      name: 'CallRefused',
      code: 'invalid',
      message: /west,south,east,north/,
    })
  })
}

test('a box upside down is told so, by its numbers', () => {
  assert.throws(() => boxFromText('1,20,2,-10'), {
    code: 'invalid',
    message: /north -10 is south of its south 20/,
  })
})

test('whatever comes as a box, it is one or the answer says what one is', () => {
  const part = fc.constantFrom('1', '-', '.', ',', 'e', '+', ' ', '180', '0')
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(part).map((parts) => parts.join('')),
  )
  const sides = fc.array(fc.oneof(fc.double(), fc.integer({ min: -200, max: 200 })), { maxLength: 6 })
  const isBoxOrRefused = (make: () => Area): void => {
    try {
      assert.equal(make().kind, 'shape')
    } catch (error) {
      assert.ok(error instanceof CallRefused && error.code === 'invalid', String(error))
      assert.match(error.message, /west,south,east,north/)
    }
  }
  fc.assert(
    fc.property(text, sides, (text, sides) => {
      isBoxOrRefused(() => boxFromText(text))
      isBoxOrRefused(() => boxOf(sides))
    }),
    runs(2000),
  )
})

test('a circle, a box or nothing is named, and no two or parts of one', () => {
  const box = boxOf([1, 2, 3, 4])
  const circle = { lat: 1, lon: 2, radius_m: 3 }
  assert.equal(areaOf({}, null), null)
  assert.equal(areaOf({}, box), box)
  assert.deepEqual(areaOf(circle, null), circleOf(circle))
  assert.deepEqual(areaOf({ lat: 0, lon: 0, radius_m: 0 }, null), circleOf({ lat: 0, lon: 0, radius_m: 0 }))
  assert.throws(() => areaOf({ lat: 0 }, box), { code: 'invalid', message: /not both/ })
  for (const part of [{ lat: 0 }, { lon: 0, radius_m: 1 }, { lat: 1, lon: 1 }]) {
    assert.throws(() => areaOf(part, null), { code: 'invalid', message: /lat, lon and radius_m/ })
  }
})
