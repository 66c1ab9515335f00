import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../test/support/properties.ts'
import { DURATION_PATTERN, readDuration, writeDuration } from './duration.ts'

const pattern = new RegExp(DURATION_PATTERN)

test('a whole number with its unit is so many seconds, and never is without end', () => {
  const amount = fc.integer({ min: 1, max: 999_999_999 })
  const unit = fc.constantFrom(
    ['s', 1] as const,
    ['m', 60] as const,
    ['h', 3600] as const,
    ['d', 86_400] as const,
  )
  fc.assert(
    fc.property(amount, unit, (amount, [letter, seconds]) => {
      const text = `${amount}${letter}`
      assert.match(text, pattern)
      assert.equal(readDuration(text), amount * seconds)
    }),
  )
  assert.match('never', pattern)
  assert.equal(readDuration('never'), Number.POSITIVE_INFINITY)
})

test('nothing else is a duration', () => {
  const wrong = [
    '',
    '0s',
    '00s',
    '01h',
    '24',
    'h',
    '24H',
    '1w',
    '1ms',
    '1.5h',
    '-1h',
    '+1h',
    '1 h',
    ' 1h',
    '1h ',
    '1h30m',
  ]
  for (const text of [...wrong, 'Never', 'never ', 'nevers', '1000000000s', '1e3s', '٣s', '1h\n', 'x1h']) {
    assert.doesNotMatch(text, pattern, JSON.stringify(text))
  }
})

test('a duration reads as it was written, in the largest unit that fits', () => {
  for (const [seconds, text] of [
    [1, '1s'],
    [90, '90s'],
    [1800, '30m'],
    [86_400, '1d'],
    [90_000, '25h'],
    [999_999_999 * 86_400, '999999999d'],
    [Number.POSITIVE_INFINITY, 'never'],
  ] as const) {
    assert.equal(writeDuration(seconds), text)
    assert.equal(readDuration(text), seconds)
  }
})
