import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { LOOPBACK } from '../support/ports.ts'
import type { Arrivals } from './arrivals.ts'
import { DIALECTS } from './dialects.ts'
import { NATS_HELLO, NATS_PONG, natsMessage, subscribeToOthers } from './nats.ts'
import { FIELDS, ReportTemplate } from './report-template.ts'
import type { Target } from './targets.ts'
import { UpdateLines } from './update-lines.ts'

/** Clients that report in turn; each stays with one server where there are five. */
export const PULSE_CLIENTS = 10_000
/** Where servers of the old kind listen, so that their lines can be told from those of clients. */
export const SINK_HOST = '127.0.0.2'

const CONNECTED_MS_MAX = 20_000
/** As long as the AT line that a herd makes of the same report. */
const AT_LINE = `AT Alford +0.263873386 ${FIELDS.client} ${FIELDS.position} ${FIELDS.time}`

/** Sends updates one at a time, and hears of them at the other servers. */
export interface Pulse {
  /** Updates that are sent to this server: those whose number, divided by the number of servers, leaves it. */
  send(server: number, number: number): void
  close(): void
}

/** How a pulse is made. */
export interface PulseOrder {
  readonly targets: readonly Target[]
  readonly arrivals: Arrivals
  readonly fail: (error: unknown) => void
}

/**
 * A herd: reports go in as a client's, and come out at each server to a stand-in for a classic neighbor.
 *
 * @param sinkPorts where the stand-ins listen, one for each server; none: nobody listens to what comes out.
 */
export async function openHerdPulse(
  { targets, arrivals, fail }: PulseOrder,
  sinkPorts: readonly number[],
): Promise<Pulse> {
  const reports = templateOf(DIALECTS.herd.template)
  const closeSinks = await Promise.all(
    sinkPorts.map((port, server) => openSink(port, server, targets, arrivals, fail)),
  )
  const sockets = await Promise.all(
    targets.map(async ({ port }) => {
      const lines = new UpdateLines(
        (number) => arrivals.answer(number, performance.now()),
        (line) => fail(new Error(`a server says ${line}`)),
      )
      return openSocket(port, lines, fail)
    }),
  )
  return {
    send: (server, number) => sockets[server]?.write(reports(number)),
    close: () => {
      for (const socket of sockets) socket.destroy()
      for (const close of closeSinks) close()
    },
  }
}

/** A cluster of NATS, with a subscriber at each server to what is published at the others. */
export async function openNatsPulse({ targets, arrivals, fail }: PulseOrder): Promise<Pulse> {
  const publishers = await Promise.all(targets.map(({ port }) => openNats(port, '', () => {}, fail)))
  const subscribers = await Promise.all(
    targets.map(({ port }, server) => {
      const hear = (number: number): void => arrivals.hear(number, performance.now())
      return openNats(port, subscribeToOthers(server, targets.length), hear, fail)
    }),
  )
  const messages = targets.map((_, server) => templateOf(natsMessage(server, AT_LINE)))
  return {
    send: (server, number) => {
      const message = messages[server]
      if (message !== undefined) publishers[server]?.write(message(number))
    },
    close: () => {
      for (const socket of [...publishers, ...subscribers]) socket.destroy()
    },
  }
}

/** Bytes of the update with a number, which is the tick of its time. */
function templateOf(text: string): (number: number) => Buffer {
  const template = new ReportTemplate(text, Math.floor(Date.now() / 1000) - 1)
  return (number) => {
    const bytes = Buffer.allocUnsafe(template.bytes)
    const client = number % PULSE_CLIENTS
    template.write(bytes, 0, client, Math.floor(number / PULSE_CLIENTS), number)
    return bytes
  }
}

async function openSocket(port: number, lines: UpdateLines, fail: (error: unknown) => void): Promise<Socket> {
  const socket = connect({ port, host: LOOPBACK, noDelay: true })
  await once(socket, 'connect')
  socket.on('data', (chunk: Buffer) => lines.push(chunk))
  socket.once('error', fail)
  return socket
}

async function openNats(
  port: number,
  subscriptions: string,
  onUpdate: (number: number) => void,
  fail: (error: unknown) => void,
): Promise<Socket> {
  const { promise, resolve } = Promise.withResolvers<void>()
  // One PONG answers the greeting, another the subscriptions.
  let pongsMissing = subscriptions === '' ? 1 : 2
  const lines: UpdateLines = new UpdateLines(onUpdate, (line) => {
    if (line === 'PING') socket.write(NATS_PONG)
    if (line.startsWith('-ERR')) fail(new Error(`NATS says ${line}`))
    if (line === 'PONG' && --pongsMissing === 0) resolve()
  })
  const socket = await openSocket(port, lines, fail)
  socket.write(NATS_HELLO + subscriptions)
  await promise
  return socket
}

/** Listens as a server of the old kind; resolves when the server that is its neighbor has dialed. Returns what ends it. */
async function openSink(
  port: number,
  server: number,
  targets: readonly Target[],
  arrivals: Arrivals,
  fail: (error: unknown) => void,
): Promise<() => void> {
  const lines = new UpdateLines((number) => {
    if (number % targets.length !== server) arrivals.hear(number, performance.now())
  })
  const sockets = new Set<Socket>()
  const sink = createServer((socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('data', (chunk: Buffer) => lines.push(chunk))
    socket.on('error', fail)
  })
  sink.listen(port, SINK_HOST)
  await once(sink, 'connection', { signal: AbortSignal.timeout(CONNECTED_MS_MAX) })
  return () => {
    sink.close()
    for (const socket of sockets) socket.destroy()
  }
}
