import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../test/support/properties.ts'
import { Stamps } from './stamps.ts'

test('however the clock goes, no two stamps are alike, keys go on, and times do unless it is set back', () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 5000 }), { minLength: 2 }), (clock) => {
      const readings = clock.values()
      const stamps = new Stamps(() => readings.next().value ?? 0, 'x')
      const made = clock.map(() => stamps.next())
      const keys = made.map(({ key }) => key)
      assert.deepEqual(keys, keys.toSorted())
      assert.equal(new Set(keys).size, keys.length)
      for (const [index, { time }] of made.slice(1).entries()) {
        const before = Number(made[index]?.time)
        assert.ok(Number(time) > before || before - Number(time) > 1, `${before} → ${time}`)
      }
    }),
  )
})

test('a stamp is POSIX time to the microsecond', () => {
  const stamps = new Stamps(() => 1_479_413_884_392, 'x')
  assert.equal(stamps.next().time, '1479413884.392000')
  assert.equal(stamps.next().time, '1479413884.392001')
})

test('what comes after a restart sorts behind what was kept, whatever the clock says', () => {
  const { key } = new Stamps(() => 9000, 'a').next()
  const stamps = new Stamps(() => 10, 'b')
  stamps.follow(key)
  assert.ok(stamps.next().key > key)
})
