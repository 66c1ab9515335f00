import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FloodGate } from './flood-gate.ts'

test('nobody sends before it is open, nor after', () => {
  const gate = new FloodGate(2, 4)
  assert.equal(gate.take(0, 1000), false)
  gate.open(1000, Number.POSITIVE_INFINITY)
  assert.equal(gate.take(0, 1001), true)
  gate.close()
  assert.equal(gate.take(0, 1002), false)
  assert.equal(gate.sent, 1)
})

test('a connection waits for the slowest', () => {
  const gate = new FloodGate(3, 2)
  gate.open(0, Number.POSITIVE_INFINITY)
  assert.deepEqual(
    [0, 0, 0, 1, 0, 2, 0].map((connection) => gate.take(connection, 1)),
    [true, true, false, true, false, true, true],
  )
})

test('with a rate no more is sent than its share of the time, and what was late is caught up', () => {
  const gate = new FloodGate(1, 100)
  gate.open(0, 2000)
  const countAt = (ms: number): number => {
    let taken = 0
    while (gate.take(0, ms)) taken += 1
    return taken
  }
  assert.deepEqual([0, 1, 2, 5].map(countAt), [0, 2, 2, 6])
})

test('opened again it begins anew', () => {
  const gate = new FloodGate(2, 1)
  gate.open(0, Number.POSITIVE_INFINITY)
  assert.equal(gate.take(0, 1), true)
  gate.open(5, Number.POSITIVE_INFINITY)
  assert.equal(gate.take(0, 6), true)
  assert.equal(gate.sent, 1)
})
