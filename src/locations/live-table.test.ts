import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fewClientsLine } from '../../test/support/fix-generators.ts'
import { LineTable } from '../../test/support/fixes.ts'
import { NaiveTable, naiveEffectiveTime, readAt } from '../../test/support/naive-table.ts'
import { fc, runs } from '../../test/support/properties.ts'
import { NOT_NEWER, TEXT_FULL, TOO_MANY_CLIENTS } from './index.ts'

test('the table takes and gives what a Map with the naive order does', () => {
  fc.assert(
    fc.property(fc.array(fewClientsLine, { maxLength: 30 }), (lines) => {
      const table = new LineTable()
      const naive = new NaiveTable()
      for (const line of lines) {
        const record = table.apply(line)
        const { client } = readAt(line)
        if (naive.apply(line))
          assert.equal(record, naive.clients.indexOf(client), 'records are numbered once')
        else assert.equal(record, NOT_NEWER)
        assert.equal(table.line(table.get(client)), naive.get(client)?.line)
      }
      assert.equal(table.table.clients, naive.clients.length)
      assert.deepEqual(table.lines, naive.lines)
      assert.equal(table.get('nobody'), -1)
    }),
    runs(1000),
  )
})

test('any order and any repetition of the same fixes end in the same table', () => {
  const histories = fc
    .array(fewClientsLine, { minLength: 1, maxLength: 20 })
    .chain((lines) =>
      fc.tuple(
        fc.constant(lines),
        fc.shuffledSubarray([...lines, ...lines], { minLength: 0 }),
        fc.shuffledSubarray(lines, { minLength: lines.length }),
      ),
    )
  fc.assert(
    fc.property(histories, ([lines, some, all]) => {
      const one = new LineTable()
      const other = new LineTable()
      for (const line of lines) one.apply(line)
      for (const line of [...some, ...all, ...some]) other.apply(line)
      assert.deepEqual(other.lines, one.lines)
    }),
    runs(1000),
  )
})

test('what is read out of a record is what came in', () => {
  fc.assert(
    fc.property(fewClientsLine, (line) => {
      const table = new LineTable()
      const stored = table.table.read(table.apply(line))
      const fix = readAt(line)
      const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
      assert.deepEqual(
        [stored.client, stored.serverName, stored.skewText, stored.positionText, stored.timeText].map(text),
        [fix.client, fix.server, fix.skewText, fix.positionText, fix.timeText],
      )
      assert.deepEqual([stored.latitude, stored.longitude], [fix.latitude, fix.longitude])
    }),
    runs(300),
  )
})

test('the newest record is one of those with the newest effective time', () => {
  fc.assert(
    fc.property(fc.array(fewClientsLine, { minLength: 1, maxLength: 20 }), (lines) => {
      const table = new LineTable()
      assert.equal(table.table.newest, -1)
      for (const line of lines) table.apply(line)
      const times = table.lines.map((line) => naiveEffectiveTime(readAt(line)))
      const newest = naiveEffectiveTime(readAt(table.line(table.table.newest)))
      assert.ok(times.every((time) => time <= newest))
    }),
    runs(500),
  )
})

test('text of any length replaces text of any other', () => {
  const lengths = fc.array(fc.tuple(fc.nat(3), fc.integer({ min: 1, max: 300 })), { maxLength: 60 })
  fc.assert(
    fc.property(lengths, (steps) => {
      const table = new LineTable()
      const naive = new NaiveTable()
      steps.forEach(([client, length], step) => {
        const line = `AT Alford +0 client${client} +1+1 ${step}.${'7'.repeat(length)}`
        table.apply(line)
        naive.apply(line)
      })
      assert.deepEqual(table.lines, naive.lines)
    }),
    runs(300),
  )
})

test('at clientsMax a new client is refused, known ones go on', () => {
  const table = new LineTable({ clientsMax: 3, tableBytesMax: 1 << 20 })
  for (const client of 'abc') assert.ok(table.apply(`AT Alford +0 ${client} +1+1 1`) >= 0)
  const before = table.lines
  assert.equal(table.apply('AT Alford +0 d +1+1 1'), TOO_MANY_CLIENTS)
  assert.equal(table.get('d'), -1)
  assert.deepEqual(table.lines, before)
  assert.deepEqual(table.nearby(1, 1, 1000, 20), ['a', 'b', 'c'])
  assert.equal(table.apply('AT Alford +0 a +2+2 2'), 0)
  assert.equal(table.apply('AT Alford +0 a +1+1 1'), NOT_NEWER)
})

/** A table whose text is full of clients with lines of this many digits; how many clients there are. */
function fillText(digits: number): { table: LineTable; clients: number } {
  const table = new LineTable({ clientsMax: 1_000_000, tableBytesMax: 1 << 20 })
  for (let client = 0; ; client++) {
    const id = String(client).padStart(6, '0')
    if (table.apply(`AT Alford +0 ${id} +1+1 1.${'0'.repeat(digits)}`) === TEXT_FULL) {
      return { table, clients: client }
    }
  }
}

test('at tableBytesMax a longer fix is refused, and one as long or shorter is still taken', () => {
  const { table, clients } = fillText(200)
  assert.ok(clients > 4000)
  assert.equal(table.table.clients, clients)
  const before = table.line(0)
  assert.equal(table.apply(`AT Alford +0 000000 +1+1 2.${'0'.repeat(2000)}`), TEXT_FULL)
  assert.equal(table.line(0), before)
  assert.equal(table.apply(`AT Alford +0 000000 +1+1 2.${'0'.repeat(200)}`), 0)
  assert.equal(table.apply('AT Alford +0 000000 +1+1 3'), 0)
  assert.equal(table.line(0), 'AT Alford +0 000000 +1+1 3')
  assert.equal(table.line(1), `AT Alford +0 000001 +1+1 1.${'0'.repeat(200)}`)
  // What the short one gave back serves others.
  assert.equal(table.apply('AT Alford +0 another +1+1 3'), clients)
})

test('clients that keep changing the length of their text do not use the table up', () => {
  const table = new LineTable({ clientsMax: 100, tableBytesMax: 1 << 20 })
  for (let round = 0; round < 400; round++) {
    const digits = (round * 37) % 5000
    for (const client of ['a', 'b']) {
      const applied = table.apply(`AT Alford +0 ${client} +1+1 ${round}.${'7'.repeat(digits + 1)}`)
      assert.ok(applied >= 0, `round ${round}`)
    }
  }
  for (let client = 0; client < 90; client++) {
    assert.ok(table.apply(`AT Alford +0 other${client} +34.068930-118.445127 1479413884.392014450`) >= 0)
  }
})

test('bytes held are told by what they are for', () => {
  const table = new LineTable()
  table.apply('AT Alford +0 a +1+1 1')
  const { records, text, index, grid } = table.table.bytes
  assert.ok(records === 1 << 20 && text === 0 && index > 0 && grid > 0)
  table.apply(`AT Alford +0 a-rather-long-name${'-indeed'.repeat(8)} +1+1 1`)
  assert.equal(table.table.bytes.text, 1 << 20)
})
