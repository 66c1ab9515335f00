import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { RefusalCode } from '../calls/call-refused.ts'
import { isForGood } from './for-good.ts'

const FOR_GOOD: readonly RefusalCode[] = ['invalid', 'not-allowed']
const FOR_NOW: readonly RefusalCode[] = ['no-token', 'rate', 'clock-off', 'table-full', 'late']

test('only what makes no sense, or may not be, is dropped; what may go better comes again', () => {
  for (const code of FOR_GOOD) assert.equal(isForGood(code), true, code)
  for (const code of FOR_NOW) assert.equal(isForGood(code), false, code)
})
