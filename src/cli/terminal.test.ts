import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressText, columns, printable } from './terminal.ts'

test('no control character reaches the terminal', () => {
  assert.equal(printable('a\u001b[31mb\u0007\n\u0085\ttab ä€'), 'a\\x1b[31mb\\x07\\x0a\\x85\ttab ä€')
})

test('columns are as wide as their widest cell, and the last one ends where its text ends', () => {
  assert.deepEqual(
    columns([
      ['a', 'bb', 'c'],
      ['aaa', 'b'],
      ['', '', 'cc'],
    ]),
    ['a    bb  c', 'aaa  b', '         cc'],
  )
})

test('addresses', () => {
  assert.equal(addressText({ host: '127.0.0.1', port: 5 }), '127.0.0.1:5')
  assert.equal(addressText({ host: '::1', port: 5 }), '[::1]:5')
})
