/** A port that nobody listens on. */
import { once } from 'node:events'
import { createServer } from 'node:net'
import { Unreachable } from './terminal.ts'

// Below those that systems give to connections: a server that is down would lose its port to one.
const PORT_MIN = 12_000
const PORTS = 16_000
const TRIES_MAX = 100

/** Finds a port that is free on a host now. @param taken ports that are somebody's who may be down. */
export async function freePort(host: string, taken: ReadonlySet<number>): Promise<number> {
  for (let tries = 0; tries < TRIES_MAX; tries++) {
    const port = PORT_MIN + Math.floor(Math.random() * PORTS)
    if (!taken.has(port) && (await isFree(host, port))) return port
  }
  throw new Unreachable(`no free port found on ${host} in ${TRIES_MAX} tries: choose one with --port`)
}

async function isFree(host: string, port: number): Promise<boolean> {
  const server = createServer()
  server.listen(port, host)
  const free = await once(server, 'listening').then(
    () => true,
    () => false,
  )
  server.close()
  return free
}
