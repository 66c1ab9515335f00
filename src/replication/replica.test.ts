import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fewClientsLine } from '../../test/support/fix-generators.ts'
import { connectedGraph } from '../../test/support/graph-generators.ts'
import { MemoryHerd, MemoryServer } from '../../test/support/memory-herd.ts'
import { NaiveTable } from '../../test/support/naive-table.ts'
import { fc, runs } from '../../test/support/properties.ts'
import { OutputBuffer } from '../protocol/index.ts'

/** What may happen to a herd. Numbers are taken modulo what there is. */
const event = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ what: fc.constant('report' as const), where: fc.nat(), line: fewClientsLine }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ what: fc.constant('send' as const), where: fc.nat(), size: fc.nat(300) }),
  },
  {
    weight: 6,
    arbitrary: fc.record({ what: fc.constant('arrive' as const), where: fc.nat(), size: fc.nat(120) }),
  },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('up' as const), where: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('down' as const), where: fc.nat() }) },
)
type HerdEvent = typeof event extends fc.Arbitrary<infer T> ? T : never

function happen(herd: MemoryHerd, event: HerdEvent, naive: NaiveTable): void {
  const pipes = herd.pipes
  const pipe = pipes[event.where % Math.max(1, pipes.length)]
  switch (event.what) {
    case 'report':
      herd.server(event.where % herd.servers.length).takeAt(event.line)
      naive.apply(event.line)
      break
    case 'send':
      pipe?.send(event.size)
      break
    case 'arrive':
      pipe?.arrive(event.size)
      break
    case 'up':
      herd.up(event.where % herd.edges.length)
      break
    case 'down':
      herd.down(event.where % herd.edges.length)
      break
  }
}

test('whatever happened, once all links are up and quiet all servers hold the same', () => {
  fc.assert(
    fc.property(connectedGraph, fc.array(event, { maxLength: 80 }), (graph, events) => {
      const herd = new MemoryHerd(graph.names, graph.edges)
      const naive = new NaiveTable()
      herd.upAll()
      for (const event of events) happen(herd, event, naive)
      herd.upAll()
      herd.settle()
      for (const server of herd.servers) assert.deepEqual(server.lines, naive.lines)
    }),
    runs(600),
  )
})

/** Moves one line at a time, over pipes and at steps chosen by these numbers, until all is quiet. */
function trickle(herd: MemoryHerd, choices: readonly number[]): void {
  for (let turn = 0; ; turn++) {
    const choice = choices[turn % choices.length] ?? 0
    const busy = herd.pipes.filter((pipe) => !pipe.isQuiet)
    const pipe = busy[choice % Math.max(1, busy.length)]
    if (pipe === undefined) return
    const isSending = pipe.isEmpty || (pipe.queue.length > 0 && choice % 2 === 0)
    if (isSending) pipe.send(1)
    else pipe.arrive(1000)
  }
}

test('one update costs at most 2E − n + 1 messages, and never goes back where it was news from', () => {
  const choices = fc.array(fc.nat(1000), { minLength: 1, maxLength: 40 })
  fc.assert(
    fc.property(connectedGraph, fc.nat(), choices, (graph, origin, choices) => {
      const herd = new MemoryHerd(graph.names, graph.edges)
      herd.upAll()
      herd.server(origin % herd.servers.length).takeAt('AT S0 +0 kiwi +1+1 1')
      trickle(herd, choices)
      const sent = herd.pipes.reduce((sum, pipe) => sum + pipe.sent, 0)
      assert.ok(sent <= 2 * graph.edges.length - graph.names.length + 1, `${sent} messages`)
      assert.equal(
        herd.pipes.reduce((sum, pipe) => sum + pipe.news, 0),
        graph.names.length - 1,
      )
      for (const pipe of herd.pipes) if (pipe.news > 0) assert.equal(pipe.back?.sent, 0)
    }),
    runs(600),
  )
})

