import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clientFixes } from '../../../test/support/client-fixes.ts'
import { fc, runs } from '../../../test/support/properties.ts'
import { fixJson } from './fix-json.ts'

test('a fix says its time in nanoseconds, in text and exactly, and when it was received', () => {
  fc.assert(
    fc.property(clientFixes, (fix) => {
      const { seconds, nanoseconds } = fix.time
      const { time_ns, received_at, time } = fixJson(fix, fix.time)
      const ns = BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds)
      assert.equal(time_ns, String(ns))
      // The skew is a nanosecond.
      const later =
        BigInt(Date.parse(`${received_at.slice(0, 19)}Z`)) * 1_000_000n + BigInt(received_at.slice(20, 29))
      assert.equal(later - ns, 1n)
      assert.equal(time.length, '2016-11-17T20:18:04.392014450Z'.length)
    }),
    runs(1000),
  )
})
