import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fixOf } from '../../test/support/herd-stand-in.ts'
import { fc, runs } from '../../test/support/properties.ts'
import type { ClientFix } from '../gateways/calls/client-fix.ts'
import { fixJson } from '../gateways/http/fix-json.ts'
import type { FixJson } from '../gateways/http/shapes.ts'
import { compareFixes as compareInTable } from '../locations/order.ts'
import { compareFixes, Newest } from './newest.ts'

const NOW = { seconds: 2000, nanoseconds: 0 }
const nanotime = (min: number, max: number): fc.Arbitrary<{ seconds: number; nanoseconds: number }> =>
  fc.record({
    seconds: fc.oneof(
      fc.integer({ min, max }),
      fc.constantFrom(min, -61, -60, -59, 0).filter((n) => n >= min),
    ),
    nanoseconds: fc.constantFrom(0, 1, 500_000_000, 999_999_999),
  })
const clientFix: fc.Arbitrary<ClientFix> = fc
  .record({
    server: fc.constantFrom('Alford', 'Ball'),
    time: nanotime(1000, 1003),
    skew: nanotime(-120, 2),
    positionText: fc.constantFrom('+1+2', '+1+3'),
  })
  .map(({ server, time, skew, positionText }) => ({
    ...{ client: 'a', server, time, skew, positionText, latitude: 1, longitude: 2, attributes: {} },
    clientBytes: Buffer.from('a'),
    timeText: `${time.seconds}.${time.nanoseconds}`,
    skewText: '+0',
  }))

test('the order of fixes is that of the herd’s tables', () => {
  const ordered = (fix: ClientFix): Parameters<typeof compareInTable>[0] => ({
    ...{ time: fix.time, skew: fix.skew, serverName: Buffer.from(fix.server) },
    positionText: Buffer.from(fix.positionText),
    ...{ timeText: Buffer.of(), skewText: Buffer.of(), attributesText: Buffer.of() },
  })
  fc.assert(
    fc.property(clientFix, clientFix, (a, b) => {
      const ours = compareFixes(fixJson(a, NOW), fixJson(b, NOW))
      assert.equal(Math.sign(ours), Math.sign(compareInTable(ordered(a), ordered(b))))
    }),
    runs(2000),
  )
})

test('whatever is told, in whatever order and how often: nothing twice, nothing backwards, and the newest at last', () => {
  const one = fc.record({ client: fc.constantFrom('a', 'b'), second: fc.nat(5), isExit: fc.boolean() })
  fc.assert(
    fc.property(fc.array(one), (all) => {
      const newest = new Newest()
      const last = new Map<string, number>()
      // A fix lies in the area or out of it, whoever tells it.
      for (const { client, second } of all) {
        if (!newest.isNews(fixOf(client, second), second % 2 === 1)) continue
        assert.ok((last.get(client) ?? -1) < second)
        last.set(client, second)
      }
      for (const { client } of all) {
        const seconds = all.filter((other) => other.client === client).map(({ second }) => second)
        assert.equal(last.get(client), Math.max(...seconds))
      }
    }),
  )
})

test('another age is no other fix; another attribute is', () => {
  const newest = new Newest()
  assert.ok(newest.isNews(fixOf('a'), false))
  assert.ok(!newest.isNews(fixOf('a', 0, { age_s: 7 }), false))
  assert.ok(newest.isNews(fixOf('a', 0, { altitude_m: 7 }), false))
})

test('REMEMBERED_MAX: as many clients are remembered, those that were told of last', () => {
  const newest = new Newest(2)
  const told = (client: string): boolean => newest.isNews(fixOf(client), false)
  assert.deepEqual(['a', 'b', 'a', 'c', 'b', 'a'].map(told), [true, true, false, true, false, true])
})

test('a time that is none is the oldest', () => {
  const wrong: FixJson = { ...fixOf('a'), received_at: 'yesterday' }
  assert.ok(compareFixes(wrong, fixOf('a')) < 0)
})
