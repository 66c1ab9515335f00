import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../../test/support/properties.ts'
import {
  WATCHERS_MAX,
  type WatchedServer,
  WatchingClient,
  watchedHerd,
} from '../../../test/support/watched-herd.ts'
import { makeBox } from '../../locations/index.ts'
import { EVERYTHING } from '../access/grant.ts'

const CLIENTS = ['a', 'b', 'c', 'd', 'e', 'f']
/** Where latitude and longitude are positive. */
const BOX = makeBox({ latitude: 0, longitude: 0 }, { latitude: 90, longitude: 179 })
const REMEMBERED = 3

type Step =
  | {
      readonly do: 'report'
      readonly server: number
      readonly client: string
      readonly isIn: boolean
      readonly time: number
    }
  | { readonly do: 'turn'; readonly server: number; readonly ms: number }
  | { readonly do: 'link'; readonly pipe: number; readonly bytes: number }
  | { readonly do: 'down' | 'up' }
  | { readonly do: 'block' | 'unblock'; readonly watcher: number }
  | { readonly do: 'resume'; readonly watcher: number; readonly server: number }

const server = fc.nat({ max: 1 })
const watcher = fc.nat({ max: 3 })
const report = fc.record({
  do: fc.constant('report' as const),
  server,
  client: fc.constantFrom(...CLIENTS),
  isIn: fc.boolean(),
  time: fc.integer({ min: 1, max: 40 }),
})
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: report },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('turn' as const), server, ms: fc.constantFrom(1, 10, 600) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('link' as const),
      pipe: fc.nat({ max: 1 }),
      bytes: fc.integer({ min: 1, max: 400 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constantFrom('down' as const, 'up' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('block' as const, 'unblock' as const), watcher }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('resume' as const), watcher, server }) },
)

/** Those who watch in every property: all, some, an area, some in an area. */
function fourWatchers(): WatchingClient[] {
  return [
    new WatchingClient({}),
    new WatchingClient({ clients: new Set(['a', 'b', 'c']) }),
    new WatchingClient({ area: BOX }),
    new WatchingClient({ clients: new Set(['a', 'e', 'f']), area: BOX }),
  ]
}

/** What somebody who watches is to hold to be true of a server's table. */
function truth({ server: { replica } }: WatchedServer, { filter }: WatchingClient): Map<string, string> {
  const { table } = replica
  const all = Array.from({ length: table.recordsEnd }, (_, record) => record).filter((record) =>
    table.isLive(record),
  )
  const wanted = all.filter((record) => filter.area === null || table.isIn(record, filter.area))
  const rows = wanted.map((record): [string, string] => {
    const { client, timeText } = table.read(record)
    return [client.toString(), Buffer.from(timeText).toString()]
  })
  return new Map(rows.filter(([client]) => filter.clients?.has(client) !== false))
}

test('whatever comes in between, each ends with the newest fix of every client that it watches, and no other', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 120 }), async (steps) => {
      const { herd, watched } = watchedHerd(['Alford', 'Ball'], REMEMBERED)
      const at = (index: number): WatchedServer => watched[index] as WatchedServer
      const watchers = fourWatchers()
      const where = watchers.map((_, index) => index % 2)
      for (const [index, one] of watchers.entries()) one.watch(at(index % 2))
      herd.upAll()
      for (const one of steps) {
        switch (one.do) {
          case 'report': {
            const place = one.isIn ? '+10+10' : '-10-10'
            at(one.server).server.takeAt(
              `AT ${at(one.server).server.name} +0.5 ${one.client} ${place} ${one.time}`,
            )
            break
          }
          case 'turn':
            await at(one.server).turn(one.ms)
            break
          case 'link': {
            const pipe = herd.pipes[one.pipe]
            pipe?.send(one.bytes)
            pipe?.arrive(one.bytes)
            break
          }
          case 'down':
            herd.down(0)
            break
          case 'up':
            herd.up(0)
            break
          case 'block':
            ;(watchers[one.watcher] as WatchingClient).isBlocked = true
            break
          case 'unblock':
            watchers[one.watcher]?.unblock()
            break
          case 'resume':
            where[one.watcher] = one.server
            watchers[one.watcher]?.watch(at(one.server))
        }
      }
      herd.upAll()
      herd.settle()
      for (const one of watchers) one.unblock()
      for (let turns = 0; turns < 8; turns++) for (const hub of watched) await hub.turn(600)
      watchers.forEach((one, index) => {
        assert.deepEqual(one.seen, truth(at(where[index] ?? 0), one), `watcher ${index}`)
        assert.notEqual(one.cursor, null)
      })
      // Who comes back with the last cursor is told nothing twice, but for exits that nobody can rule out.
      for (const [index, one] of watchers.entries()) {
        const other = at(1 - (where[index] ?? 0))
        const { told } = one
        one.watch(other)
        for (let turns = 0; turns < 4; turns++) await other.turn(600)
        if (one.filter.area === null) assert.equal(one.told, told, `watcher ${index} was told again`)
        assert.deepEqual(one.seen, truth(other, one))
      }
    }),
    runs(300),
  )
})

