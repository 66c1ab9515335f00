import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectedGraph } from '../../test/support/graph-generators.ts'
import { MemoryHerd, MemoryServer } from '../../test/support/memory-herd.ts'
import { NaiveTable } from '../../test/support/naive-table.ts'
import { fc, runs } from '../../test/support/properties.ts'
import { OutputBuffer } from '../protocol/index.ts'
import { LINK_VERSION } from './handshake.ts'
import type { OwedTo } from './owed.ts'

/** AT lines that are often the same but for their attributes. */
const line = fc
  .tuple(
    fc.constantFrom(
      'AT A +0 kiwi +1+1 1',
      'AT A +0 emu +1+1 1',
      'AT B +0 kiwi +1+1 1',
      'AT A +0 kiwi +1+1 2',
    ),
    fc.constantFrom('', ' {"battery":0.5}', ' {"battery":0.6}', ' {"tags":{"a":"\xc3\xa9"}}', ' {}'),
  )
  .map(([at, attributes]) => at + attributes)

test('attributes travel with their fix and break the last ties: in whatever order, all servers end with the same', () => {
  const steps = fc.array(fc.tuple(fc.nat(), fc.oneof(line, fc.integer({ min: 1, max: 200 }))), {
    maxLength: 60,
  })
  fc.assert(
    fc.property(connectedGraph, steps, (graph, steps) => {
      const herd = new MemoryHerd(graph.names, graph.edges)
      const naive = new NaiveTable()
      herd.upAll()
      for (const [where, what] of steps) {
        if (typeof what === 'string') {
          herd.server(where % herd.servers.length).takeAt(what)
          naive.apply(what)
        } else {
          const pipe = herd.pipes[where % herd.pipes.length]
          pipe?.send(what)
          pipe?.arrive(what)
        }
      }
      herd.settle()
      for (const server of herd.servers) assert.deepEqual(server.lines, naive.lines)
    }),
    runs(400),
  )
})

test('a neighbor of the old kind, and a client, are told without them', () => {
  const server = new MemoryServer('A')
  server.takeAt('AT A +0 kiwi +1+1 1 {"speed":3}')
  server.takeAt('AT A +0 emu +1+1 1')
  const sent = (to: OwedTo): string => {
    const output = new OutputBuffer()
    assert.equal(server.replica.nextBatch(server.replica.connect(to), output, 10_000), 2)
    return output.take().toString()
  }
  const run = `HERD ${LINK_VERSION} run 1 A 0\n`
  assert.equal(sent('disk'), `${run}AT A +0 kiwi +1+1 1 {"speed":3} @1.1\nAT A +0 emu +1+1 1 @1.2\n`)
  assert.equal(sent('classic'), 'AT A +0 kiwi +1+1 1\nAT A +0 emu +1+1 1\n')
  const query = Buffer.from('WHATSAT kiwi 1 1')
  server.parser.parse(query, 0, query.length)
  assert.notEqual(server.commands.whatsat(query), null)
  assert.equal(server.output.take().toString(), 'AT A +0 kiwi +1+1 1\n')
})

test('a newer fix without attributes leaves none of the older, and the other way round', () => {
  const server = new MemoryServer('A')
  for (const at of [
    'AT A +0 kiwi +1+1 1 {"speed":3}',
    'AT A +0 kiwi +1+1 2',
    'AT A +0 kiwi +1+1 3 {"speed":4}',
  ]) {
    assert.ok(server.takeAt(at) >= 0)
    assert.deepEqual(server.lines, [at])
  }
  assert.ok(server.takeAt('AT A +0 kiwi +1+1 2 {"speed":9}') < 0)
})

test('however a line is spaced, its attributes are kept with one space before them', () => {
  const server = new MemoryServer('A')
  server.takeAt(' AT\tA  +0 kiwi\v+1+1 1 \t{"speed":3} \r')
  assert.deepEqual(server.lines, ['AT A +0 kiwi +1+1 1 {"speed":3}'])
})
