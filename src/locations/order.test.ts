import assert from 'node:assert/strict'
import { test } from 'node:test'
import { rivalLine } from '../../test/support/fix-generators.ts'
import { toNanotime } from '../../test/support/fixes.ts'
import { naiveCompare, naiveEffectiveTime, readAt } from '../../test/support/naive-table.ts'
import { fc, runs } from '../../test/support/properties.ts'
import { compareFixes, effectiveTime, type Ordered } from './index.ts'

function ordered(line: string): Ordered {
  const { server, skewText, positionText, timeText, attributesText, time, skew } = readAt(line)
  const bytes = (text: string): Buffer => Buffer.from(text, 'latin1')
  return {
    time: toNanotime(time),
    skew: toNanotime(skew),
    serverName: bytes(server),
    positionText: bytes(positionText),
    timeText: bytes(timeText),
    skewText: bytes(skewText),
    attributesText: bytes(attributesText),
  }
}

function order(a: string, b: string): number {
  return Math.sign(compareFixes(ordered(a), ordered(b)))
}

test('the order is antisymmetric, and only identical lines are equal', () => {
  fc.assert(
    fc.property(rivalLine, rivalLine, (a, b) => {
      assert.equal(order(a, b), 0 - order(b, a))
      assert.equal(order(a, b) === 0, a === b)
      assert.equal(order(a, a), 0)
    }),
    runs(5000),
  )
})

test('the order is transitive: sorting in any way ends in one sequence', () => {
  fc.assert(
    fc.property(rivalLine, rivalLine, rivalLine, (a, b, c) => {
      if (order(a, b) <= 0 && order(b, c) <= 0) assert.ok(order(a, c) <= 0)
      const sorted = [a, b, c].toSorted(order)
      assert.deepEqual([c, a, b].toSorted(order), sorted)
      assert.deepEqual([b, c, a].toSorted(order), sorted)
    }),
    runs(5000),
  )
})

test('the order equals the naive one', () => {
  fc.assert(
    fc.property(rivalLine, rivalLine, (a, b) => {
      assert.equal(order(a, b), Math.sign(naiveCompare(readAt(a), readAt(b))))
    }),
    runs(5000),
  )
})

test('effective time is the exact minimum, also around 60 s ahead', () => {
  const SECOND = 1_000_000_000n
  const time = fc.bigInt({ min: 0n, max: 99_999_999_999_999_999_999n })
  const skew = fc.oneof(
    fc.bigInt({ min: -60n * SECOND - 5n, max: -60n * SECOND + 5n }),
    fc.bigInt({ min: -62n * SECOND, max: -58n * SECOND }),
    fc.bigInt({ min: -999_999_999_999n * SECOND, max: 999_999_999_999n * SECOND }),
  )
  fc.assert(
    fc.property(time, skew, (time, skew) => {
      const result = { seconds: 1, nanoseconds: 1 }
      effectiveTime(toNanotime(time), toNanotime(skew), result)
      assert.deepEqual(result, toNanotime(naiveEffectiveTime({ time, skew })))
    }),
    runs(3000),
  )
})

test('each part of the order decides when those before it tie', () => {
  const pairs = [
    ['AT Z +0 k +9+9 99', 'AT A +0 k +1+1 100'],
    ['AT Z -61 k +9+9 101', 'AT A -60 k +1+1 101'],
    ['AT Z -62 k +9+9 102', 'AT A -63 k +1+1 103'],
    ['AT Alford +9 k +9+9 100', 'AT Ball +0 k +1+1 100'],
    ['AT A +0.1 k +9+9 100', 'AT A +0.2 k +1+1 100'],
    ['AT A -0.2 k +9+9 100', 'AT A -0.1 k +1+1 100'],
    ['AT A +0 k +1+1 100.00', 'AT A +0 k +1+2 100'],
    ['AT A +0.0 k +1+1 100', 'AT A +0 k +1+1 100.0'],
    ['AT A +0 k +1+1 100', 'AT A +0.0 k +1+1 100'],
  ] as const
  for (const [older, newer] of pairs) {
    assert.equal(order(older, newer), -1, `${older} is older than ${newer}`)
    assert.equal(order(newer, older), 1, `${newer} is newer than ${older}`)
  }
})
