import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type BudgetMemory, loadBudgetMemory, saveBudgetMemory } from './budget-file.ts'
import { newRow } from './budget-rights.ts'

function fileFor(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'herd-budget-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'places-budget', 'Alford.json')
}

const row = newRow({ key: 'google', period: '2026-11-21', server: 'Alford', life: 'a1', share: 10 })
const memory: BudgetMemory = {
  life: 'a1',
  rows: [{ ...row, used: 4, handed: new Map([['Ball', 2]]) }],
  over: new Map([['google day', '2026-11-17']]),
  left: new Map([['google 2026-11-21 Alford a1', 3]]),
}

test('what was written is read, and only the last of it', (t) => {
  const file = fileFor(t)
  assert.equal(loadBudgetMemory(file), null)
  saveBudgetMemory(file, { ...memory, life: 'b2', left: new Map() })
  saveBudgetMemory(file, memory)
  assert.deepEqual(loadBudgetMemory(file), memory)
  assert.deepEqual(readdirSync(join(file, '..')), ['Alford.json'])
})

test('what is no such file is nothing to remember', (t) => {
  const file = fileFor(t)
  saveBudgetMemory(file, memory)
  const good = JSON.stringify({ version: 1, life: 'a1', rows: [], over: {}, left: {} })
  const bad = ['', '[]', good.slice(0, -1), good.replace('"a1"', '"../x"'), good.replace('1,', '2,')]
  for (const text of [...bad, good.replace('[]', '["google"]'), good.replace('[]', '{}')]) {
    writeFileSync(file, text)
    assert.equal(loadBudgetMemory(file), null, text)
  }
  writeFileSync(file, good)
  assert.notEqual(loadBudgetMemory(file), null)
})

test('what can’t be read or written is told by the file system’s error', (t) => {
  const file = fileFor(t)
  const folder = join(file, '..', '..')
  writeFileSync(join(folder, 'places-budget'), 'a file where a folder should be')
  assert.throws(() => saveBudgetMemory(file, memory), { code: 'EEXIST' })
  assert.throws(() => loadBudgetMemory(file), { code: 'ENOTDIR' })
})
