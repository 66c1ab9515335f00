import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseHardLimit, whyTooFewFiles } from './open-files.ts'

const HEAD = 'Limit                     Soft Limit           Hard Limit           Units     \n'

test('the hard limit is the second one', () => {
  const line = 'Max open files            1024                 20000                files     \n'
  assert.equal(parseHardLimit(HEAD + line), 20_000)
  assert.equal(parseHardLimit(HEAD + line.replace('20000', 'unlimited')), Number.POSITIVE_INFINITY)
  assert.equal(parseHardLimit(HEAD), undefined)
})

test('what no system allows is said with the number that is needed', {
  skip: process.platform !== 'linux',
}, () => {
  assert.equal(whyTooFewFiles(1), undefined)
  // No kernel lets a process open more than 2³¹ files.
  assert.match(whyTooFewFiles(2 ** 40) ?? '', /1099511627976 are needed/)
})
