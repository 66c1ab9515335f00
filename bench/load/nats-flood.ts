import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { LOOPBACK } from '../support/ports.ts'
import { Flood } from './flood.ts'
import type { FloodSpeech } from './flood-connection.ts'
import type { FloodOrder, FloodServers, Settled } from './flood-servers.ts'
import { NATS_HELLO, NATS_PONG, NatsInbox, natsBatch, natsFrameBytes, subscribeToOthers } from './nats.ts'

/** As many bytes as the AT line of a report that is under way for less than ten seconds, with its line end. */
const PAYLOAD = 'AT Alford +0.263873386 client-000000.example +34.000000-118.000000 1700000000.000000000\n'
/**
 * Messages that may be under way to a subscriber: enough to keep servers busy, little enough that they never drop one
 * that is slow.
 */
const UNDER_WAY_MAX = 20_000
const READ_BYTES = 256 * 1024
const SETTLE_MS_MAX = 30_000
const POLL_MS = 1

/** A cluster of NATS under a flood of messages, with one subscriber at each server to what is published at the others. */
export class NatsFlood implements FloodServers {
  readonly flood: Flood
  readonly #subscribers: readonly Subscriber[]
  /** Messages published at each server, since the start. */
  readonly #published: number[]
  #publishedBefore: readonly number[] = []

  constructor({ targets, connectionsPerServer, inFlight, fail }: FloodOrder) {
    this.#published = targets.map(() => 0)
    const readBuffer = Buffer.alloc(READ_BYTES)
    this.#subscribers = targets.map(
      ({ port }, server) =>
        new Subscriber(port, server, targets.length, readBuffer, () => this.flood.pump(), fail),
    )
    const speeches = targets.flatMap(({ port }, server) =>
      Array.from({ length: connectionsPerServer }, () => [port, this.#speechOf(server, inFlight)] as const),
    )
    this.flood = new Flood(speeches, () => this.#lag() < UNDER_WAY_MAX, fail)
  }

  async begin(): Promise<void> {
    await Promise.all(this.#subscribers.map(({ ready }) => ready))
    this.#publishedBefore = [...this.#published]
  }

  async settle(): Promise<Settled> {
    const giveUpAtMs = performance.now() + SETTLE_MS_MAX
    while (this.#lag() > 0) {
      if (performance.now() > giveUpAtMs) throw new Error(`${this.#lag()} messages never came`)
      await sleep(POLL_MS)
    }
    const sent = this.#published.reduce(
      (sum, count, server) => sum + count - (this.#publishedBefore[server] ?? 0),
      0,
    )
    return { atMs: performance.now(), applied: this.#published.map(() => sent) }
  }

  close(): void {
    this.flood.close()
    for (const subscriber of this.#subscribers) subscriber.close()
  }

  /** The most messages that any subscriber still has to get. */
  #lag(): number {
    const all = this.#published.reduce((sum, count) => sum + count, 0)
    return this.#subscribers.reduce(
      (most, { messages }, server) => Math.max(most, all - (this.#published[server] ?? 0) - messages),
      0,
    )
  }

  #speechOf(server: number, inFlight: number): FloodSpeech {
    const batch = Buffer.from(natsBatch(server, PAYLOAD, inFlight), 'latin1')
    const inbox = new NatsInbox(0)
    return {
      hello: NATS_HELLO,
      answersPerBatch: 1,
      batch: () => {
        this.#published[server] = (this.#published[server] ?? 0) + inFlight
        return batch
      },
      read: (chunk, length) => {
        const before = inbox.pongs
        inbox.push(chunk, length)
        return inbox.pongs - before
      },
    }
  }
}

/** Gets what is published at the other servers, and counts it. */
class Subscriber {
  readonly ready: Promise<void>
  readonly #inbox = new NatsInbox(natsFrameBytes(PAYLOAD.length))
  readonly #socket: Socket
  #pings = 0

  constructor(
    port: number,
    server: number,
    servers: number,
    readBuffer: Buffer,
    onMessages: () => void,
    fail: (error: unknown) => void,
  ) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ready = promise
    const inbox = this.#inbox
    const receive = (length: number, chunk: Uint8Array): boolean => {
      try {
        inbox.push(chunk, length)
        for (; this.#pings < inbox.pings; this.#pings += 1) this.#socket.write(NATS_PONG)
        if (inbox.pongs > 1) resolve()
        onMessages()
        return true
      } catch (error) {
        fail(error)
        return false
      }
    }
    this.#socket = connect({
      host: LOOPBACK,
      port,
      noDelay: true,
      onread: { buffer: readBuffer, callback: receive },
    })
    this.#socket.write(NATS_HELLO + subscribeToOthers(server, servers))
    this.#socket.once('error', fail)
    this.#socket.once('close', () => fail(new Error('NATS closed a subscriber')))
  }

  /** How many it got. */
  get messages(): number {
    return this.#inbox.messages
  }

  close(): void {
    this.#socket.removeAllListeners('close')
    this.#socket.destroy()
  }
}