test('one that takes nothing for long is told the newest of each once it does', async () => {
  const { watched } = watchedHerd(['Alford'], REMEMBERED)
  const [alford] = watched
  assert.ok(alford !== undefined)
  const one = new WatchingClient({})
  one.watch(alford)
  one.isBlocked = true
  const count = 3 * REMEMBERED
  for (let time = 1; time <= 50; time++) {
    for (let client = 0; client < count; client++) {
      alford.server.takeAt(`AT Alford +0.5 client${client} +10+10 ${time}`)
    }
    await alford.turn(20)
  }
  // One flush went out before it said that it takes no more.
  const before = one.told
  assert.ok(before <= count)
  one.unblock()
  for (let turns = 0; turns < 4; turns++) await alford.turn(20)
  assert.deepEqual(
    [...one.seen.values()],
    Array.from({ length: count }, () => '50'),
  )
  assert.ok(one.told - before <= count, `${one.told - before} were told`)
})

test('what was remembered and comes anew in the same turn is told once', async () => {
  const { watched } = watchedHerd(['Alford'], REMEMBERED)
  const [alford] = watched
  assert.ok(alford !== undefined)
  const one = new WatchingClient({})
  one.watch(alford)
  const report = async (time: number): Promise<void> => {
    alford.server.takeAt(`AT Alford +0.5 a +10+10 ${time}`)
    if (time < 3) await alford.turn(20)
  }
  one.isBlocked = true
  for (const time of [1, 2]) await report(time)
  const before = one.told
  // The newest isn't offered yet when it says that it takes more.
  await report(3)
  one.unblock()
  for (let turns = 0; turns < 3; turns++) await alford.turn(20)
  assert.equal(one.seen.get('a'), '3')
  assert.equal(one.told - before, 1)
})

test('limits.watchersMax and limits.watchRememberedMax are kept, with what would be right', () => {
  const { watched } = watchedHerd(['Alford'], REMEMBERED)
  const [alford] = watched
  assert.ok(alford !== undefined)
  const many = new WatchingClient({ clients: new Set(['a', 'b', 'c', 'd']) })
  assert.throws(() => many.watch(alford), /at most 3 clients can be named \(limits\.watchRememberedMax\)/)
  assert.equal(alford.hub.watchers, 0)
  const all = Array.from({ length: WATCHERS_MAX }, () => new WatchingClient({}))
  for (const one of all) one.watch(alford)
  assert.throws(() => new WatchingClient({}).watch(alford), /100 watch already \(limits\.watchersMax\)/)
  assert.equal(alford.server.counters.watchersRefused, 1)
  for (const one of all) one.leave()
  assert.equal(alford.hub.watchers, 0)
  assert.equal(alford.server.replica.links.length, 0)
})

test('what is no cursor is refused; `now` tells only what comes', async () => {
  const { watched } = watchedHerd(['Alford'], REMEMBERED)
  const [alford] = watched
  assert.ok(alford !== undefined)
  const one = new WatchingClient({})
  assert.throws(() => one.watch(alford, { cursor: 'hello' }), /that is no cursor/)
  alford.server.takeAt('AT Alford +0.5 before +10+10 1')
  one.watch(alford, 'now')
  await alford.turn(600)
  alford.server.takeAt('AT Alford +0.5 after +10+10 2')
  for (let turns = 0; turns < 3; turns++) await alford.turn(600)
  assert.deepEqual([...one.seen.keys()], ['after'])
})

test('whoever may not read a client is never told of it', async () => {
  const { watched } = watchedHerd(['Alford'], REMEMBERED)
  const [alford] = watched
  assert.ok(alford !== undefined)
  const grant = {
    ...EVERYTHING,
    name: 'a reader',
    readsAll: false,
    mayReport: () => false,
    mayRead: (client: string) => client === 'a',
  }
  const watchers = [new WatchingClient({ grant }), new WatchingClient({ grant, area: BOX })]
  for (const one of watchers) one.watch(alford)
  for (const [time, place] of ['+10+10', '-10-10', '+10+10'].entries()) {
    for (const client of ['a', 'b']) alford.server.takeAt(`AT Alford +0.5 ${client} ${place} ${time + 1}`)
    for (let turns = 0; turns < 2; turns++) await alford.turn(600)
  }
  for (const one of watchers) {
    assert.deepEqual([...one.seen.keys()], ['a'])
    assert.equal(one.told, 3)
  }
})
