import assert from 'node:assert/strict'
import { test } from 'node:test'
import { toNanotime } from '../../test/support/fixes.ts'
import { MemoryServer } from '../../test/support/memory-herd.ts'
import type { Nanotime } from '../protocol/index.ts'
import { Sweeper } from './sweeper.ts'

const SECOND = 1_000_000_000n
const TURN_RECORDS = 4096

/** A clock that a test sets, and timers that it lets ring. */
class HandClock {
  /** Nanoseconds. */
  now = 0n
  #timers: { readonly ms: number; readonly callback: () => void }[] = []

  readonly readClock = (time: Nanotime): void => void Object.assign(time, toNanotime(this.now))

  readonly after = (ms: number, callback: () => void): (() => void) => {
    const timer = { ms, callback }
    this.#timers.push(timer)
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer)
    }
  }

  /** How long each timer that is set was set for. */
  get waits(): number[] {
    return this.#timers.map(({ ms }) => ms)
  }

  /** Lets the one timer that is set ring. */
  ring(): void {
    const [timer] = this.#timers.splice(0)
    assert.ok(timer !== undefined, 'a timer is set')
    timer.callback()
  }
}

function sweptServer(forgetAfterSeconds: number): {
  server: MemoryServer
  clock: HandClock
  sweeper: Sweeper
} {
  const server = new MemoryServer('A', { forgetAfterSeconds })
  const clock = new HandClock()
  return { server, clock, sweeper: new Sweeper(server.replica, clock, server.counters) }
}

/** Makes clients whose fixes have this time. */
function report(server: MemoryServer, count: number, time: number): void {
  for (let client = 0; client < count; client++) server.takeAt(`AT A +0 c${time}-${client} +1+1 ${time}`)
}

test('a fix is kept until it is older than it may be, to the nanosecond, and is then removed', () => {
  const { server, clock, sweeper } = sweptServer(10)
  const { table } = server.replica
  server.takeAt('AT A +0 kiwi +1+1 100.000000005')
  server.takeAt('AT A +0 emu +1+1 100.000000006')
  sweeper.start()
  clock.now = 110n * SECOND + 5n
  clock.ring()
  assert.deepEqual([server.lines.length, table.clients, server.counters.clientsForgotten], [2, 2, 0])
  clock.now = 110n * SECOND + 6n
  clock.ring()
  assert.deepEqual(server.lines, ['AT A +0 emu +1+1 100.000000006'])
  assert.deepEqual([table.clients, server.counters.clientsForgotten], [1, 1])
})

test('all is swept, in turns that look at no more than they may, and those who still report stay', () => {
  const { server, clock, sweeper } = sweptServer(10)
  const { table } = server.replica
  report(server, 3 * TURN_RECORDS, 100)
  report(server, 5, 1_000_000)
  clock.now = 1000n * SECOND
  sweeper.start()
  const removed: number[] = []
  for (let turn = 0; turn < 4; turn++) {
    const before = table.clients
    clock.ring()
    removed.push(before - table.clients)
  }
  assert.deepEqual(removed, [TURN_RECORDS, TURN_RECORDS, TURN_RECORDS, 0])
  assert.equal(table.clients, 5)
  assert.equal(server.counters.clientsForgotten, 3 * TURN_RECORDS)
})

test('however many clients there are, a round takes a minute at most, and a turn comes every second', () => {
  const { server, clock, sweeper } = sweptServer(10)
  sweeper.start()
  assert.deepEqual(clock.waits, [1000])
  const turns = 64
  report(server, turns * TURN_RECORDS, 1_000_000)
  clock.ring()
  const [wait = 0] = clock.waits
  assert.equal(clock.waits.length, 1)
  assert.ok(wait > 0 && wait < 1000 && wait * turns <= 60_000, `${wait} ms`)
})

test('stop stops', () => {
  const { server, clock, sweeper } = sweptServer(10)
  report(server, 1, 100)
  sweeper.start()
  clock.ring()
  sweeper.stop()
  assert.deepEqual(clock.waits, [])
})
