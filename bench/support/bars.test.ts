import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatBars, formatMicroseconds } from './bars.ts'

test('one of many still shows, and none does not', () => {
  const bars = [
    { title: 'a', count: 1_048_575 },
    { title: 'longer', count: 0 },
    { title: 'c', count: 1023 },
    { title: 'd', count: 1 },
  ]
  assert.equal(
    formatBars(bars),
    [
      `     a  1,048,575  ${'#'.repeat(40)}`,
      'longer          0',
      `     c      1,023  ${'#'.repeat(20)}`,
      '     d          1  ##',
    ].join('\n'),
  )
})

test('times have a unit that suits them', () => {
  assert.deepEqual([1, 512, 1024, 16_384, 2_097_152].map(formatMicroseconds), [
    '1 µs',
    '512 µs',
    '1.0 ms',
    '16 ms',
    '2.1 s',
  ])
})
