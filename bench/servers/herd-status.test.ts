import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { ServerStatus } from '../../src/replication/status.ts'
import { isQuiet, linesUnderWay, sumOf } from './herd-status.ts'

function statusOf(linkLinesOut: number, linkLinesIn: number, queued: readonly number[]): ServerStatus {
  const links = queued.map((owed) => ({
    neighbor: 'Ball',
    open: true,
    classic: false,
    joined: false,
    caughtUp: true,
    roundTripMs: null,
    clockOffsetMs: null,
    forSeconds: 1,
    queued: owed,
  }))
  const counters = { linkLinesOut, linkLinesIn }
  return {
    ...{ server: 'Alford', herd: 'bench', run: '0', pid: 1, upSeconds: 1, clients: 0, lastFix: null },
    ...{ connections: 0, links, counters, members: [] },
    ...{ readiness: 'ready', journal: 'ok', hasTwin: false },
  }
}

test('lines under way are those that were sent and have not come', () => {
  assert.equal(linesUnderWay([statusOf(10, 3, []), statusOf(2, 7, [])]), 2)
})

test('a herd is quiet when nothing is owed and no more is under way than when it was quiet before', () => {
  const quiet = [statusOf(10, 3, [0, 0]), statusOf(2, 7, [0])]
  assert.equal(isQuiet(quiet, 2), true)
  assert.equal(isQuiet(quiet, 0), false)
  assert.equal(isQuiet([statusOf(10, 3, [0, 1]), statusOf(2, 7, [0])], 2), false)
})

test('a counter that is not there is an error, not 0', () => {
  assert.throws(() => sumOf([statusOf(0, 0, [])], 'linesOut'), /no counter linesOut/)
})
