import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isNearPeriod, periodAt, unitOf } from './budget-periods.ts'

test('days and months are those of UTC, from their first to their last millisecond', () => {
  const endMs = Date.UTC(2026, 10, 30, 23, 59, 59, 999)
  assert.equal(periodAt('day', endMs).period, '2026-11-30')
  assert.equal(periodAt('month', endMs).period, '2026-11')
  assert.deepEqual(periodAt('day', endMs + 1), { period: '2026-12-01', elapsed: 0 })
  assert.deepEqual(periodAt('month', endMs + 1), { period: '2026-12', elapsed: 0 })
  assert.equal(periodAt('day', Date.UTC(2026, 10, 30, 6)).elapsed, 0.25)
  assert.equal(periodAt('month', Date.UTC(2026, 10, 16)).elapsed, 0.5)
  assert.deepEqual(['2026-12-01', '2026-12'].map(unitOf), ['day', 'month'])
})

test('what is near is a day around, also where a month ends', () => {
  for (let day = 0; day < 366; day++) {
    const wallMs = Date.UTC(2028, 0, 1 + day, 12)
    for (const unit of ['day', 'month'] as const) {
      for (const ms of [-86_400_000, 0, 86_400_000]) {
        assert.ok(isNearPeriod(periodAt(unit, wallMs + ms).period, wallMs))
      }
      assert.ok(!isNearPeriod(periodAt(unit, wallMs + 40 * 86_400_000).period, wallMs))
    }
    assert.ok(!isNearPeriod(periodAt('day', wallMs + 2 * 86_400_000).period, wallMs))
  }
})
