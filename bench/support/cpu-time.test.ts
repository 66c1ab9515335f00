import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCoreWait, parseStatTicks, utilization } from './cpu-time.ts'

test('the times are found behind any process name', () => {
  const stat = '42 (odd) (name 1 2) S 1 42 42 0 -1 4194304 100 0 0 0 250 50 7 7 20 0 11 0 100 0 0'
  assert.equal(parseStatTicks(stat), 300)
})

test('something else than a stat line is refused', () => {
  assert.throws(() => parseStatTicks('nothing'))
})

test('half a second of CPU in two seconds is a quarter of a core', () => {
  assert.equal(utilization({ atMs: 1000, cpuSeconds: 3 }, { atMs: 3000, cpuSeconds: 3.5 }), 0.25)
})

test('without two readings there is no figure', () => {
  assert.equal(utilization(undefined, { atMs: 1, cpuSeconds: 1 }), undefined)
  assert.equal(utilization({ atMs: 1, cpuSeconds: 1 }, { atMs: 1, cpuSeconds: 1 }), undefined)
})

test('the wait for a core is the second number', () => {
  assert.equal(parseCoreWait('2216372 1500000000 10\n'), 1.5)
  assert.throws(() => parseCoreWait('0\n'))
})
