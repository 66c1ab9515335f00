import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryServer } from '../../../test/support/memory-herd.ts'
import { fc, runs } from '../../../test/support/properties.ts'
import { Acks } from '../../replication/acks.ts'
import { realSystem } from '../../system.ts'
import { EVERYTHING } from '../access/grant.ts'
import { AddressBook } from '../address-book.ts'
import { CallRefused } from './call-refused.ts'
import { type Caller, Calls, type CallsContext } from './calls.ts'
import { atLineOf } from './client-fix.ts'
import { positionText } from './report.ts'
import { SearchTurns } from './search-turns.ts'

const ADDRESS = '192.0.2.1'
const CALLER: Caller = { address: ADDRESS, grant: EVERYTHING }

/** The calls of a server in memory, whose clock stands at 1,000 s until it is set. */
function make(limits: Partial<CallsContext['limits'] & { fixesPerSecondPerAddressMax: number }> = {}): {
  calls: Calls
  server: MemoryServer
  places: string[]
} {
  const server = new MemoryServer('Alford', limits)
  server.now.seconds = 1000
  const name = Buffer.from('Alford')
  const { replica, counters } = server
  const addresses = new AddressBook({
    ...{ connectionsMax: 10, connectionsPerAddressMax: 10, fixesPerSecondPerAddressMax: 0 },
    ...limits,
  })
  addresses.enter(ADDRESS, 0)
  const places: string[] = []
  const calls = new Calls({
    ...{ replica, counters, addresses, acks: new Acks(replica), ack: { disk: false, peers: 0 } },
    log: { traffic: false, lineIn: () => undefined, linesOut: () => undefined, event: () => undefined },
    system: { ...realSystem, nowMs: () => 0, readClock: (time) => Object.assign(time, server.now) },
    server: replica.names.indexOf(name, 0, name.length),
    clock: { clockOffMs: null },
    searchTurns: new SearchTurns(),
    findPlaces: (ask, items) => {
      places.push(`${ask.locationText} ${ask.radiusMetres} ${items}`)
      return Promise.resolve('{}')
    },
    limits: {
      ...{ clientsMax: 1000, tableBytesMax: 1 << 20, ackMsMax: 1000, whosatItemsMax: 10 },
      ...limits,
    },
  })
  return { calls, server, places }
}

function isRefused(code: string): (error: unknown) => boolean {
  return (error) => error instanceof CallRefused && error.code === code
}

test('a report is in the table as IAMAT would put it there', async () => {
  const { calls } = make()
  const report = { client: 'kiwi', position: '+34.068930-118.445127', time: '999.500000001' }
  const { outcome, at } = await calls.report(report, CALLER)
  assert.equal(outcome, 'new')
  assert.equal(at, 'AT Alford +0.499999999 kiwi +34.068930-118.445127 999.500000001')
  assert.equal(atLineOf(calls.fix('kiwi', CALLER)), at)
})

test('attributes come back, and a report without a time is of now', async () => {
  const { calls } = make()
  const attributes = { speed: 3, tags: { a: 'b c' } }
  await calls.report({ client: 'kiwi', position: '+1-1', time: null, attributes }, CALLER)
  const fix = calls.fix('kiwi', CALLER)
  assert.deepEqual(fix.attributes, attributes)
  assert.equal(fix.timeText, '1000.000000000')
})

test('what is sent again is no news, however much later it comes', async () => {
  const { calls, server } = make()
  const report = { client: 'kiwi', position: '+1-1', time: '900', attributes: { battery: 0.5 } }
  await calls.report(report, CALLER)
  const { changes } = server.replica
  server.now.seconds = 1500
  assert.equal((await calls.report(report, CALLER)).outcome, 'not-newer')
  assert.equal(server.replica.changes, changes)
  const other = { ...report, attributes: { battery: 0.4 } }
  assert.equal((await calls.report(other, CALLER)).outcome, 'new')
})

test('what makes no sense is refused, and changes nothing', async () => {
  const { calls, server } = make()
  const right = { client: 'kiwi', position: '+1-1', time: '900' }
  const wrong = [
    { ...right, client: '' },
    { ...right, client: 'two words' },
    { ...right, client: 'half-a\ud83e' },
    { ...right, client: 'x'.repeat(1025) },
    { ...right, position: '1,1' },
    { ...right, position: '+91+0' },
    { ...right, position: `+1.${'0'.repeat(300)}-1` },
    { ...right, time: '-5' },
    { ...right, time: 'now' },
    { ...right, attributes: { speed: -1 } },
  ]
  for (const report of wrong) await assert.rejects(calls.report(report, CALLER), isRefused('invalid'))
  assert.equal(server.replica.table.clients, 0)
})

test('whatever a report says, it is kept as it was said or refused with a reason', async () => {
  const { calls } = make({ clientsMax: 1_000_000 })
  await fc.assert(
    fc.asyncProperty(
      fc.record({ client: fc.string({ unit: 'binary' }), position: fc.string(), time: fc.string() }),
      async (report) => {
        try {
          await calls.report(report, CALLER)
        } catch (error) {
          assert.ok(error instanceof CallRefused && error.message.length > 10)
          return
        }
        assert.equal(calls.fix(report.client, CALLER).positionText, report.position)
      },
    ),
    runs(300),
  )
})

