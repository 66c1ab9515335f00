import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Owed } from './owed.ts'

test('a sweep that repairs sends what is chosen, and what the other end lacks', () => {
  const owed = new Owed('neighbor', 0)
  owed.vectorCame()
  assert.ok(owed.repair(10, (record) => record === 3))
  assert.ok(!owed.repair(10, () => true), 'one at a time')
  assert.ok(owed.isWanted(3, true))
  assert.ok(!owed.isWanted(4, true))
  // What is marked while the sweep has still to come by is left to the sweep.
  owed.queue.mark(5)
  assert.equal(owed.queue.made, 0)
  assert.ok(owed.isWanted(5, false))
})
