import assert from 'node:assert/strict'
import { test } from 'node:test'
import { connectedGraph } from '../../test/support/graph-generators.ts'
import { MemoryHerd, memoryClock } from '../../test/support/memory-herd.ts'
import { fc, runs } from '../../test/support/properties.ts'
import { OutputBuffer } from '../protocol/index.ts'
import type { LinkFlood } from './flooded-rows.ts'
import {
  HEALTH_BYTES_MAX,
  HEALTH_LINKS_MAX,
  type HealthRow,
  joinHealthRows,
  makeHealthRow,
  readHealthRow,
  type ServerHealth,
  writeHealthRow,
} from './health-row.ts'
import { HEALTH_FRESH_MS, HealthRows, tablesAgree } from './health-rows.ts'
import { MEMBER_LINE_BYTES_MAX } from './members.ts'

const count = fc.oneof(fc.nat(), fc.double({ min: 0, max: 1e9, noNaN: true }))
const name = fc.constantFrom('Alford', 'Ball', 'Hamilton', 'W.e_l-sh')
const link = fc.record(
  {
    neighbor: name,
    open: fc.boolean(),
    round_trip_ms: fc.option(count),
    queued: fc.nat(),
    in_per_s: count,
    out_per_s: count,
  },
  { noNullPrototype: true },
)
const budget = fc.record(
  {
    provider: fc.constantFrom('google', 'overpass'),
    per: fc.constantFrom('day' as const, 'month' as const),
    period: fc.constantFrom('2026-11', '2026-11-21'),
    budget: fc.nat(),
    used_here: fc.nat(),
    used_by_herd: fc.nat(),
    left_here: fc.nat(),
  },
  { noNullPrototype: true },
)
const anyHealth: fc.Arbitrary<ServerHealth> = fc.record(
  {
    version: fc.constant('1.0.0'),
    up_s: fc.nat(),
    readiness: fc.constantFrom('ready' as const, 'catching up' as const, 'alone' as const),
    clients: fc.nat(),
    connections: fc.nat(),
    watchers: fc.nat(),
    fixes_per_s: count,
    accepted_per_s: count,
    busy_pct: count,
    audits_failed: fc.nat(),
    clock_off_ms: fc.option(fc.integer()),
    http: fc.boolean(),
    mqtt: fc.boolean(),
    links: fc.array(link, { maxLength: 5 }),
    budgets: fc.array(budget, { maxLength: 3 }),
    vector: fc.constantFrom('0123456789abcdef', 'fedcba9876543210'),
  },
  { noNullPrototype: true },
)
const PLAIN: ServerHealth = {
  ...{ version: '1.0.0', up_s: 1, readiness: 'ready', clients: 3, connections: 2, watchers: 0 },
  ...{ fixes_per_s: 0, accepted_per_s: 0, busy_pct: 0, audits_failed: 0, clock_off_ms: null },
  ...{ http: true, mqtt: false, links: [], budgets: [], vector: 'a' },
}
/** Rows of one server. */
const anyRow: fc.Arbitrary<HealthRow> = fc
  .tuple(fc.nat(3), fc.constantFrom('a', 'b'), anyHealth)
  .map(([version, run, health]) => makeHealthRow({ name: 'Ball', version, run, heardMs: 0 }, health))

function said(flood: LinkFlood): string[] {
  const output = new OutputBuffer()
  flood.pull(output)
  return output.take().toString('latin1').split('\n').slice(0, -1)
}

function rowsOf(server: string, run = 'a', rowsMax = 10): { rows: HealthRows; clock: { ms: number } } {
  const clock = { ms: 0 }
  return { rows: new HealthRows({ name: server, run, rowsMax, nowMs: () => clock.ms }), clock }
}

function rowText(server: string, version: number, run = 'a', health: ServerHealth = PLAIN): string {
  return writeHealthRow(makeHealthRow({ name: server, version, run, heardMs: 0 }, health))
}

test('a row that is written is read as it was', () => {
  fc.assert(
    fc.property(anyRow, (row) => {
      const read = readHealthRow(writeHealthRow(row), 7)
      // What JSON says, which has no −0, in whatever order.
      assert.deepEqual(read, { ...row, heardMs: 7, health: JSON.parse(row.text) })
    }),
    runs(200),
  )
})

