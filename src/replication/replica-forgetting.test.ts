import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toNanotime } from '../../test/support/fixes.ts'
import { connectedGraph } from '../../test/support/graph-generators.ts'
import { MemoryHerd, MemoryServer } from '../../test/support/memory-herd.ts'
import { NaiveTable, naiveEffectiveTime, readAt } from '../../test/support/naive-table.ts'
import { fc, runs } from '../../test/support/properties.ts'
import { FORGOTTEN } from '../locations/index.ts'
import { OutputBuffer } from '../protocol/index.ts'

const SECOND = 1_000_000_000n
/** Records without anything to send that a batch passes over at most. */
const PASSED_OVER_MAX = 16_384

function forget(server: MemoryServer, seconds: number): void {
  server.replica.forget(toNanotime(BigInt(seconds) * SECOND))
}

const event = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .tuple(
        fc.constantFrom('kiwi', 'emu', 'moa'),
        fc.integer({ min: 100, max: 150 }),
        // Far ahead, a fix counts from a minute after it was received.
        fc.constantFrom('+0', '+5', '-70', '-80.5'),
        fc.constantFrom('A', 'B'),
      )
      .map(([client, time, skew, server]) => ({
        what: 'report' as const,
        line: `AT ${server} ${skew} ${client} +1+1 ${time}`,
      })),
  },
  {
    weight: 2,
    arbitrary: fc.record({ what: fc.constant('forget' as const), now: fc.integer({ min: 100, max: 140 }) }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('sweep' as const) }) },
  {
    weight: 4,
    arbitrary: fc.record({ what: fc.constant('move' as const), bytes: fc.integer({ min: 1, max: 100 }) }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constantFrom('up' as const, 'down' as const) }) },
)

test('servers with the same clock agree on who is forgotten, without a word, however late they hear what', () => {
  const events = fc.array(fc.tuple(fc.nat(), event), { maxLength: 80 })
  fc.assert(
    fc.property(connectedGraph, events, (graph, events) => {
      const herd = new MemoryHerd(graph.names, graph.edges, { forgetAfterSeconds: 10 })
      const naive = new NaiveTable()
      herd.upAll()
      for (const [where, event] of events) {
        const server = herd.server(where % herd.servers.length)
        const pipe = herd.pipes[where % Math.max(1, herd.pipes.length)]
        if (event.what === 'report') {
          server.takeAt(event.line)
          naive.apply(event.line)
        } else if (event.what === 'forget') forget(server, event.now)
        else if (event.what === 'sweep') server.replica.table.sweep(1000)
        else if (event.what === 'move') {
          pipe?.send(event.bytes)
          pipe?.arrive(event.bytes)
        } else if (event.what === 'up') herd.up(where % herd.edges.length)
        else herd.down(where % herd.edges.length)
      }
      herd.upAll()
      for (const server of herd.servers) forget(server, 140)
      herd.settle()
      const kept = naive.lines.filter((line) => naiveEffectiveTime(readAt(line)) >= 130n * SECOND)
      for (const server of herd.servers) assert.deepEqual(server.lines, kept)
      // Nor does anybody say again what somebody has forgotten.
      for (const server of herd.servers) server.replica.table.sweep(1000)
      herd.settle()
      for (const server of herd.servers) assert.equal(server.replica.table.clients, kept.length)
    }),
    runs(600),
  )
})

test('what is too old when it comes is not kept, nor passed on, and says so', () => {
  const { replica, takeAt } = bound(new MemoryServer('A', { forgetAfterSeconds: 10 }))
  replica.forget(toNanotime(200n * SECOND))
  const queue = replica.connect('classic')
  assert.equal(takeAt('AT A +0 kiwi +1+1 189.999999999'), FORGOTTEN)
  assert.equal(takeAt('AT A -100 kiwi +1+1 229.999999999'), FORGOTTEN)
  assert.equal(queue.length, 0)
  assert.ok(takeAt('AT A +0 kiwi +1+1 190') >= 0)
  assert.equal(queue.length, 1)
})

test('a clock that is set back remembers nothing again', () => {
  const { replica, takeAt } = bound(new MemoryServer('A', { forgetAfterSeconds: 10 }))
  replica.forget(toNanotime(200n * SECOND))
  replica.forget(toNanotime(100n * SECOND))
  assert.equal(takeAt('AT A +0 kiwi +1+1 150'), FORGOTTEN)
})

test('without forgetAfter nothing is too old', () => {
  const { replica, takeAt } = bound(new MemoryServer('A'))
  replica.forget(toNanotime(1_000_000_000n * SECOND))
  assert.ok(takeAt('AT A +0 kiwi +1+1 0') >= 0)
})

test('what is forgotten is not sent to a new link, nor over one that owed it before', () => {
  const server = new MemoryServer('A', { forgetAfterSeconds: 10 })
  const { replica, takeAt } = bound(server)
  const open = replica.connect('classic')
  takeAt('AT A +0 old +1+1 100')
  takeAt('AT A +0 young +1+1 200')
  forget(server, 205)
  for (const queue of [open, replica.connect('classic')]) {
    assert.equal(queue.length, 2)
    const output = new OutputBuffer()
    assert.equal(replica.nextBatch(queue, output, 10_000), 1)
    assert.equal(output.take().toString(), 'AT A +0 young +1+1 200\n')
    assert.equal(queue.length, 0)
  }
})

test('PASSED_OVER_MAX: a batch passes over so many, the next goes on from there, and nothing is lost', () => {
  const server = new MemoryServer('A', { forgetAfterSeconds: 10 })
  const { replica, takeAt } = bound(server)
  const open = replica.connect('classic')
  const forgotten = 2 * PASSED_OVER_MAX + 100
  for (let client = 0; client < forgotten; client++) takeAt(`AT A +0 old${client} +1+1 100`)
  for (const client of ['kiwi', 'emu', 'moa']) takeAt(`AT A +0 ${client} +1+1 200`)
  forget(server, 205)
  for (const queue of [open, replica.connect('classic')]) {
    const output = new OutputBuffer()
    const batch = (): [number, number] => [replica.nextBatch(queue, output, 60), queue.length]
    assert.deepEqual(batch(), [0, PASSED_OVER_MAX + 103])
    assert.deepEqual(batch(), [0, 103])
    const lines: number[] = []
    while (queue.length > 0) lines.push(batch()[0])
    assert.ok(lines.every((count) => count > 0))
    const sent = output.take().toString().trimEnd().split('\n')
    assert.deepEqual(
      sent.map((line) => line.split(' ')[3]),
      ['kiwi', 'emu', 'moa'],
    )
  }
})

function bound(server: MemoryServer): { replica: MemoryServer['replica']; takeAt: (line: string) => number } {
  return { replica: server.replica, takeAt: (line) => server.takeAt(line) }
}