test('positions out of numbers have all their digits, and no exponent', () => {
  assert.equal(positionText(34.06893, -118.445127), '+34.06893-118.445127')
  assert.equal(positionText(-0, 0), '+0+0')
  fc.assert(
    fc.property(
      fc.double({ min: -90, max: 90, noNaN: true }),
      fc.double({ min: -180, max: 180, noNaN: true }),
      (latitude, longitude) => {
        const [, first, second] = /^([+-][\d.]+)([+-][\d.]+)$/.exec(positionText(latitude, longitude)) ?? []
        assert.ok(Math.abs(Number(first) - latitude) < 1e-12 && Math.abs(Number(second) - longitude) < 1e-12)
      },
    ),
    runs(500),
  )
})

test('who may not report or read is told so, also of clients that there are not', async () => {
  const { calls } = make()
  await calls.report({ client: 'kiwi', position: '+1-1', time: null }, CALLER)
  const grant = {
    ...EVERYTHING,
    ...{
      name: 'token anna',
      readsAll: false,
      mayReport: () => false,
      mayRead: (id: string) => id === 'anna',
    },
  }
  const anna = { address: ADDRESS, grant }
  await assert.rejects(
    calls.report({ client: 'anna', position: '+1-1', time: null }, anna),
    isRefused('not-allowed'),
  )
  for (const client of ['kiwi', 'nobody'])
    assert.throws(() => calls.fix(client, anna), isRefused('not-allowed'))
  assert.throws(() => calls.fix('nobody', CALLER), isRefused('unknown-client'))
  assert.deepEqual((await calls.page(0, 10, null, anna)).fixes, [])
})

test('fixesPerSecondPerAddressMax holds for every gateway, and says when it may go on', async () => {
  const { calls, server } = make({ fixesPerSecondPerAddressMax: 2 })
  const report = (time: string): Promise<unknown> =>
    calls.report({ client: 'k', position: '+1+1', time }, CALLER)
  await report('1')
  await report('2')
  await assert.rejects(report('3'), (error) => error instanceof CallRefused && (error.waitMs ?? 0) > 0)
  assert.equal(server.counters.reportsRefusedForRate, 1)
})

test('clientsMax holds: the report is refused and the table stays as it is', async () => {
  const { calls, server } = make({ clientsMax: 1 })
  await calls.report({ client: 'a', position: '+1+1', time: null }, CALLER)
  await assert.rejects(
    calls.report({ client: 'b', position: '+1+1', time: null }, CALLER),
    isRefused('table-full'),
  )
  assert.equal(server.counters.tableFull, 1)
})

test('a search gives the nearest first, and more than whosatItemsMax are too many', async () => {
  const { calls } = make()
  for (let n = 0; n < 11; n++) {
    await calls.report({ client: `c${n}`, position: `+${n / 100}+0`, time: null }, CALLER)
  }
  const area = { kind: 'circle', center: { latitude: 0, longitude: 0 }, radiusMetres: 5000 } as const
  const near = await calls.search({ area, items: 3, ageSecondsMax: null }, CALLER)
  assert.deepEqual(
    near.map(({ client }) => client),
    ['c0', 'c1', 'c2'],
  )
  const all = { ...area, radiusMetres: 50_000 }
  await assert.rejects(
    calls.search({ area: all, items: 1000, ageSecondsMax: null }, CALLER),
    isRefused('too-many'),
  )
})

test('pages have every client once', async () => {
  const { calls } = make()
  for (let n = 0; n < 25; n++) await calls.report({ client: `c${n}`, position: '+1+1', time: null }, CALLER)
  const seen: string[] = []
  for (let from: number | null = 0; from !== null; ) {
    const { fixes, next } = await calls.page(from, 7, null, CALLER)
    seen.push(...fixes.map(({ client }) => client))
    from = next
  }
  assert.deepEqual(seen.toSorted(), Array.from({ length: 25 }, (_, n) => `c${n}`).toSorted())
})

test('ages count from the client’s time', async () => {
  const { calls } = make()
  await calls.report({ client: 'old', position: '+1+1', time: '900' }, CALLER)
  await calls.report({ client: 'new', position: '+1+1', time: '999' }, CALLER)
  const { fixes } = await calls.page(0, 10, 50, CALLER)
  assert.deepEqual(
    fixes.map(({ client }) => client),
    ['new'],
  )
})

test('places are asked for where the client is', async () => {
  const { calls, places } = make()
  await calls.report({ client: 'kiwi', position: '+34.068930-118.445127', time: null }, CALLER)
  const { text } = await calls.places('kiwi', 2000, 5, {}, CALLER)
  assert.equal(text, '{}')
  assert.deepEqual(places, ['34.068930,-118.445127 2000 5'])
})
