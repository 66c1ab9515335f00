import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryHerd, memoryClock } from '../../test/support/memory-herd.ts'

/** Lets so many heartbeats of a second pass. */
function beat(herd: MemoryHerd, beats: number): void {
  for (let turn = 0; turn < beats; turn++) {
    memoryClock.ms += 1000
    for (const pipe of herd.pipes) assert.equal(pipe.session.beat(), null)
    herd.settle()
  }
}

/** A chain of three; the middle one has heard a fix of the last, and will never hear it claimed. */
function withOrphan(): MemoryHerd {
  const herd = new MemoryHerd(
    ['A', 'B', 'C'],
    [
      [0, 1],
      [1, 2],
    ],
  )
  herd.upAll()
  herd.settle()
  for (const client of ['kiwi', 'emu']) herd.server(2).takeAt(`AT C +0 ${client} +1+1 1`)
  const fromC = herd.pipes.find((pipe) => pipe.from.name === 'C')
  memoryClock.ms += 1000
  fromC?.send(1)
  fromC?.arrive(1000)
  herd.down(1)
  herd.settle()
  return herd
}

test('what a dead run has left is adopted by an audit, and the next audit is sound', () => {
  const herd = withOrphan()
  const [a, b] = [herd.server(0), herd.server(1)]
  const isCovered = (): boolean[] => [a, b].map(({ replica }) => replica.vector.covers(replica.stampOf(0)))
  assert.deepEqual(a.lines, ['AT C +0 kiwi +1+1 1'])
  assert.deepEqual(isCovered(), [false, false])
  const sent = herd.pipes.map((pipe) => pipe.sent)
  beat(herd, 200)
  assert.deepEqual(isCovered(), [true, true])
  for (const { counters } of [a, b]) assert.ok(counters.audits > 0 && counters.auditsFailed === 0)
  assert.deepEqual(
    herd.pipes.map((pipe) => pipe.sent),
    sent,
    'no fix has to be sent for it',
  )
})

test('an audit finds what a table has lost, and both ends repair it', () => {
  const herd = new MemoryHerd(['A', 'B'], [[0, 1]])
  herd.upAll()
  for (let client = 0; client < 50; client++) herd.server(0).takeAt(`AT A +0 client${client} +1+1 1`)
  herd.settle()
  const [a, b] = [herd.server(0), herd.server(1)]
  b.replica.table.remove(17)
  assert.notDeepEqual(a.lines, b.lines)
  beat(herd, 100)
  assert.deepEqual(a.lines, b.lines)
  assert.ok(a.counters.auditsFailed > 0 && b.counters.auditsFailed > 0)
})
