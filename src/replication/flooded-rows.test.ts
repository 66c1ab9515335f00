import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectedGraph } from '../../test/support/graph-generators.ts'
import { MemoryHerd } from '../../test/support/memory-herd.ts'
import { fc, runs } from '../../test/support/properties.ts'
import { OutputBuffer } from '../protocol/index.ts'
import { FloodedRows, type LinkFlood, type RowKind } from './flooded-rows.ts'

/** A name and a number, of which the greater holds; odd names are of no interest. */
type Row = { readonly name: string; readonly size: number }

const kind: RowKind<Row> = {
  word: 'row',
  nameOf: ({ name }) => name,
  read: (text) => {
    const [name = '', size = ''] = text.split(' ')
    return /^\d+$/.test(size) ? { name, size: Number(size) } : null
  },
  write: ({ name, size }) => `${name} ${size}`,
  join: (known, heard) => (heard.size > known.size ? heard : known),
  takes: ({ name }) => name !== 'odd',
}

function said(link: LinkFlood): string[] {
  const output = new OutputBuffer()
  link.pull(output)
  return output.take().toString('latin1').split('\n').slice(0, -1)
}

test('what a link has told is not told to it again, and is told to the others', () => {
  const rows = new FloodedRows(kind, 10)
  const [from, to] = [rows.openFor(), rows.openFor()]
  assert.deepEqual([from.owes, said(from), from.owes], [true, [], false])
  assert.deepEqual(
    [from.hear('a 1'), from.hear('a 1'), from.hear('a x'), from.hear('odd 1')],
    [...[true, false, false, false]],
  )
  assert.deepEqual([from.owes, to.owes], [true, true])
  assert.deepEqual([said(from), said(to)], [[], ['HERD 2 row a 1']])
  assert.deepEqual([from.owes, to.owes, said(to)], [false, false, []])
  assert.deepEqual(rows.rows, [{ name: 'a', size: 1 }])
})

test('who knows less than we do is told what we know', () => {
  const rows = new FloodedRows(kind, 10)
  rows.put({ name: 'a', size: 5 })
  const link = rows.openFor()
  assert.equal(link.hear('a 3'), false)
  assert.deepEqual(said(link), ['HERD 2 row a 5'])
})

test('a bound on rows: one of another name is not taken until one is forgotten', () => {
  const rows = new FloodedRows(kind, 2)
  let changes = 0
  rows.listen(() => changes++)
  const link = rows.openFor()
  const heard = ['a 1', 'b 1', 'c 1', 'a 2'].map((text) => link.hear(text))
  assert.deepEqual([heard, rows.size, rows.isFull, changes], [[true, true, false, true], 2, true, 3])
  rows.forget(({ name }) => name === 'a')
  assert.deepEqual([link.hear('c 1'), rows.get('a'), changes], [true, undefined, 4])
})

test('rows flood: in any connected herd all hear of all, whatever links break on the way, and then say no more', () => {
  const growth = fc.record({ server: fc.nat(), used: fc.nat(100), edge: fc.nat(), down: fc.boolean() })
  fc.assert(
    fc.property(connectedGraph, fc.array(growth, { maxLength: 20 }), ({ names, edges }, steps) => {
      const herd = new MemoryHerd(names, edges)
      herd.upAll()
      for (const { server, used, edge, down } of steps) {
        const name = names[server % names.length] ?? ''
        const row = { key: 'google', period: '2026-11-21', server: name, life: 'a', share: 100, wants: 0 }
        herd.named(name).budgets.put({ ...row, used, handed: new Map() })
        if (down) herd.down(edge % edges.length)
        else herd.up(edge % edges.length)
        for (const pipe of herd.pipes) pipe.send(Number.MAX_SAFE_INTEGER)
        for (const pipe of herd.pipes) pipe.arrive(30)
      }
      herd.upAll()
      herd.settle()
      const known = herd.servers.map(({ budgets }) => budgets.rowsOf('google', '2026-11-21'))
      const sorted = known.map((rows) => rows.toSorted((a, b) => (a.server < b.server ? -1 : 1)))
      for (const rows of sorted) assert.deepEqual(rows, sorted[0])
      assert.equal(sorted[0]?.length, new Set(steps.map(({ server }) => server % names.length)).size)
    }),
    runs(60),
  )
})
