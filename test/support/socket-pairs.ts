/** Two ends of one connection, for tests of what sockets carry. */
import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import type { TestContext } from 'node:test'
import { setImmediate as nextTurn } from 'node:timers/promises'

/** The end that dialed and the end that was dialed, both paused; both are gone when the test is over. */
export interface SocketPair {
  readonly dialing: Socket
  readonly dialed: Socket
}

/** A connection over loopback. */
export async function socketPair(t: TestContext): Promise<SocketPair> {
  const server = createServer({ allowHalfOpen: true, noDelay: true, pauseOnConnect: true })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const dialing = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', noDelay: true })
  const [dialed] = (await once(server, 'connection')) as [Socket]
  if (dialing.connecting) await once(dialing, 'connect')
  server.close()
  dialing.pause()
  for (const socket of [dialing, dialed]) {
    socket.on('error', () => undefined)
    t.after(() => socket.destroy())
  }
  return { dialing, dialed }
}

/** A connection on which bytes come in pieces of these sizes, again and again from the first. */
export async function cutPair(t: TestContext, sizes: readonly number[]): Promise<SocketPair> {
  const [near, far] = await Promise.all([socketPair(t), socketPair(t)])
  void pass(near.dialed, far.dialing, sizes)
  void pass(far.dialing, near.dialed, sizes)
  return { dialing: near.dialing, dialed: far.dialed }
}

async function pass(from: Socket, to: Socket, sizes: readonly number[]): Promise<void> {
  let piece = 0
  try {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; ) {
        const size = sizes[piece++ % sizes.length] ?? 1
        to.write(chunk.subarray(at, at + size))
        at += size
        await nextTurn()
      }
    }
    to.end()
  } catch {
    to.destroy()
  }
}

/** The first bytes that come, as a server reads them that doesn't know yet what they are. */
export async function firstChunk(socket: Socket): Promise<Buffer> {
  const coming = once(socket, 'data') as Promise<[Buffer]>
  socket.resume()
  const [chunk] = await coming
  socket.pause()
  return chunk
}
