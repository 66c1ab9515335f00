import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'
import { LineTable } from '../../test/support/fixes.ts'
import type { Search } from '../locations/index.ts'
import { SearchQueue } from './search-queue.ts'

/** More than one turn looks at. */
const CLIENTS = 50_000

/** A search over several turns that counts them. */
function longSearch(table: LineTable): { search: Search; steps: () => number } {
  const area = { kind: 'circle', center: { latitude: 1, longitude: 1 }, radiusMetres: 1000 } as const
  const search = table.table.search({ area, items: 3, since: null, except: -1 })
  let steps = 0
  const step = search.step.bind(search)
  search.step = () => {
    steps++
    return step()
  }
  return { search, steps: () => steps }
}

test('of many long searches one goes on in each turn, all in rotation, until all are done', async () => {
  const table = new LineTable()
  for (let client = 0; client < CLIENTS; client++) table.apply(`AT Alford +0 c${client} +1+1 1`)
  const queue = new SearchQueue()
  const searches = Array.from({ length: 5 }, () => longSearch(table))
  let done = 0
  for (const { search } of searches) queue.finish(search, () => done++)
  let before = 0
  while (done < searches.length) {
    await nextTurn()
    const steps = searches.map((one) => one.steps())
    const sum = steps.reduce((a, b) => a + b, 0)
    assert.ok(sum <= before + 1, 'one step in a turn')
    if (done === 0) assert.ok(Math.max(...steps) - Math.min(...steps) <= 1, 'nobody is ahead')
    before = sum
  }
  assert.ok(before >= 3 * searches.length)
  for (const { search } of searches) {
    assert.deepEqual(
      search.found.map((record) => table.client(record)),
      ['c0', 'c1', 'c10'],
    )
  }
})

test('a queue that has run empty goes on with the next search', async () => {
  const table = new LineTable()
  table.apply('AT Alford +0 kiwi +1+1 1')
  const queue = new SearchQueue()
  for (let round = 0; round < 3; round++) {
    const { search } = longSearch(table)
    await new Promise<void>((resolve) => queue.finish(search, resolve))
    assert.equal(search.found.length, 1)
  }
})
