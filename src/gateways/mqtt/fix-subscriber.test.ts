import assert from 'node:assert/strict'
import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { type TestContext, test } from 'node:test'
import { Aedes } from 'aedes'
import { type Packet, parser } from 'mqtt-packet'
import { makeCounters } from '../../counters.ts'
import { realSystem } from '../../system.ts'
import { EVERYTHING } from '../access/grant.ts'
import type { ClientFix } from '../calls/client-fix.ts'
import { WatchedFix } from '../watch/watched-fix.ts'
import type { WatchFilter, WatchSink } from '../watch/watcher.ts'
import { FixSubscriber } from './fix-subscriber.ts'

const NOW = { seconds: 2_000_000_000, nanoseconds: 0 }

/** A fix that was received at a time. */
function fixAt(client: string, seconds: number): WatchedFix {
  const fix: ClientFix = {
    clientBytes: Buffer.from(client),
    ...{ client, server: 'Alford', latitude: 1, longitude: 2, positionText: '+1+2' },
    ...{ time: { seconds, nanoseconds: 0 }, timeText: String(seconds) },
    ...{ skew: { seconds: 0, nanoseconds: 0 }, skewText: '+0', attributes: {} },
  }
  return new WatchedFix(0, fix, NOW)
}

async function subscriber(t: TestContext) {
  const received: Packet[] = []
  const reader = parser()
  reader.on('packet', (packet) => received.push(packet))
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  assert.ok(typeof address === 'object' && address !== null)
  const near = connect(address.port, '127.0.0.1')
  const [far] = await once(server, 'connection')
  near.on('data', (chunk: Buffer) => reader.parse(chunk))
  const client = new Aedes().handle(far)
  t.after(() => {
    near.destroy()
    server.close()
    client.close()
  })
  const watches: { filter: WatchFilter; sink: WatchSink; isResumed: boolean }[] = []
  const hub = {
    watch: (filter: WatchFilter, _from: unknown, sink: WatchSink) => {
      const watch = { filter, sink, isResumed: false }
      watches.push(watch)
      const resume = (): void => {
        watch.isResumed = true
      }
      return { resume, close: () => void watches.splice(watches.indexOf(watch), 1) }
    },
  }
  const system = {
    ...realSystem,
    readClock: (time: { seconds: number; nanoseconds: number }) => Object.assign(time, NOW),
  }
  const limits = { inflightMax: 2, slowReaderMsMax: 10_000 }
  const told = new FixSubscriber({ hub, counters: makeCounters(), system, limits }, client, far, () => {})
  const messages = async (count: number): Promise<{ retain: boolean; qos: number; id: number }[]> => {
    while (received.length < count) await once(near, 'data')
    return received.splice(0).flatMap((packet) => {
      if (packet.cmd !== 'publish') return []
      return [{ retain: packet.retain, qos: packet.qos, id: packet.messageId ?? 0 }]
    })
  }
  return { told, watches, messages }
}

test('a cursor is remembered once all that was sent before it is acknowledged, and no more is sent than may be', async (t) => {
  const { told, watches, messages } = await subscriber(t)
  const cursors: string[] = []
  told.start('owntracks/+/+', 1, EVERYTHING, 'all', (cursor) => cursors.push(cursor))
  const [watch] = watches
  assert.ok(watch !== undefined)
  watch.sink.cursor('nothing yet')
  assert.deepEqual(cursors, ['nothing yet'])
  watch.sink.fix(fixAt('a/b', 1))
  watch.sink.cursor('first')
  assert.equal(watch.sink.flush(), true)
  watch.sink.fix(fixAt('c/d', 1))
  watch.sink.cursor('second')
  assert.equal(watch.sink.flush(), false)
  const [first, second] = await messages(2)
  assert.ok(first !== undefined && second !== undefined && first.id !== second.id)
  assert.deepEqual(cursors, ['nothing yet'])
  assert.equal(told.acknowledged(second.id), true)
  assert.deepEqual(cursors, ['nothing yet'])
  assert.equal(watch.isResumed, true)
  assert.equal(told.acknowledged(first.id), true)
  assert.deepEqual(cursors, ['nothing yet', 'first', 'second'])
  assert.equal(told.acknowledged(first.id), false)
})

test('what was there before is retained, until all of it is told', async (t) => {
  const { told, watches, messages } = await subscriber(t)
  told.start('herd/#', 0, EVERYTHING, 'all', () => {})
  const [watch] = watches
  watch?.sink.fix(fixAt('a', NOW.seconds - 1))
  watch?.sink.fix(fixAt('a', NOW.seconds + 1))
  watch?.sink.cursor('all')
  watch?.sink.fix(fixAt('b', NOW.seconds - 1))
  watch?.sink.flush()
  assert.deepEqual(
    (await messages(3)).map(({ retain }) => retain),
    [true, false, false],
  )
})

test('one client is watched by its name, and nobody once the connection is closed', async (t) => {
  const { told, watches } = await subscriber(t)
  told.start('owntracks/a/b', 0, EVERYTHING, 'all', () => {})
  told.start('#', 0, EVERYTHING, 'all', () => {})
  told.start('#', 1, EVERYTHING, 'all', () => {})
  assert.deepEqual(
    watches.map(({ filter }) => [...(filter.clients ?? ['all'])]),
    [['a/b'], ['all']],
  )
  told.stop('owntracks/a/b')
  assert.equal(watches.length, 1)
  told.close()
  assert.deepEqual(watches, [])
  told.start('#', 1, EVERYTHING, 'all', () => {})
  assert.deepEqual(watches, [])
})
