import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatCount, formatDecimal, formatShare, formatTable } from './table.ts'

test('columns are as wide as their widest cell, numbers stand at the right', () => {
  const text = formatTable(
    [
      { title: 'server', align: 'left' },
      { title: 'msg/s', align: 'right' },
    ],
    [
      ['echo', '1,200'],
      ['a longer name', '5'],
    ],
  )
  assert.equal(
    text,
    [
      'server         msg/s', //
      '-------------  -----',
      'echo           1,200',
      'a longer name      5',
    ].join('\n'),
  )
})

test('a missing cell is empty, and no line ends in spaces', () => {
  const text = formatTable(
    [
      { title: 'a', align: 'left' },
      { title: 'note', align: 'left' },
    ],
    [['1']],
  )
  assert.equal(text, 'a  note\n-  ----\n1')
})

test('figures are written for people', () => {
  assert.equal(formatCount(1234567.8), '1,234,568')
  assert.equal(formatShare(0.934), '93 %')
  assert.equal(formatShare(undefined), '–')
  assert.equal(formatDecimal(1.239, 2), '1.24')
  assert.equal(formatDecimal(undefined, 2), '–')
})
