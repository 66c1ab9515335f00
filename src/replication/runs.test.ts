import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryServer } from '../../test/support/memory-herd.ts'
import { MemoryLink } from '../../test/support/memory-journal.ts'
import { Runs } from './runs.ts'

test('each run has one index, until it is dropped; those heard of least lately go first, never our own', () => {
  const runs = new Runs(8)
  const own = runs.indexOf('Alford', 'a')
  const others = Array.from({ length: 7 }, (_, index) => runs.indexOf('Ball', String(index)))
  assert.equal(new Set([own, ...others]).size, 8)
  assert.equal(runs.indexOf('Ball', '3'), others[3])
  assert.ok(runs.isFull)
  assert.equal(runs.indexOf('Ball', 'one-more'), -1)
  // Index 0 is no run.
  assert.equal(runs.get(0), null)
  assert.ok(!others.includes(0))

  runs.heard(others[0] ?? 0)
  const dropped = runs.dropOldest(own)
  assert.deepEqual(dropped, [others[1], others[2]])
  for (const index of dropped) assert.equal(runs.get(index), null)
  assert.deepEqual(runs.get(own), { server: 'Alford', id: 'a' })
  assert.deepEqual(runs.get(others[0] ?? 0), { server: 'Ball', id: '0' })
  assert.equal(runs.count, 6)
  assert.ok(dropped.includes(runs.indexOf('Ball', 'one-more')), 'an index is used again')
  assert.equal(runs.end, 9)
})

test('a run is its server and its ID: neither alone', () => {
  const runs = new Runs(8)
  const indexes = [runs.indexOf('A', 'b'), runs.indexOf('B', 'b'), runs.indexOf('A', 'c')]
  assert.equal(new Set(indexes).size, 3)
})

test('more starts of servers than are told apart: the oldest are forgotten, and the tables stay equal', () => {
  const limits = { runsMax: 8 }
  const lasting = new MemoryServer('Alford', limits)
  const next = new MemoryServer('Ball', limits)
  const between = new MemoryLink(lasting, next)
  let time = 0
  for (let life = 0; life < 40; life++) {
    const starting = new MemoryServer('Welsh', limits, life)
    const link = new MemoryLink(starting, lasting)
    starting.takeAt(`AT Welsh +0 kiwi +1+1 ${++time}`)
    starting.takeAt(`AT Welsh +0 of-life-${life} +1+1 ${++time}`)
    link.settle()
    lasting.takeAt(`AT Alford +0 emu +1+1 ${++time}`)
    between.settle()
    link.settle()
    assert.deepEqual(starting.lines, lasting.lines)
    assert.deepEqual(next.lines, lasting.lines)
    assert.ok(lasting.replica.runs.count <= 8 && next.replica.runs.count <= 8)
    link.close()
  }
  // What each claims it holds: a link that is made anew brings nothing that isn't there.
  between.close()
  const again = new MemoryLink(lasting, next)
  lasting.takeAt(`AT Alford +0 last +1+1 ${++time}`)
  again.settle()
  assert.deepEqual(next.lines, lasting.lines)
  assert.equal(next.lines.length, 43)
})

test('a run that a neighbor speaks of and that there is no room for is dropped later, not before', () => {
  const server = new MemoryServer('Alford', { runsMax: 8 })
  server.takeAt('AT Alford +0 kiwi +1+1 1')
  const { replica } = server
  const own = replica.ownStamp
  for (let index = 0; index < 100; index++) assert.notEqual(replica.runIndex('Ball', String(index)), -1)
  assert.ok(replica.vector.covers(own))
  assert.equal(replica.stampOf(0), own)
})
