import assert from 'node:assert/strict'
import { test } from 'node:test'
import { hostAsSeen, isAnyHost, isLoopbackHost, readAddress, writeAddress } from './addresses.ts'

test('an address reads as it was written', () => {
  for (const address of [
    { host: '127.0.0.1', port: 12_000 },
    { host: '::1', port: 1 },
    { host: 'fe80::1%eth0', port: 65_535 },
    { host: 'alford.example', port: 80 },
  ]) {
    assert.deepEqual(readAddress(writeAddress(address)), address)
  }
  assert.equal(writeAddress({ host: '::1', port: 5 }), '[::1]:5')
})

test('what is no address is none', () => {
  for (const text of [
    '',
    ':5',
    'host',
    'host:',
    'host:0',
    'host:65536',
    'host:5x',
    '::1:5',
    '[]:5',
    'a b:5',
    'a,b:5',
  ]) {
    assert.equal(readAddress(text), null, text)
  }
})

test('all addresses, in any spelling, and loopback', () => {
  for (const host of ['0.0.0.0', '::', '::0', '0:0:0:0:0:0:0:0']) assert.equal(isAnyHost(host), true, host)
  for (const host of ['127.0.0.1', '::1', '10.0.0.0', 'host', '0.0.0.1'])
    assert.equal(isAnyHost(host), false, host)
  for (const host of ['127.0.0.1', '127.9.9.9', '::1', 'localhost'])
    assert.equal(isLoopbackHost(host), true, host)
  for (const host of ['10.0.0.1', '::', '127.example']) assert.equal(isLoopbackHost(host), false, host)
})

test('whoever can’t be dialed by what they say is dialed where they are seen', () => {
  assert.equal(hostAsSeen('0.0.0.0', '::ffff:10.0.0.5'), '10.0.0.5')
  assert.equal(hostAsSeen('::', 'fe80::1%eth0'), 'fe80::1%eth0')
  assert.equal(hostAsSeen('127.0.0.1', '10.0.0.5'), '10.0.0.5')
  assert.equal(hostAsSeen('127.0.0.2', '127.0.0.1'), '127.0.0.2')
  assert.equal(hostAsSeen('alford.example', '10.0.0.5'), 'alford.example')
  assert.equal(hostAsSeen('0.0.0.0', ''), '0.0.0.0')
  // Seen by the other family, it isn't there.
  assert.equal(hostAsSeen('0.0.0.0', '::1'), '0.0.0.0')
  assert.equal(hostAsSeen('127.0.0.1', '2001:db8::5'), '127.0.0.1')
  assert.equal(hostAsSeen('::1', '10.0.0.5'), '::1')
  assert.equal(hostAsSeen('::', '10.0.0.5'), '10.0.0.5')
})
