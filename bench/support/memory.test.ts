import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSettled, parseStatus } from './memory.ts'

test('memory is read in bytes, and a process without it is refused', () => {
  const status = 'Name:\tVmRSS: 7 kB\nVmPeak:\t  999 kB\nVmHWM:\t  200 kB\nVmRSS:\t  100 kB\n'
  assert.deepEqual(parseStatus(status), { residentBytes: 102_400, peakBytes: 204_800 })
  assert.throws(() => parseStatus('Name:\tzombie\n'), /no VmRSS/)
})

test('memory has settled when seven readings lie within two thousandths', () => {
  const steady = [1000, 1001, 1000, 1002, 1000, 1000, 1001]
  assert.equal(isSettled([5000, ...steady]), true)
  assert.equal(isSettled(steady.slice(1)), false, 'too few')
  assert.equal(isSettled([...steady, 1003]), false, 'growing')
  assert.equal(isSettled([...steady, 997]), false, 'shrinking')
})
