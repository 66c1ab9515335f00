import assert from 'node:assert/strict'
import { test } from 'node:test'
import { BudgetLedger, PERIODS_MAX } from './budget-ledger.ts'
import { newRow } from './budget-rights.ts'
import { writeBudgetRow } from './budget-rows.ts'

const NOON = Date.UTC(2026, 10, 21, 12)

function rowOf(period: string, server = 'Ball') {
  return newRow({ key: 'google', period, server, life: 'a', share: 10 })
}

test('others’ rows of days and months that are near are taken, and no others', () => {
  const ledger = new BudgetLedger(() => NOON)
  const link = ledger.flood.openFor()
  const near = ['2026-11-20', '2026-11-21', '2026-11-22', '2026-11']
  for (const period of near) assert.equal(link.hear(writeBudgetRow(rowOf(period))), true, period)
  for (const period of ['2026-11-19', '2026-11-23', '2026-10', '2026-12', '2099-01-01', '2099-01']) {
    assert.equal(link.hear(writeBudgetRow(rowOf(period))), false, period)
  }
  assert.deepEqual(
    ledger.flood.rows.map(({ period }) => period),
    near,
  )
})

test('PERIODS_MAX: the earliest is over for good, whatever the clock says later', () => {
  const ledger = new BudgetLedger(() => NOON)
  const days = ['2026-11-18', '2026-11-19', '2026-11-20', '2026-11-21', '2026-11-22']
  assert.equal(days.length, PERIODS_MAX + 1)
  for (const day of days) assert.equal(ledger.put(rowOf(day)), true)
  ledger.put(rowOf('2026-11'))
  assert.deepEqual([...ledger.over], [['google day', '2026-11-18']])
  assert.deepEqual([ledger.rowsOf('google', '2026-11-18'), ledger.flood.size], [[], 5])
  assert.equal(ledger.put(rowOf('2026-11-18')), false)
  assert.equal(ledger.put(rowOf('1970-01-01')), false)
  assert.equal(ledger.isOver('google', '2026-11-19'), false)
  assert.equal(ledger.isOver('x', '2026-11-18'), false)
  assert.equal(ledger.put(rowOf('2026-11-19', 'Welsh')), true)
})

test('a bound on rows: one more is not taken, and takes no place', () => {
  const ledger = new BudgetLedger(() => NOON, 2)
  assert.deepEqual(
    ['Ball', 'Welsh', 'Holiday', 'Ball'].map((server) => ledger.put(rowOf('2026-11-21', server))),
    [true, true, false, false],
  )
  assert.equal(ledger.rowsOf('google', '2026-11-21').length, 2)
})
