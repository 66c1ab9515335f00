import assert from 'node:assert/strict'
import { test } from 'node:test'
import { lineOf } from './send.ts'
import { UsageError } from './terminal.ts'

const NOW_MS = 1_479_413_884_392.25

test('command words may be small; other words stay as they are', () => {
  assert.equal(lineOf(['whatsat', 'Kiwi', '10', '5']), 'WHATSAT Kiwi 10 5')
  assert.equal(lineOf(['WhosAt', 'kiwi', '1', '1']), 'WHOSAT kiwi 1 1')
  assert.equal(lineOf(['at', 'x']), 'AT x')
  assert.equal(lineOf(['watch', '*']), 'WATCH *')
  assert.equal(lineOf(['hello', 'World']), 'hello World')
  assert.equal(lineOf(['']), '')
})

test('an iamat without a time gets the current one, with nine digits', () => {
  assert.equal(lineOf(['iamat', 'kiwi', '-34-118'], NOW_MS), 'IAMAT kiwi -34-118 1479413884.392250000')
  assert.equal(lineOf(['iamat kiwi +34+118'], NOW_MS), 'IAMAT kiwi +34+118 1479413884.392250000')
  assert.equal(lineOf(['iamat', 'kiwi', '+34-118', '5.1'], NOW_MS), 'IAMAT kiwi +34-118 5.1')
  assert.equal(lineOf(['iamat', 'kiwi'], NOW_MS), 'IAMAT kiwi')
  assert.equal(lineOf(['iamat', 'k', '+1+1'], 1_000_000_000_000.001), 'IAMAT k +1+1 1000000000.000001000')
})

test('words are one line', () => {
  assert.throws(() => lineOf(['a\nb']), UsageError)
})
