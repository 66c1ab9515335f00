import assert from 'node:assert/strict'
import { test } from 'node:test'
import { UsageError } from './terminal.ts'
import { whosatOperands } from './whosat.ts'

const POLYGON = '{"type":"Polygon","coordinates":[[[0,0],[1,0],[1,1],[0,0]]]}'
const SPACED = ' {\n "type": "Polygon",\n "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]\n}\n'

test('what is left out of a question is filled in, what is given stays', () => {
  const cases: readonly (readonly [string[], string[]])[] = [
    [['kiwi'], ['10', '5']],
    [['kiwi', '2.5'], ['5']],
    [['kiwi', '2.5', '*'], []],
    [['kiwi', '2.5', '3', '60'], []],
    [
      ['NEAR', '+1-1'],
      ['10', '5'],
    ],
    [['NEAR', '-1-1', '2'], ['5']],
    [['NEAR', '+1-1', '2', '*', '60.5'], []],
    [['IN', '-1-1', '+1+1'], ['5']],
    [['IN', '+1-1', '+2+1', '*', '60'], []],
    [['IN', POLYGON], ['5']],
    [['IN', POLYGON, '*', '60'], []],
  ]
  for (const [words, more] of cases) assert.deepEqual(whosatOperands(words), [...words, ...more])
})

test('a client may be called like a word of the grammar', () => {
  assert.deepEqual(whosatOperands(['NEAR', '2']), ['NEAR', '2', '5'])
  assert.deepEqual(whosatOperands(['IN']), ['IN', '10', '5'])
  assert.deepEqual(whosatOperands(['IN', '2']), ['IN', '2', '5'])
  assert.deepEqual(whosatOperands(['near', '2', '3']), ['near', '2', '3'])
})

test('GeoJSON may be spaced as people space it', () => {
  assert.deepEqual(whosatOperands(['IN', SPACED, '*']), ['IN', POLYGON, '*'])
  assert.throws(() => whosatOperands(['IN', '{"type": x}']), UsageError)
})

test('more words than a form has are refused', () => {
  for (const words of [
    ['kiwi', '1', '2', '3', '4'],
    ['NEAR', '+1+1', '1', '2', '3', '4'],
    ['IN', '+1+1', '+2+2', '1', '2', '3'],
    ['IN', POLYGON, '1', '2', '3'],
  ]) {
    assert.throws(() => whosatOperands(words), UsageError, words.join(' '))
  }
})
