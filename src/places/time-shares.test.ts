import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../test/support/properties.ts'
import { timeShareMs } from './time-shares.ts'

test('each remote provider has a try or its equal part, however long those before it took, and all have the whole', () => {
  const part = fc.double({ min: 0, max: 1, noNaN: true })
  fc.assert(
    fc.property(
      fc.integer({ min: 10, max: 300_000 }),
      fc.integer({ min: 10, max: 300_000 }),
      fc.array(part, { minLength: 1, maxLength: 7 }),
      (totalMsMax, tryMs, parts) => {
        const limits = { totalMsMax, tryMsMax: Math.min(totalMsMax, tryMs) }
        let leftMs = totalMsMax
        for (const [index, used] of parts.entries()) {
          const after = parts.length - index - 1
          const shareMs = timeShareMs(limits, leftMs, parts.length, after)
          assert.ok(shareMs >= Math.min(limits.tryMsMax, totalMsMax / parts.length) - 1e-6)
          assert.ok(shareMs <= leftMs)
          if (after === 0) assert.equal(shareMs, leftMs)
          leftMs -= used * shareMs
        }
        assert.ok(leftMs >= 0)
      },
    ),
  )
})

test('with the defaults, the first of two has half, and the second what the first left', () => {
  const limits = { totalMsMax: 8_000, tryMsMax: 4_000 }
  assert.equal(timeShareMs(limits, 8_000, 1, 0), 8_000)
  assert.equal(timeShareMs(limits, 8_000, 2, 1), 4_000)
  assert.equal(timeShareMs(limits, 7_900, 2, 0), 7_900)
  assert.equal(timeShareMs(limits, 100, 3, 2), 0)
})
