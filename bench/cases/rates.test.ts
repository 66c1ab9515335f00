import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Sample } from './contender.ts'
import { formatShapeRounds, listRatios } from './rates.ts'

const OURS = { name: 'ours', title: 'our server' }
const THEIRS = { name: 'theirs', title: 'their server' }
const ABSENT = { name: 'absent', title: 'not measured' }

function sample(messagesPerSecond: number, serverCpu: number | undefined): Sample {
  return { messagesPerSecond, serverCpu, loadCpu: 0.5, batchP50Us: 10, batchP99Us: 20, details: {} }
}

const ROUNDS = new Map([
  [OURS, [sample(200, 1), sample(330, 1), sample(400, 0.5)]],
  [THEIRS, [sample(100, 1), sample(110, 1), sample(400, 1)]],
])

test('ratios are taken round by round, of rates and of rates per CPU second', () => {
  assert.deepEqual(
    listRatios(ROUNDS, [
      [OURS, THEIRS],
      [OURS, ABSENT],
    ]),
    [
      {
        name: 'ours / theirs',
        rate: { median: 2, min: 1, max: 3, rounds: [2, 3, 1] },
        perCpuSecond: { median: 2, min: 2, max: 3, rounds: [2, 3, 2] },
      },
    ],
  )
})

test('where the system tells no CPU times, the rates stand alone', () => {
  const rounds = new Map([
    [OURS, [sample(200, undefined)]],
    [THEIRS, [sample(100, undefined)]],
  ])
  const [ratio] = listRatios(rounds, [[OURS, THEIRS]])
  assert.equal(ratio?.rate.median, 2)
  assert.equal(ratio?.perCpuSecond, undefined)
})

test('the table names each server and each pair with medians', () => {
  const text = formatShapeRounds({ shape: { connections: 50, inFlight: 64 }, rounds: ROUNDS }, [
    [OURS, THEIRS],
  ])
  assert.match(text, /^50 connections × 64 in flight/)
  assert.match(text, /our server +330 +200 – 400 +100 % +50 % +3030.30 +10 +20/)
  assert.match(text, /ours \/ theirs +2.00 +1.00 – 3.00 +2.00 +2.00 – 3.00/)
})

test('it says so when neither server nor load filled its core', () => {
  const rounds = new Map([[OURS, [sample(200, 0.6), sample(200, 0.99)]]])
  const text = formatShapeRounds({ shape: { connections: 1, inFlight: 1 }, rounds }, [])
  assert.match(text, /^In 1 of 2 measurements neither server nor load/m)
})
