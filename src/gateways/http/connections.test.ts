import assert from 'node:assert/strict'
import { once } from 'node:events'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { test } from 'node:test'
import { HandClock } from '../../../test/support/hand-clock.ts'
import { Connections } from './connections.ts'

const LINGER_MS = 500

/** Connections whose requests come and are answered as a test says. */
class Served {
  readonly clock: HandClock = new HandClock()
  readonly answered: number[] = []
  readonly connections: Connections = new Connections({
    ...{ system: this.clock, pendingMax: 2 },
    answered: (connection) => this.answered.push(connection),
  })

  open(id: number): Socket {
    const socket = new Socket()
    this.connections.add(socket, id)
    return socket
  }

  /** A request that has come whole, or not yet. @returns its answer; `null`: too many wait. */
  ask(socket: Socket, isWhole: boolean = true): ServerResponse | null {
    const request = new IncomingMessage(socket)
    request.complete = isWhole
    const response = new ServerResponse(request)
    return this.connections.begin(request, response) ? response : null
  }
}

/** Answers a request. */
function answer(response: ServerResponse | null): void {
  assert.ok(response !== null)
  response.emit('close')
}

/** What is called back, and with what. */
function noted(): { readonly said: boolean[]; readonly callback: (maySay: boolean) => void } {
  const said: boolean[] = []
  return { said, callback: (maySay) => said.push(maySay) }
}

test('a connection has no more requests waiting than it may, and room again when one is answered', () => {
  const served = new Served()
  const [socket, other] = [served.open(7), served.open(8)]
  const first = served.ask(socket)
  served.ask(socket)
  assert.equal(served.ask(socket), null)
  assert.notEqual(served.ask(other), null)
  answer(first)
  assert.notEqual(served.ask(socket), null)
  assert.equal(served.ask(socket), null)
  assert.deepEqual(served.answered, [7])
  // One that nobody has taken over is none of theirs.
  assert.notEqual(served.ask(new Socket()), null)
})

test('what comes after all answers waits for them, and comes once', () => {
  const served = new Served()
  const socket = served.open(1)
  const { said, callback } = noted()
  const [one, two] = [served.ask(socket), served.ask(socket)]
  served.connections.whenAnswered(socket, callback)
  answer(one)
  assert.deepEqual(said, [])
  answer(two)
  assert.deepEqual(said, [true])
  answer(served.ask(socket))
  assert.deepEqual(said, [true])
  served.connections.whenAnswered(socket, callback)
  served.connections.whenAnswered(new Socket(), callback)
  assert.deepEqual(said, [true, true, true])
})

test('a request that never comes whole is not waited for, and what answers it later is said to nobody', () => {
  const served = new Served()
  const socket = served.open(1)
  const { said, callback } = noted()
  const whole = served.ask(socket)
  const half = served.ask(socket, false)
  assert.ok(whole !== null && half !== null)
  served.connections.whenAnswered(socket, callback)
  assert.deepEqual(said, [])
  whole.assignSocket(socket)
  whole.detachSocket(socket)
  half.assignSocket(socket)
  answer(whole)
  assert.deepEqual(said, [true])
  assert.equal(half.socket, null)
})

test('a request that is answered before it has come whole is answered once', () => {
  const served = new Served()
  const socket = served.open(1)
  const { said, callback } = noted()
  const early = served.ask(socket, false)
  early?.writeHead(200)
  served.connections.whenAnswered(socket, callback)
  assert.deepEqual(said, [])
  answer(early)
  assert.deepEqual(said, [false])
})

test('stopping closes what waits for nothing at once, the others when they are answered', async () => {
  const served = new Served()
  const [idle, busy] = [served.open(1), served.open(2)]
  const response = served.ask(busy)
  const stopped = served.connections.stop(LINGER_MS)
  await once(idle, 'close')
  assert.equal(served.connections.count, 1)
  answer(response)
  await stopped
  assert.deepEqual([served.connections.count, served.clock.running, busy.destroyed], [0, 0, true])
  await served.connections.stop(LINGER_MS)
})

test('stopping waits no longer than it may, for a WebSocket neither', async () => {
  const served = new Served()
  const [held, stuck] = [served.open(1), served.open(2)]
  served.connections.hold(held)
  served.ask(stuck)
  const stopped = served.connections.stop(LINGER_MS)
  served.clock.pass(LINGER_MS - 1)
  assert.equal(served.connections.count, 2)
  served.clock.pass(1)
  await stopped
  assert.equal(served.connections.count, 0)
})

test('what is asked while stopping is the last of its connection', async () => {
  const served = new Served()
  const socket = served.open(1)
  const first = served.ask(socket)
  const stopped = served.connections.stop(LINGER_MS)
  const second = served.ask(socket)
  assert.equal(second?.shouldKeepAlive, false)
  answer(first)
  assert.equal(socket.destroyed, false)
  answer(second)
  await stopped
})
