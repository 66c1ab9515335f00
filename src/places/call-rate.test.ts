import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc } from '../../test/support/properties.ts'
import { AddressRates, CallRate, networkOf } from './call-rate.ts'

function taken(rate: CallRate, nowMs: number): boolean {
  const allowed = rate.allows(nowMs)
  if (allowed) rate.take()
  return allowed
}

test('a second has its calls, and they come back with time', () => {
  const rate = new CallRate(2, 1_000)
  const times = [1_000, 1_000, 1_000, 1_499, 1_500, 1_500, 9_000, 9_000, 9_000]
  assert.deepEqual(
    times.map((nowMs) => taken(rate, nowMs)),
    [true, true, false, false, true, false, true, true, false],
  )
})

test('less than one call a second is possible, and no limit is none', () => {
  const slow = new CallRate(0.5, 1_000)
  assert.deepEqual(
    [1_000, 2_999, 3_000].map((nowMs) => taken(slow, nowMs)),
    [true, false, true],
  )
  const free = new CallRate(0, 1_000)
  for (let call = 0; call < 1_000; call++) assert.ok(taken(free, 1_000))
})

test('who only asks whether it may takes nothing', () => {
  const rate = new CallRate(1, 1_000)
  for (let ask = 0; ask < 10; ask++) assert.ok(rate.allows(1_000))
  rate.take()
  assert.ok(!rate.allows(1_000))
})

test('no stretch of time has more than its share', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 20 }),
      fc.array(fc.nat(300), { maxLength: 300 }),
      (perSecond, gaps) => {
        const rate = new CallRate(perSecond, 1_000)
        let nowMs = 1_000
        let granted = 0
        for (const gap of gaps) {
          nowMs += gap
          if (taken(rate, nowMs)) granted++
        }
        assert.ok(granted <= perSecond + ((nowMs - 1_000) / 1_000) * perSecond + 1e-6)
      },
    ),
  )
})

test('each address has its own, and of too many the oldest is forgotten', () => {
  const rates = new AddressRates(1, 2)
  assert.ok(taken(rates.of('10.0.0.1', 1_000), 1_000))
  assert.ok(!taken(rates.of('::ffff:10.0.0.1', 1_000), 1_000))
  assert.ok(taken(rates.of('10.0.0.2', 1_000), 1_000))
  assert.ok(taken(rates.of('10.0.0.3', 1_000), 1_000))
  assert.equal(rates.size, 2)
  assert.ok(taken(rates.of('10.0.0.1', 1_000), 1_000))
})

test('without a limit no address is remembered', () => {
  const rates = new AddressRates(0)
  for (let host = 0; host < 100; host++) assert.ok(taken(rates.of(`10.0.0.${host}`, 1_000), 1_000))
  assert.equal(rates.size, 0)
})

test('an IPv6 network counts as one address, however it is written', () => {
  const texts = [
    '2001:db8:0:7::1',
    '2001:DB8::7:0:0:0:2',
    '2001:0db8:0000:0007:ffff:ffff:ffff:ffff',
    '2001:db8:0:7::%eth0',
  ]
  assert.deepEqual(new Set(texts.map(networkOf)), new Set(['2001:db8:0:7']))
  assert.equal(networkOf('::1'), '0:0:0:0')
  assert.equal(networkOf('fe80::1%lo'), 'fe80:0:0:0')
  assert.equal(networkOf('127.0.0.1'), '127.0.0.1')
  assert.equal(networkOf(''), '')
})
