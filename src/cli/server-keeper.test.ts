import assert from 'node:assert/strict'
import { ChildProcess } from 'node:child_process'
import { type TestContext, test } from 'node:test'
import { backoffMs, type KeeperEvent, ServerKeeper, StartFailed } from './server-keeper.ts'

/** A process that does what the test says. */
class FakeProcess extends ChildProcess {
  readonly signals: unknown[] = []

  override kill(signal?: NodeJS.Signals | number): boolean {
    this.signals.push(signal)
    return true
  }

  listen(): void {
    this.emit('message', { type: 'listening', host: '127.0.0.1', port: 5, alsoPorts: [6] })
  }

  end(code: number | null, signal: string | null = null): void {
    this.emit('close', code, signal)
  }
}

function keeperOf(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] })
  const made: FakeProcess[] = []
  const events: KeeperEvent[] = []
  const launch = () => {
    made.push(new FakeProcess())
    return last()
  }
  const last = () => {
    const child = made.at(-1)
    assert.ok(child)
    return child
  }
  const keeper = new ServerKeeper(launch, (event) => events.push(event))
  return { keeper, made, events, last, tick: (ms: number) => t.mock.timers.tick(ms) }
}

test('the waits between restarts grow up to a bound', () => {
  assert.deepEqual([0, 1, 2, 3, 4, 5, 6, 1000].map(backoffMs), [200, 400, 800, 1600, 3200, 5000, 5000, 5000])
})

test('a server that ends by itself is started again, for ever', async (t) => {
  const { keeper, made, events, last, tick } = keeperOf(t)
  const started = keeper.start()
  last().listen()
  await started
  for (const waitMs of [200, 400, 800, 1600, 3200, 5000, 5000]) {
    const count = made.length
    last().end(null, 'SIGKILL')
    assert.deepEqual(events.at(-1), { type: 'exited', reason: 'SIGKILL', restartMs: waitMs })
    tick(waitMs - 1)
    assert.equal(made.length, count)
    tick(1)
    assert.equal(made.length, count + 1)
    last().listen()
  }
})

test('a server that stayed up for 10 s is started again soon', async (t) => {
  const { keeper, events, last, tick } = keeperOf(t)
  const started = keeper.start()
  last().listen()
  await started
  const restartMs = () => {
    last().end(1)
    const event = events.at(-1)
    assert.ok(event?.type === 'exited')
    tick(event.restartMs)
    last().listen()
    return event.restartMs
  }
  assert.deepEqual([restartMs(), restartMs(), restartMs()], [200, 400, 800])
  tick(9999)
  assert.equal(restartMs(), 1600)
  tick(10_000)
  assert.equal(restartMs(), 200)
})

test('a restart that fails is tried again, with the reason that the server gave', async (t) => {
  const { keeper, events, last, tick } = keeperOf(t)
  const started = keeper.start()
  last().listen()
  await started
  last().end(1)
  tick(200)
  last().emit('message', { type: 'failed', code: 'EADDRINUSE', text: 'the port is taken' })
  last().end(1)
  assert.deepEqual(events.at(-1), { type: 'exited', reason: 'the port is taken', restartMs: 400 })
})

test('a first start that fails is not tried again', async (t) => {
  const { keeper, made, last, tick } = keeperOf(t)
  const started = keeper.start()
  last().emit('message', { type: 'failed', code: 'EADDRINUSE', text: 'the port is taken' })
  last().end(1)
  await assert.rejects(started, new StartFailed('the port is taken'))
  tick(60_000)
  assert.equal(made.length, 1)
})

test('a server that never listens is killed after 30 s', async (t) => {
  const { keeper, last, tick } = keeperOf(t)
  const started = keeper.start()
  tick(29_999)
  assert.deepEqual(last().signals, [])
  tick(1)
  assert.deepEqual(last().signals, ['SIGKILL'])
  last().end(null, 'SIGKILL')
  await assert.rejects(started, new StartFailed('it did not listen within 30000 ms'))
})

test('a process that can not be made is a failed start', async (t) => {
  const { keeper, last } = keeperOf(t)
  const started = keeper.start()
  last().emit('error', new Error('spawn EAGAIN'))
  last().end(-11)
  await assert.rejects(started, new StartFailed('spawn EAGAIN'))
})

test('stopping: SIGTERM, then SIGKILL after 5 s; its end starts nothing', async (t) => {
  const { keeper, made, last, tick } = keeperOf(t)
  const started = keeper.start()
  last().listen()
  await started
  const stopped = keeper.stop()
  assert.deepEqual(last().signals, ['SIGTERM'])
  tick(5000)
  assert.deepEqual(last().signals, ['SIGTERM', 'SIGKILL'])
  last().end(null, 'SIGKILL')
  await stopped
  tick(60_000)
  assert.equal(made.length, 1)
})

test('a server that has left is not started again; stopping it is nothing', async (t) => {
  const { keeper, made, events, last, tick } = keeperOf(t)
  const started = keeper.start()
  last().listen()
  await started
  last().emit('message', { type: 'left' })
  last().end(0)
  assert.deepEqual(events.at(-1), { type: 'left' })
  tick(60_000)
  assert.equal(made.length, 1)
  await keeper.stop()
})

test('stopping while a restart is waited for', async (t) => {
  const { keeper, made, last, tick } = keeperOf(t)
  const started = keeper.start()
  last().listen()
  await started
  last().end(1)
  await keeper.stop()
  tick(60_000)
  assert.equal(made.length, 1)
})

test('what the server reports is passed on; what it should not say is not', async (t) => {
  const { keeper, events, last } = keeperOf(t)
  const started = keeper.start()
  last().listen()
  await started
  const event = { level: 'info', event: 'link', text: 'a link' } as const
  for (const odd of [null, 5, 'text', {}, { type: 'odd' }]) last().emit('message', odd)
  last().emit('message', { type: 'event', event })
  assert.deepEqual(events.slice(1), [{ type: 'event', event }])
})
