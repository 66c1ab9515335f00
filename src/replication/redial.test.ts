import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../test/support/properties.ts'
import { nextRedialMs } from './redial.ts'

const random = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true })
const limits = fc
  .tuple(fc.integer({ min: 1, max: 5000 }), fc.nat(60_000))
  .map(([redialMsMin, more]) => ({ redialMsMin, redialMsMax: redialMsMin + more }))

test('every wait is within its bounds, and at most three times the last', () => {
  fc.assert(
    fc.property(limits, fc.array(random, { minLength: 1, maxLength: 50 }), (limits, randoms) => {
      let lastMs = 0
      for (const random of randoms) {
        const nextMs = nextRedialMs(lastMs, limits, random)
        assert.ok(nextMs >= limits.redialMsMin && nextMs <= limits.redialMsMax)
        assert.ok(nextMs <= Math.max(limits.redialMsMin, lastMs * 3))
        lastMs = nextMs
      }
    }),
    runs(500),
  )
})

test('it begins at the shortest wait and grows to the longest, at different paces', () => {
  const limits = { redialMsMin: 200, redialMsMax: 30_000 }
  assert.equal(nextRedialMs(0, limits, 0.9), 200)
  assert.equal(nextRedialMs(200, limits, 0), 200)
  assert.equal(nextRedialMs(200, limits, 0.5), 400)
  let waitMs = 0
  for (let times = 0; times < 10; times++) waitMs = nextRedialMs(waitMs, limits, 0.99)
  assert.equal(waitMs, 30_000)
})
