import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../test/support/properties.ts'
import type { Nanotime } from './protocol/index.ts'
import { makeDisciplinedClock, makeQuickClock, realSystem } from './system.ts'

const MS = 1_000_000n

function read(readClock: (time: Nanotime) => void): bigint {
  const time: Nanotime = { seconds: 0, nanoseconds: 0 }
  readClock(time)
  assert.ok(Number.isInteger(time.seconds))
  assert.ok(Number.isInteger(time.nanoseconds) && time.nanoseconds >= 0 && time.nanoseconds < 1e9)
  return BigInt(time.seconds) * 1_000_000_000n + BigInt(time.nanoseconds)
}

/** A true time that somebody sets, a crystal that counts on, and the clock that is read from both. */
class World {
  true = 1_479_413_884_392_014_450n
  crystal = 77n
  readonly clock = makeDisciplinedClock(
    () => Number(this.true / MS),
    () => this.crystal,
  )

  pass(nanoseconds: bigint): void {
    this.true += nanoseconds
    this.crystal += nanoseconds
  }
}

/** Time passes; the system's clock is set, forwards or back; or it runs at another pace than the crystal. */
const step = fc.oneof(
  fc.record({ pass: fc.bigInt({ min: 0n, max: 5n * MS }), set: fc.constant(0n) }),
  fc.record({ pass: fc.bigInt({ min: 0n, max: 3_600_000n * MS }), set: fc.constant(0n) }),
  fc.record({ pass: fc.constant(0n), set: fc.bigInt({ min: -86_400_000n * MS, max: 86_400_000n * MS }) }),
  fc.record({ pass: fc.constant(10n * MS), set: fc.bigInt({ min: -5000n, max: 5000n }) }),
)

test('the disciplined clock is never off by more than a millisecond, whatever happens to the system’s', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const world = new World()
      for (const { pass, set } of steps) {
        world.pass(pass)
        world.true += set
        const now = read(world.clock)
        assert.equal(now / MS, world.true / MS, 'it is in the millisecond that the system’s clock shows')
      }
    }),
    runs(500),
  )
})

test('between two ticks of the system’s clock it goes on with the crystal, and never back', () => {
  const world = new World()
  let last = read(world.clock)
  let catchingUp = 0n
  for (let turn = 0; turn < 5000; turn++) {
    world.pass(10_001n)
    const now = read(world.clock)
    assert.ok(now - last >= 10_001n)
    catchingUp += now - last - 10_001n
    last = now
  }
  // All that it ever makes up for is the part of a millisecond that it could not know at first.
  assert.ok(catchingUp < MS, `${catchingUp} ns`)
})

test('a step of the system’s clock is followed at once, both ways', () => {
  for (const seconds of [3600n, -3600n, 1n, -1n]) {
    const world = new World()
    const before = read(world.clock)
    world.true += seconds * 1000n * MS
    const moved = read(world.clock) - before
    const off = moved - seconds * 1000n * MS
    assert.ok(off < MS && off > -MS, `${off} ns off`)
  }
})

test('the real clock is the system’s, finer than milliseconds', () => {
  const beforeMs = Date.now()
  const reads = Array.from({ length: 2000 }, () => read(realSystem.readClock))
  const afterMs = Date.now()
  // A millisecond more on either side: the two need not tick together.
  assert.ok((reads[0] ?? 0n) >= BigInt(beforeMs - 1) * MS)
  assert.ok((reads.at(-1) ?? 0n) <= BigInt(afterMs + 1) * MS)
  assert.ok(reads.some((time) => time % MS !== 0n))
  assert.ok(new Set(reads).size > afterMs - beforeMs + 2)
})

test('the real timer calls back once, and not when it was cancelled', async () => {
  const { promise, resolve } = Promise.withResolvers<void>()
  const calls: string[] = []
  const cancel = realSystem.after(1, () => calls.push('cancelled'))
  cancel()
  realSystem.after(5, () => {
    calls.push('called')
    resolve()
  })
  // The real timers don't keep the process up; this one does, for as long as the test takes.
  const keep = setInterval(() => undefined, 1000)
  await promise
  clearInterval(keep)
  assert.deepEqual(calls, ['called'])
})

test('random numbers are in range, random bytes are as many as asked for', () => {
  for (let turn = 0; turn < 100; turn++) {
    const random = realSystem.random()
    assert.ok(random >= 0 && random < 1)
  }
  assert.equal(realSystem.randomBytes(16).length, 16)
  assert.notDeepEqual(realSystem.randomBytes(16), realSystem.randomBytes(16))
})

/** As `World`, with a quick clock over an exact one. */
class QuickWorld extends World {
  systemReadings = 0
  readonly quick = makeQuickClock(
    (time) => {
      this.systemReadings++
      time.seconds = Number(this.true / 1_000_000_000n)
      time.nanoseconds = Number(this.true % 1_000_000_000n)
    },
    () => Number(this.crystal) / 1e6,
  )
}

test('the quick clock shows what the system’s does, to some nanoseconds, and follows it within a millisecond', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 100 }), (steps) => {
      const world = new QuickWorld()
      let setSince = 0n
      let sinceSet = 0n
      for (const { pass, set } of steps) {
        world.pass(pass)
        world.true += set
        sinceSet = set === 0n ? sinceSet + pass : 0n
        setSince = set === 0n ? setSince : setSince + set
        const off = read(world.quick) - world.true
        if (sinceSet >= MS || setSince === 0n) {
          setSince = 0n
          assert.ok(off >= -20n && off <= 20n, `off by ${off} ns`)
        }
      }
    }),
    runs(500),
  )
})

test('the quick clock reads the system’s once in a millisecond, and never goes back between', () => {
  const world = new QuickWorld()
  let last = read(world.quick)
  for (let turn = 0; turn < 10_000; turn++) {
    world.pass(1001n)
    const now = read(world.quick)
    assert.ok(now >= last, 'it goes on')
    last = now
  }
  assert.ok(
    world.systemReadings >= 9 && world.systemReadings <= 12,
    `${world.systemReadings} readings in 10 ms`,
  )
})