test('rows of one server have a newest one, whatever order they come in, and however often', () => {
  fc.assert(
    fc.property(anyRow, anyRow, anyRow, (a, b, c) => {
      const text = (row: HealthRow): string => writeHealthRow(row)
      assert.equal(joinHealthRows(a, a), a)
      assert.equal(text(joinHealthRows(a, b)), text(joinHealthRows(b, a)))
      const [left, right] = [joinHealthRows(joinHealthRows(a, b), c), joinHealthRows(a, joinHealthRows(b, c))]
      assert.equal(text(left), text(right))
      assert.ok(joinHealthRows(a, b).version >= Math.max(a.version, b.version))
    }),
    runs(500),
  )
})

test('what is no row is none, and a parser never throws', () => {
  const rest = JSON.stringify(PLAIN)
  const wrong = [
    ...[
      '',
      'Ball',
      `Ball 1 ${rest}`,
      `Ball -1 a ${rest}`,
      `Ball 1 z ${rest}`,
      `-x 1 a ${rest}`,
      'Ball 1 a {}',
    ],
    ...['Ball 1 a null', 'Ball 1 a [', `Ball 1 a ${rest.replace('"ready"', '"well"')}`],
    ...[`Ball 1 a ${rest.replace('"up_s":1', '"up_s":-1')}`, `Ball 1 a ${rest.replace(':3,', ':"3",')}`],
    ...[`Ball 1 a ${rest.replace('"vector":"a"', '"vector":"a b"')}`],
  ]
  for (const text of wrong) assert.equal(readHealthRow(text, 0), null, text)
  assert.notEqual(readHealthRow(`Ball 1 a ${rest}`, 0), null)
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json().map((json) => `Ball 1 a ${json}`),
      ),
      (text) => {
        readHealthRow(text, 0)
      },
    ),
    runs(500),
  )
})

test('what a later version says besides is passed on as it was said', () => {
  const { rows } = rowsOf('Alford')
  const [from, to] = [rows.flood.openFor(), rows.flood.openFor()]
  const text = `Ball 7 a ${JSON.stringify({ ...PLAIN, humor: ['good', { of: 'all' }] })}`
  assert.equal(from.hear(text), true)
  assert.deepEqual(said(to), [`HERD 2 health ${text}`])
  assert.deepEqual(said(from), [])
})

test('bounds: links of a row, bytes of a row, rows', () => {
  const many = Array.from({ length: HEALTH_LINKS_MAX + 9 }, () => ({
    ...{ neighbor: `N${'n'.repeat(63)}`, open: true, round_trip_ms: 10_000.1, queued: 1e9 },
    ...{ in_per_s: 1_000_000.1, out_per_s: 1_000_000.1 },
  }))
  const row = makeHealthRow({ name: 'Ball', version: 1, run: 'a', heardMs: 0 }, { ...PLAIN, links: many })
  assert.equal(row.health.links.length, HEALTH_LINKS_MAX)
  assert.ok(row.text.length <= HEALTH_BYTES_MAX)
  assert.ok(writeHealthRow(row).length < MEMBER_LINE_BYTES_MAX, 'a link takes lines of this length')
  assert.notEqual(readHealthRow(writeHealthRow(row), 0), null)
  assert.equal(readHealthRow(`Ball 1 a ${JSON.stringify({ ...PLAIN, links: many })}`, 0), null)
  const longest = JSON.stringify({ ...PLAIN, more: 'x'.repeat(HEALTH_BYTES_MAX) })
  assert.equal(readHealthRow(`Ball 1 a ${longest}`, 0), null)
  const { rows } = rowsOf('Alford', 'a', 2)
  const from = rows.flood.openFor()
  const heard = ['Ball', 'Hamilton', 'Welsh'].map((each) => from.hear(rowText(each, 1)))
  assert.deepEqual([heard, rows.fresh.length], [[true, true, false], 2])
})

