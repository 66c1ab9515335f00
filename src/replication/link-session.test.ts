import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryServer } from '../../test/support/memory-herd.ts'
import { LinkSession } from './link-session.ts'

/** What a server believes to hold of run `ab` of X once it was told these lines over a link. */
function heldAfter(...lines: readonly string[]): number {
  const server = new MemoryServer('A')
  const session = new LinkSession(server.session, { classic: false, connection: 0, audits: true })
  const told = ['HERD 2 run 1 X ab', 'HERD 2 vector', 'HERD 2 live', ...lines]
  assert.equal(session.receive(Buffer.from(told.map((line) => `${line}\n`).join(''))), null)
  return server.replica.vector.seq(server.replica.runIndex('X', 'ab'))
}

const FIX = 'AT X +0 kiwi +1+1 1 @1.1'
const CLAIM = 'HERD 2 claim 1:1'

test('a claim is merged once all before it was taken', () => {
  assert.equal(heldAfter(FIX), 0)
  assert.equal(heldAfter(FIX, CLAIM), 1)
  assert.equal(heldAfter(FIX, 'HERD 2 word-of-a-later-version 1 2 3', CLAIM), 1)
})

test('after a line that could not be read no claim is merged: it may have been a fix', () => {
  for (const bad of [
    'AT X +0 kiwi +1+1 @1.1',
    'AT X +0 kiwi +91+1 1 @1.1',
    'BT',
    FIX.replace('@1.1', '@1'),
  ]) {
    assert.equal(heldAfter(bad, CLAIM), 0, bad)
  }
})
