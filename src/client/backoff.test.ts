import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../test/support/properties.ts'
import { Backoff } from './backoff.ts'

test('a wait is drawn between the first and three times the last, and none is longer than the most', () => {
  fc.assert(
    fc.property(fc.array(fc.double({ min: 0, max: 0.999, noNaN: true })), (chances) => {
      let chance = 0
      const backoff = new Backoff({ firstMs: 100, mostMs: 2000 }, () => chance)
      let lastMs = 100
      for (chance of chances) {
        const ms = backoff.next()
        assert.ok(ms >= 100 && ms <= Math.min(2000, lastMs * 3), `${lastMs} → ${ms}`)
        lastMs = ms
      }
    }),
  )
})

test('it grows, and begins anew once it works again', () => {
  const backoff = new Backoff({ firstMs: 100, mostMs: 2000 }, () => 0.99)
  assert.ok(backoff.next() < 300)
  for (let n = 0; n < 10; n++) backoff.next()
  assert.equal(backoff.next(), 2000)
  backoff.reset()
  assert.ok(backoff.next() < 300)
})
