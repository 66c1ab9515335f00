import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../../test/support/properties.ts'
import { MEMBER_LINE_BYTES_MAX } from '../../replication/members.ts'
import {
  type BudgetRow,
  CALLS_END,
  joinBudgetRows,
  RECEIVERS_MAX,
  readBudgetRow,
  writeBudgetRow,
} from './budget-rows.ts'

const calls = fc.oneof(fc.nat(9), fc.nat(CALLS_END - 1))
const server = fc.constantFrom('Alford', 'Ball', 'Hamilton', 'W.e_l-sh')
const anyRow: fc.Arbitrary<BudgetRow> = fc.record(
  {
    key: fc.constantFrom('google', 'overpass', 'x'),
    period: fc.constantFrom('2026-11-21', '2026-11'),
    server,
    life: fc.constantFrom('0af1', 'b'),
    share: calls,
    used: calls,
    wants: calls,
    handed: fc
      .array(fc.tuple(server, fc.integer({ min: 1, max: CALLS_END - 1 })))
      .map((entries) => new Map(entries)),
  },
  { noNullPrototype: true },
)
/** Rows of one name. */
const anyVersion = anyRow.map((row) => ({ ...row, key: 'x', period: '2026-11', server: 'Ball', life: '1' }))

test('a row reads as it was written', () => {
  fc.assert(
    fc.property(anyRow, (row) => {
      assert.deepEqual(readBudgetRow(writeBudgetRow(row)), row)
      assert.deepEqual(readBudgetRow(`${writeBudgetRow(row)} what=ever`), row)
    }),
    runs(200),
  )
})

test('rows join to the least that covers both, in any order, however often', () => {
  fc.assert(
    fc.property(anyVersion, anyVersion, anyVersion, (a, b, c) => {
      const text = (row: BudgetRow) => writeBudgetRow(row)
      assert.equal(text(joinBudgetRows(a, b)), text(joinBudgetRows(b, a)))
      assert.equal(
        text(joinBudgetRows(joinBudgetRows(a, b), c)),
        text(joinBudgetRows(a, joinBudgetRows(b, c))),
      )
      assert.equal(joinBudgetRows(a, a), a)
      const both = joinBudgetRows(a, b)
      assert.equal(joinBudgetRows(both, a), both)
      assert.equal(joinBudgetRows(both, b), both)
    }),
    runs(200),
  )
})

test('what is no row is not taken', () => {
  const good = 'google 2026-11-21 Ball 0af1 10 2 0 Alford:3'
  assert.notEqual(readBudgetRow(good), null)
  for (const [from, to] of [
    ['google', 'Google'],
    ['2026-11-21', '2026-11-21T'],
    ['2026-11-21', '21.11.2026'],
    ['Ball', '9Ball'],
    ['0af1', 'xyz'],
    [' 10 ', ' -10 '],
    [' 2 ', ' 2.5 '],
    [' 0 ', ` ${CALLS_END} `],
    ['Alford:3', 'Alford:0'],
    ['Alford:3', 'Alford'],
    ['Alford:3', ''],
    [
      'Alford:3',
      Array(RECEIVERS_MAX + 1)
        .fill('A:1')
        .join(','),
    ],
  ] as const) {
    const bad = good.replace(from, to)
    assert.notEqual(bad, good)
    assert.equal(readBudgetRow(bad), null, bad.slice(0, 100))
  }
})

test('RECEIVERS_MAX: the longest row has room in a link’s line, and a join keeps to it', () => {
  const handed = (letter: string) =>
    new Map(
      Array.from({ length: RECEIVERS_MAX }, (_, index) => [
        `${letter.repeat(60)}${1000 + index}`,
        CALLS_END - 1,
      ]),
    )
  const row = { key: 'a'.repeat(32), period: '2026-11-21', server: 'a'.repeat(64), life: 'f'.repeat(32) }
  const [share, used, wants] = [CALLS_END - 1, CALLS_END - 1, CALLS_END - 1]
  const longest = { ...row, share, used, wants, handed: handed('x') }
  assert.deepEqual(readBudgetRow(writeBudgetRow(longest)), longest)
  assert.ok(writeBudgetRow(longest).length + 'HERD 2 budget \n'.length < MEMBER_LINE_BYTES_MAX)
  assert.equal(joinBudgetRows(longest, { ...longest, handed: handed('y') }), longest)
})
