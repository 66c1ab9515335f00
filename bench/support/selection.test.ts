import assert from 'node:assert/strict'
import { test } from 'node:test'
import { isSelected } from './selection.ts'

const BENCHMARKS = ['iamat', 'memory']

function selected(only: readonly string[]): string[] {
  return BENCHMARKS.flatMap((benchmark) => ['herd', 'redis'].map((contender) => [benchmark, contender]))
    .filter(([benchmark = '', contender = '']) =>
      isSelected({ benchmarks: BENCHMARKS, only }, benchmark, contender),
    )
    .map((pair) => pair.join(' '))
}

test('no names are all, and each kind of name narrows its own side', () => {
  assert.deepEqual(selected([]), ['iamat herd', 'iamat redis', 'memory herd', 'memory redis'])
  assert.deepEqual(selected(['memory']), ['memory herd', 'memory redis'])
  assert.deepEqual(selected(['herd']), ['iamat herd', 'memory herd'])
  assert.deepEqual(selected(['memory', 'herd']), ['memory herd'])
  assert.deepEqual(selected(['memory', 'iamat', 'herd']), ['iamat herd', 'memory herd'])
})
