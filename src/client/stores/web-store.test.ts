import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { KeptReport } from './report-store.ts'
import { type WebStorage, WebStore } from './web-store.ts'

/** Like `localStorage`, with room for as many entries. */
class Storage implements WebStorage {
  readonly entries = new Map<string, string>()
  readonly #max: number

  constructor(max = 100) {
    this.#max = max
  }

  get length(): number {
    return this.entries.size
  }

  key(index: number): string | null {
    return [...this.entries.keys()][index] ?? null
  }

  getItem(key: string): string | null {
    return this.entries.get(key) ?? null
  }

  setItem(key: string, value: string): void {
    if (!this.entries.has(key) && this.entries.size >= this.#max) throw new Error('QuotaExceededError')
    this.entries.set(key, value)
  }

  removeItem(key: string): void {
    this.entries.delete(key)
  }
}

const one = (key: string): KeptReport => ({ key, report: { client: key, lat: 1, lon: 2 } })

test('what was appended and not removed is there again, sorted as it was made, with that of other tabs', async () => {
  const storage = new Storage()
  const [tab, other] = [new WebStore(storage), new WebStore(storage)]
  await tab.append([one('1-a'), one('3-a')])
  await other.append([one('2-b')])
  await new WebStore(storage, 'another program').append([one('0-c')])
  storage.setItem('herd:report:9-x', 'no JSON')
  await tab.remove(['1-a'])
  assert.deepEqual(await new WebStore(storage).load(), [one('2-b'), one('3-a')])
})

test('when there is no room for all, none is kept', async () => {
  const storage = new Storage(2)
  const store = new WebStore(storage)
  await store.append([one('1')])
  await assert.rejects(store.append([one('2'), one('3')]), /Quota/)
  assert.deepEqual(await store.load(), [one('1')])
})
