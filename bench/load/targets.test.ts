import assert from 'node:assert/strict'
import { test } from 'node:test'
import { formatTargets, parseTargets } from './targets.ts'

test('targets are read as they are written', () => {
  const targets = [
    { name: 'Alford', port: 12000 },
    { name: 'Ball-2', port: 1, encryption: 'psk' },
    { name: 'Welsh', port: 65535, encryption: 'none' },
  ] as const
  assert.deepEqual(parseTargets(formatTargets(targets)), targets)
})

test('anything else is an error', () => {
  for (const text of ['', 'Alford', 'Alford:', ':1', 'Alford:x', 'Alford:1,', 'Alford:1:tls']) {
    assert.throws(() => parseTargets(text), /is no target/, text)
  }
})