test('what is known already goes nowhere', () => {
  const herd = new MemoryHerd(
    ['A', 'B', 'C'],
    [
      [0, 1],
      [1, 2],
      [0, 2],
    ],
  )
  herd.upAll()
  herd.server(0).takeAt('AT A +0 kiwi +1+1 10')
  herd.settle()
  const before = herd.pipes.map((pipe) => pipe.sent)
  for (const line of ['AT A +0 kiwi +1+1 10', 'AT A +0 kiwi +1+1 9', 'AT A +0 kiwi +1+0 10']) {
    for (const server of herd.servers) assert.ok(server.takeAt(line) < 0, line)
  }
  assert.ok(herd.pipes.every((pipe) => pipe.isQuiet))
  assert.deepEqual(
    herd.pipes.map((pipe) => pipe.sent),
    before,
  )
})

test('a slow link sends the newest of each client, in the order of their first change', () => {
  const herd = new MemoryHerd(['A', 'B'], [[0, 1]])
  herd.upAll()
  for (let turn = 0; turn < 1000; turn++) {
    for (const client of ['kiwi', 'emu', 'moa']) herd.server(0).takeAt(`AT A +0 ${client} +1+1 ${turn}`)
  }
  const [there] = herd.pipes
  assert.equal(there?.queue.length, 3)
  there?.send(1_000_000)
  assert.deepEqual(there?.wire, ['AT A +0 kiwi +1+1 999', 'AT A +0 emu +1+1 999', 'AT A +0 moa +1+1 999'])
})

test('a value is read when it is sent, also by the sweep of a new link', () => {
  const herd = new MemoryHerd(['A', 'B'], [[0, 1]])
  herd.server(0).takeAt('AT A +0 kiwi +1+1 1')
  herd.upAll()
  herd.server(0).takeAt('AT A +0 kiwi +2+2 2')
  const [there] = herd.pipes
  there?.send(1_000_000)
  assert.deepEqual(there?.wire, ['AT A +0 kiwi +2+2 2'])
  assert.equal(there?.queue.length, 0)
})

test('a batch shares its bytes between catching up and what is new, and keeps its bound', () => {
  const herd = new MemoryHerd(['A', 'B'], [[0, 1]])
  const line = (client: string): string => `AT A +0 ${client} +1+1 1`
  for (let client = 0; client < 100; client++) herd.server(0).takeAt(line(`old${100 + client}`))
  herd.upAll()
  for (let client = 0; client < 100; client++) herd.server(0).takeAt(line(`new${100 + client}`))
  const lineBytes = line('old100').length + 1
  const [there] = herd.pipes
  there?.send(20 * lineBytes)
  const wire = there?.wire ?? []
  const kinds = wire.map((sent) => sent.slice(8, 11))
  assert.deepEqual(kinds, kinds.toSorted().toReversed(), 'first the old')
  // Stamps come on top, and are not of one length.
  const old = kinds.filter((kind) => kind === 'old').length
  assert.ok(old >= 7 && old <= 10 && Math.abs(kinds.length - 2 * old) <= 3, `${old} of ${kinds.length}`)
  // What one of them leaves, the other gets.
  herd.pipes[0]?.send(1_000_000)
  assert.equal(there?.wire.length, 200)
})

test('a lost link owes nothing more, and a new one owes everything', () => {
  const { replica, takeAt } = bound(new MemoryServer('A'))
  const queue = replica.connect('classic')
  takeAt('AT A +0 kiwi +1+1 1')
  assert.equal(queue.length, 1)
  replica.disconnect(queue)
  takeAt('AT A +0 emu +1+1 1')
  assert.equal(queue.length, 1)
  assert.equal(replica.connect('classic').length, 2)
})

test('the links are woken once for a fix that is news, and not for others', () => {
  const { replica, takeAt } = bound(new MemoryServer('A'))
  let woken = 0
  replica.listen({ owed: () => woken++, claimed: () => {} })
  takeAt('AT A +0 kiwi +1+1 1')
  assert.equal(woken, 0)
  const queue = replica.connect('classic')
  replica.connect('classic')
  takeAt('AT A +0 kiwi +1+1 2')
  assert.equal(woken, 1)
  takeAt('AT A +0 kiwi +1+1 2')
  assert.equal(woken, 1)
  replica.disconnect(queue)
  assert.equal(replica.nextBatch(queue, new OutputBuffer(), 1000), 1)
})

function bound(server: MemoryServer): { replica: MemoryServer['replica']; takeAt: (line: string) => number } {
  return { replica: server.replica, takeAt: (line) => server.takeAt(line) }
}
