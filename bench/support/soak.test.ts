import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findGrowth, Soak } from './soak.ts'

test('churn of every kind does not grow a table', () => {
  const soak = new Soak(5000)
  soak.run(75_000)
  const early = soak.held
  for (let part = 0; part < 5; part++) {
    soak.run(45_000)
    assert.deepEqual(findGrowth(early, soak.held), [])
  }
  const { updates, clients, records, textUsed } = soak.held
  assert.equal(updates, 300_000)
  // Those who report, and some who are to be forgotten: more numbers were never needed.
  assert.ok(clients > 5000 && records < 5400, `${clients} clients, ${records} records`)
  // Of most clients the text lies in the record, of many it does not.
  assert.ok(textUsed > 10 * clients && textUsed < 100 * clients, `${textUsed} bytes of text`)
})

test('what grows is named, and a little is no growth', () => {
  const early = { ...new Soak(1).held, records: 1000, textPages: 2 ** 24 }
  assert.deepEqual(findGrowth(early, { ...early, records: 1100, textPages: 17 * 2 ** 20, clients: 9999 }), [])
  assert.deepEqual(findGrowth(early, { ...early, records: 1111 }), ['records grew from 1000 to 1111'])
  const more = { ...early, textPages: 18 * 2 ** 20, index: 2 ** 20, grid: 2 ** 20 }
  assert.deepEqual(
    findGrowth(early, more).map((text) => text.split(' ')[0]),
    ['textPages', 'index', 'grid'],
  )
})
