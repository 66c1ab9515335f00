/**
 * Publishes OwnTracks locations over MQTT as fast as a server takes them, with one subscriber: a process of its own, on a core of its
 * own. Works with any broker. Prints what it counted in its window as one line of JSON.
 *
 * Each connection has one round of locations under way, one of each of its devices. With QoS 1 the next begins when all of them are
 * acknowledged; with QoS 0 when a ping behind them is answered.
 */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import {
  connectPacket,
  LocationBatch,
  PacketReader,
  PING,
  pubackPacket,
  subscribePacket,
} from './load/mqtt-packets.ts'
import { watchForSilence } from './load/silence.ts'
import { readCpu, utilization } from './support/cpu-time.ts'
import { LOOPBACK } from './support/ports.ts'

const SILENCE_MS_MAX = 5000
/** The first time of a location is so long ago: no round is in the future. */
const PAST_S = 10_000_000

const { values } = parseArgs({
  options: {
    port: { type: 'string' },
    qos: { type: 'string', default: '0' },
    connections: { type: 'string', default: '20' },
    devices: { type: 'string', default: '100' },
    /** Without a subscriber, when `no`. */
    subscriber: { type: 'string', default: 'yes' },
    'warm-up-seconds': { type: 'string', default: '1' },
    seconds: { type: 'string', default: '5' },
    'server-pid': { type: 'string' },
  },
})

const qos = Number(values.qos)
const devices = Number(values.devices)
const counts = { published: 0, delivered: 0 }
const sockets: Socket[] = []

try {
  process.stdout.write(`${JSON.stringify(await run())}\n`)
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  for (const socket of sockets) socket.destroy()
}

async function run(): Promise<object> {
  const { promise: failed, reject: fail } = Promise.withResolvers<never>()
  const silence = watchForSilence(() => counts.published, SILENCE_MS_MAX, fail)
  try {
    return await Promise.race([connectAndMeasure(fail), failed])
  } finally {
    clearInterval(silence)
  }
}

async function connectAndMeasure(fail: (error: Error) => void): Promise<object> {
  if (values.subscriber !== 'no') await subscribe(fail)
  const users = Array.from({ length: Number(values.connections) }, (_, index) => `u${index}`)
  await Promise.all(users.map((user) => publish(user, fail)))
  await sleep(Number(values['warm-up-seconds']) * 1000)
  const pid = Number(values['server-pid'])
  const serverBefore = readCpu(pid)
  const loadBefore = readCpu(process.pid)
  const before = { ...counts }
  const startMs = performance.now()
  await sleep(Number(values.seconds) * 1000)
  return {
    seconds: (performance.now() - startMs) / 1000,
    published: counts.published - before.published,
    delivered: counts.delivered - before.delivered,
    serverCpu: utilization(serverBefore, readCpu(pid)),
    loadCpu: utilization(loadBefore, readCpu(process.pid)),
  }
}

/** Connects; what comes after the CONNACK goes to `take`. */
async function open(
  clientId: string,
  fail: (error: Error) => void,
  take: (first: number, body: Buffer) => void,
): Promise<Socket> {
  const socket = connect({ port: Number(values.port), host: LOOPBACK, noDelay: true })
  sockets.push(socket)
  socket.on('close', () => fail(new Error(`${clientId}: the server closed the connection`)))
  await once(socket, 'connect')
  const connected = Promise.withResolvers<void>()
  const reader = new PacketReader((first, body) => {
    if (first >> 4 !== 2) take(first, body)
    else if (body[1] === 0) connected.resolve()
    else connected.reject(new Error(`${clientId}: CONNACK ${body[1]}`))
  })
  socket.on('data', (chunk: Buffer) => reader.push(chunk))
  socket.write(connectPacket(clientId))
  await connected.promise
  return socket
}

async function subscribe(fail: (error: Error) => void): Promise<void> {
  const subscribed = Promise.withResolvers<void>()
  let answers: Buffer[] = []
  const socket = await open('subscriber', fail, (first, body) => {
    if (first >> 4 === 9) subscribed.resolve()
    if (first >> 4 !== 3) return
    counts.delivered++
    if ((first & 0x06) === 0) return
    if (answers.length === 0) {
      process.nextTick(() => {
        socket.write(Buffer.concat(answers))
        answers = []
      })
    }
    answers.push(pubackPacket(body.readUInt16BE(2 + body.readUInt16BE(0))))
  })
  socket.write(subscribePacket('owntracks/+/+', qos))
  await subscribed.promise
}

async function publish(user: string, fail: (error: Error) => void): Promise<void> {
  const batch = new LocationBatch(user, devices, qos, Math.floor(Date.now() / 1000) - PAST_S)
  const bytes = qos === 0 ? Buffer.concat([batch.bytes, PING]) : batch.bytes
  let awaited = 0
  const round = (): void => {
    awaited = qos === 0 ? 1 : devices
    batch.advance()
    if (qos === 0) batch.bytes.copy(bytes)
    socket.write(bytes)
  }
  const socket = await open(user, fail, (first) => {
    if (first >> 4 !== (qos === 0 ? 13 : 4)) return
    counts.published += qos === 0 ? devices : 1
    if (--awaited === 0) round()
  })
  round()
}
