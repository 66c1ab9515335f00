import assert from 'node:assert/strict'
import { test } from 'node:test'
import { settingsTable } from './settings-table.ts'

test('every setting has a row with all four cells', () => {
  const [head, line, ...rows] = settingsTable().trim().split('\n')
  assert.equal(head, '| setting | default | range | meaning |')
  assert.equal(line, '|---|---|---|---|')
  for (const row of rows) assert.match(row, /^\| `[\w.<>]+` \| .+ \| .+ \| .+\. \|$/)
  const names = rows.map((row) => row.split('`')[1])
  assert.equal(new Set(names).size, names.length)
  for (const name of ['servers.<name>.port', 'limits.lineBytesMax', 'places.google.keyFile', 'links']) {
    assert.ok(names.includes(name), name)
  }
})

test('a row', () => {
  const row = '| `link.redialMsMin` | `200` | a whole number from 1 to 3600000 | '
  assert.ok(settingsTable().includes(row))
})
