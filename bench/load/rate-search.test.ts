import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findHighestRate } from './rate-search.ts'

/** The rates that were tried, and the best of them, where all up to `limit` go well. */
async function search(limit: number): Promise<{ tried: number[]; best: number | undefined }> {
  const tried: number[] = []
  const best = await findHighestRate(1600, 4, async (rate) => {
    tried.push(rate)
    return rate <= limit ? rate : undefined
  })
  return { tried, best }
}

test('the highest rate that goes well is found to a sixteenth', async () => {
  assert.deepEqual(await search(1234), { tried: [800, 1200, 1400, 1300], best: 1200 })
  assert.deepEqual(await search(1e9), { tried: [800, 1200, 1400, 1500], best: 1500 })
})

test('where nothing goes well, nothing is found', async () => {
  assert.deepEqual(await search(0), { tried: [800, 400, 200, 100], best: undefined })
})
