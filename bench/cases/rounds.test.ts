import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Children } from '../support/children.ts'
import type { BenchContext } from './contender.ts'
import { compare, formatSpread, type Measurable, measureRounds, toData } from './rounds.ts'

const told: string[] = []
const CONTEXT: BenchContext = {
  children: new Children(),
  pinning: { note: '', wrap: (_role, ...line) => line },
  folder: '',
  rounds: 3,
  seconds: 1,
  warmUpSeconds: 1,
  clients: 1,
  objects: 100_000,
  wants: (_benchmark, { name }) => name !== 'unwanted',
  progress: (text) => told.push(text),
}

function contender(name: string, values: readonly number[], reason?: string): Measurable<number> {
  let round = 0
  return {
    name,
    title: `the ${name}`,
    missing: () => reason,
    measure: async () => values[round++] ?? assert.fail('measured too often'),
  }
}

test('contenders are measured in turn, and what is missing is said', async () => {
  const ours = contender('ours', [2, 6])
  const theirs = contender('theirs', [1, 2])
  const all = [ours, contender('unwanted', []), theirs, contender('absent', [], 'not here')]
  const rounds = await measureRounds('speed', all, 2, CONTEXT, String)

  assert.deepEqual(told, [
    'round 1, speed, the ours: 2',
    'round 1, speed, the theirs: 1',
    'round 2, speed, the ours: 6',
    'round 2, speed, the theirs: 2',
  ])
  assert.deepEqual(compare(rounds, ours, theirs, Number), { median: 2.5, min: 2, max: 3, rounds: [2, 3] })
  assert.equal(compare(rounds, ours, contender('absent', []), Number), undefined)
  assert.deepEqual(toData(rounds), {
    contenders: [
      { name: 'ours', title: 'the ours', rounds: [2, 6] },
      { name: 'theirs', title: 'the theirs', rounds: [1, 2] },
    ],
    notes: ['the absent: not measured, not here'],
  })
})

test('median and spread are written alike, and nothing is a dash', () => {
  assert.deepEqual(formatSpread({ median: 2, min: 1, max: 3.14 }, 1), ['2.0', '1.0 – 3.1'])
  assert.deepEqual(
    formatSpread({ median: 2, min: 1, max: 3 }, (value) => `${value} s`),
    ['2 s', '1 s – 3 s'],
  )
  assert.deepEqual(formatSpread(undefined, 1), ['–', '–'])
})