test('a server that is silent is forgotten, and nobody can bring it back with what it said before', () => {
  const { rows, clock } = rowsOf('Alford')
  const from = rows.flood.openFor()
  rows.tell(PLAIN, 1000)
  from.hear(rowText('Ball', 5))
  clock.ms = HEALTH_FRESH_MS - 1
  assert.deepEqual(
    rows.fresh.map((row) => row.name),
    ['Alford', 'Ball'],
  )
  clock.ms = HEALTH_FRESH_MS
  assert.deepEqual(
    rows.fresh.map((row) => row.name),
    ['Alford'],
  )
  const late = rows.flood.openFor()
  assert.deepEqual([late.hear(rowText('Ball', 5)), late.hear(rowText('Ball', 6))], [false, true])
  assert.deepEqual(
    rows.fresh.map((row) => row.name),
    ['Alford', 'Ball'],
  )
  clock.ms *= 2
  assert.deepEqual(rows.fresh.length, 1)
  // Its next life, whose clock was set back.
  assert.equal(late.hear(rowText('Ball', 2, 'b')), true)
})

test('a server whose clock was set back goes beyond what its earlier life has said', () => {
  const { rows } = rowsOf('Alford', 'b')
  const from = rows.flood.openFor()
  rows.tell(PLAIN, 1000)
  assert.equal(from.hear(rowText('Alford', 9000, 'a')), false)
  rows.tell(PLAIN, 1100)
  assert.deepEqual(
    rows.fresh.map((row) => [row.run, row.version]),
    [['b', 9001]],
  )
  rows.tell(PLAIN, 1200)
  assert.deepEqual(
    rows.fresh.map((row) => row.version),
    [9002],
  )
})

test('tables agree when all claim and hold the same; they differ when what claims the same holds another thing', () => {
  const rowsFor = (tables: Readonly<Record<string, readonly [string, string?]>>): HealthRow[] =>
    Object.entries(tables).map(([server, [vector, table]]) => {
      const health = { ...PLAIN, vector, ...(table === undefined ? {} : { table }) }
      return makeHealthRow({ name: server, version: 1, run: 'a', heardMs: 0 }, health)
    })
  const both = new Set(['A', 'B'])
  assert.equal(tablesAgree(rowsFor({ A: ['v', '-.1'], B: ['v', '-.1'] }), both), true)
  assert.equal(tablesAgree(rowsFor({ A: ['v', '-.1'], B: ['v', '-.2'] }), both), false)
  assert.equal(
    tablesAgree(rowsFor({ A: ['v', '-.1'], B: ['w', '-.2'] }), both),
    null,
    'fixes are on their way',
  )
  assert.equal(tablesAgree(rowsFor({ A: ['v', '-.1'], B: ['v'] }), both), null, 'not summed up yet')
  assert.equal(tablesAgree(rowsFor({ A: ['v', '-.1'] }), both), null, 'one has said nothing')
  assert.equal(
    tablesAgree(rowsFor({ A: ['v', '600.1'], B: ['v', '1200.2'] }), both),
    null,
    'too old is another',
  )
  assert.equal(tablesAgree(rowsFor({ A: ['v', '-.1'], B: ['v', '-.2'] }), new Set(['A'])), true)
})

test('rows flood: in any connected herd all hear how all are', () => {
  fc.assert(
    fc.property(connectedGraph, fc.array(fc.nat(), { maxLength: 10 }), ({ names, edges }, tellers) => {
      memoryClock.ms = 0
      const herd = new MemoryHerd(names, edges)
      herd.upAll()
      for (const [index, teller] of tellers.entries()) {
        herd.named(names[teller % names.length] ?? '').health.tell({ ...PLAIN, clients: index }, 1000 + index)
        for (const pipe of herd.pipes) pipe.send(Number.MAX_SAFE_INTEGER)
        for (const pipe of herd.pipes) pipe.arrive(100)
      }
      herd.settle()
      const known = herd.servers.map(({ health }) => health.fresh.map(writeHealthRow).toSorted())
      for (const rows of known) assert.deepEqual(rows, known[0])
      assert.equal(known[0]?.length, new Set(tellers.map((teller) => teller % names.length)).size)
    }),
    runs(60),
  )
})
