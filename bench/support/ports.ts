import { once } from 'node:events'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { type Child, describe, withTimeout } from './children.ts'

/** The only address that the benchmarks ever talk to. */
export const LOOPBACK = '127.0.0.1'

const READY_MS_MAX = 60_000
const TRY_EVERY_MS = 25
const STEADY_PORT_MIN = 14_000
const STEADY_PORTS = 16_000

/** A port that nobody listens on just now. */
export async function findFreePort(): Promise<number> {
  const server = createServer().listen(0, LOOPBACK)
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('the system gave no port')
  return address.port
}

/**
 * Different ports that nobody listens on just now, below those that the system gives to connections: one of these is
 * still free when a server is down for a while.
 */
export async function findFreePorts(count: number): Promise<number[]> {
  const ports = new Set<number>()
  while (ports.size < count) {
    const port = STEADY_PORT_MIN + Math.floor(Math.random() * STEADY_PORTS)
    if (!(await accepts(port))) ports.add(port)
  }
  return [...ports]
}

/** Returns when the server accepts connections; fails when it ends before, or takes too long. */
export async function waitUntilListening(server: Child, port: number): Promise<void> {
  const giveUpAtMs = performance.now() + READY_MS_MAX
  while (performance.now() < giveUpAtMs) {
    if (await accepts(port)) return
    const ending = await withTimeout(server.ended, TRY_EVERY_MS)
    if (ending !== undefined) throw new Error(`${server.name} ended at once: ${describe(ending)}`)
    await sleep(TRY_EVERY_MS)
  }
  throw new Error(`${server.name} did not listen on port ${port} within ${READY_MS_MAX / 1000} s`)
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, LOOPBACK)
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })
}
