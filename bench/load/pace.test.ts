import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Pace } from './pace.ts'

function drain(pace: Pace, elapsedMs: number): number[] {
  const members: number[] = []
  for (let member = pace.next(elapsedMs); member !== -1; member = pace.next(elapsedMs)) members.push(member)
  return members
}

test('turns come evenly, everyone once a period, and nobody is left out when the clock jumps', () => {
  const pace = new Pace(4, 1000)
  assert.deepEqual(drain(pace, 0), [0])
  assert.deepEqual(drain(pace, 249), [])
  assert.deepEqual(drain(pace, 250), [1])
  assert.equal(pace.dueMs, 500)
  assert.deepEqual(drain(pace, 1500), [2, 3, 0, 1, 2])
  assert.equal(pace.dueMs, 1750)
})
