import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../test/support/properties.ts'
import { CallBudget } from './call-budget.ts'

const NOON = Date.UTC(2026, 10, 20, 12)

test('a second has its calls, and they come back with time', () => {
  const budget = new CallBudget(2, 0, 1_000)
  const verdicts = [1_000, 1_000, 1_000, 1_499, 1_500, 1_500, 9_000, 9_000, 9_000]
  assert.deepEqual(
    verdicts.map((nowMs) => budget.take(nowMs, NOON) === 'granted'),
    [true, true, false, false, true, false, true, true, false],
  )
})

test('a UTC day has its calls, and a clock set back gives none', () => {
  const budget = new CallBudget(0, 2, 1_000)
  assert.equal(budget.take(1_000, NOON), 'granted')
  assert.equal(budget.take(1_000, NOON), 'granted')
  assert.equal(budget.take(1_000, Date.UTC(2026, 10, 20, 23, 59, 59, 999)), 'callsPerDayMax')
  assert.equal(budget.take(1_000, Date.UTC(2026, 10, 21)), 'granted')
  assert.equal(budget.take(1_000, NOON), 'granted')
  assert.equal(budget.take(1_000, NOON), 'callsPerDayMax')
})

test('a call that one limit forbids costs nothing of the other', () => {
  const budget = new CallBudget(1, 2, 1_000)
  assert.equal(budget.take(1_000, NOON), 'granted')
  assert.equal(budget.take(1_000, NOON), 'callsPerSecondMax')
  assert.equal(budget.take(2_000, NOON), 'granted')
  assert.equal(budget.take(3_000, NOON), 'callsPerDayMax')
})

test('less than one call a second is possible', () => {
  const budget = new CallBudget(0.5, 0, 1_000)
  const verdicts = [1_000, 2_999, 3_000].map((nowMs) => budget.take(nowMs, NOON))
  assert.deepEqual(verdicts, ['granted', 'callsPerSecondMax', 'granted'])
})

test('no stretch of time has more than its share', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.nat(300), { maxLength: 300 }),
      (perSecond, gaps) => {
        const budget = new CallBudget(perSecond, 0, 1_000)
        let nowMs = 1_000
        let granted = 0
        for (const gap of gaps) {
          nowMs += gap
          if (budget.take(nowMs, NOON) === 'granted') granted++
        }
        assert.ok(granted <= perSecond + ((nowMs - 1_000) / 1_000) * perSecond + 1e-6)
      },
    ),
  )
})
