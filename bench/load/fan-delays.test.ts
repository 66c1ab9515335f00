import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FanDelays } from './fan-delays.ts'

test('a fix is measured at each watcher, and at the last', () => {
  const delays = new FanDelays(2, 5)
  delays.arrived(4, 1)
  delays.sent(100)
  assert.equal(delays.isComplete, false)
  delays.arrived(5, 101)
  delays.arrived(5, 103)
  assert.equal(delays.isComplete, true)
  assert.equal(delays.told, 2)
  const { fixes, eachP50Ms, lastP50Ms, maxMs } = delays.figures
  assert.equal(fixes, 1)
  assert.ok(Math.abs(eachP50Ms - 1) < 0.01 && Math.abs(lastP50Ms - 3) < 0.01 && Math.abs(maxMs - 3) < 0.01)
  assert.throws(() => delays.arrived(5, 104), /told twice/)
})
