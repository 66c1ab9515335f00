import type { Socket } from 'node:net'
import type { Client } from 'aedes'
import type { Counters } from '../../counters.ts'
import type { Nanotime } from '../../protocol/index.ts'
import type { System } from '../../system.ts'
import type { Grant } from '../access/grant.ts'
import type { WatchFrom, WatchHub, Watching } from '../watch/watch-hub.ts'
import type { WatchedFix } from '../watch/watched-fix.ts'
import type { WatchSink } from '../watch/watcher.ts'
import { takeMessageId } from './aedes-parts.ts'
import { type FixMessages, HERD_MESSAGES, OWNTRACKS_MESSAGES } from './payloads.ts'
import { withMessageId } from './publish-packet.ts'
import { herdTopic, ownTracksTopic, TopicFilter } from './topics.ts'

/** What those who are told of fixes need. */
export interface SubscriberContext {
  readonly hub: Pick<WatchHub, 'watch'>
  readonly counters: Counters
  readonly system: Pick<System, 'after' | 'readClock'>
  readonly limits: { readonly inflightMax: number; readonly slowReaderMsMax: number }
}

/**
 * Tells one connection of fixes: each of its subscriptions watches by itself. What it can't take, or has not acknowledged, waits in
 * the hub, the newest fix of each client.
 */
export class FixSubscriber {
  readonly #context: SubscriberContext
  readonly #client: Client
  readonly #socket: Socket
  readonly #dropSlow: () => void
  readonly #watched = new Map<string, Watched>()
  /** Messages of QoS 1 on their way, in the order in which they were sent. */
  readonly #inflight = new Map<number, number>()
  #sent = 0
  #chunks: Buffer[] = []
  /** The socket takes no more for now. */
  #isFull = false
  #isBlocked = false
  #cancelSlow: (() => void) | null = null
  #isClosed = false

  /** @param dropSlow told when the other end takes nothing for `slowReaderMsMax`. */
  constructor(context: SubscriberContext, client: Client, socket: Socket, dropSlow: () => void) {
    this.#context = context
    this.#client = client
    this.#socket = socket
    this.#dropSlow = dropSlow
  }

  /**
   * Tells of the fixes of one subscription, instead of what it was before.
   *
   * @param onCursor told up to where its client has acknowledged. @throws {CallRefused} when too many watch.
   */
  start(topic: string, qos: number, grant: Grant, from: WatchFrom, onCursor: (cursor: string) => void): void {
    this.stop(topic)
    if (this.#isClosed) return
    const filter = new TopicFilter(topic)
    const watched = new Watched(this, filter, Math.min(qos, 1), onCursor, this.#context.system)
    const { client } = filter
    const clients = client === null ? null : new Set([client])
    watched.watching = this.#context.hub.watch({ clients, area: null, grant }, from, watched)
    this.#watched.set(topic, watched)
  }

  /** Ends a subscription. */
  stop(topic: string): void {
    this.#watched.get(topic)?.watching?.close()
    this.#watched.delete(topic)
  }

  /** Ends all: the connection is closed. */
  close(): void {
    this.#isClosed = true
    for (const topic of [...this.#watched.keys()]) this.stop(topic)
    this.#cancelSlow?.()
    this.#chunks = []
  }

  /** Takes an acknowledgement; `false`: it is of something else. */
  acknowledged(id: number): boolean {
    if (!this.#inflight.delete(id)) return false
    const { firstInflight } = this
    for (const watched of this.#watched.values()) watched.acknowledged(firstInflight)
    if (this.#isBlocked && !this.#isFull && this.#inflight.size < this.#context.limits.inflightMax)
      this.#resume()
    return true
  }

  /** Lines up a message. @param packet of QoS 0. */
  send(packet: Buffer, qos: number): void {
    this.#context.counters.mqttFixesOut++
    this.#chunks.push(qos === 0 ? packet : this.#numbered(packet))
  }

  /** How many messages of QoS 1 were sent. */
  get sent(): number {
    return this.#sent
  }

  /** Which of them is the first that is not acknowledged; infinity: all are. */
  get firstInflight(): number {
    const [first = Number.POSITIVE_INFINITY] = this.#inflight.values()
    return first
  }

  /** Lets out what was lined up. @returns whether there may be more. */
  flush(): boolean {
    const chunks = this.#chunks
    this.#chunks = []
    if (this.#isClosed || this.#socket.destroyed) return false
    if (chunks.length > 0 && !this.#socket.write(Buffer.concat(chunks))) {
      this.#waitForDrain()
    }
    this.#isBlocked = this.#isFull || this.#inflight.size >= this.#context.limits.inflightMax
    return !this.#isBlocked
  }

  #numbered(packet: Buffer): Buffer {
    const id = takeMessageId(this.#client, (taken) => this.#inflight.has(taken))
    this.#inflight.set(id, ++this.#sent)
    return withMessageId(packet, id)
  }

  #waitForDrain(): void {
    if (this.#isFull) return
    this.#isFull = true
    const { system, limits } = this.#context
    this.#cancelSlow = system.after(limits.slowReaderMsMax, this.#dropSlow)
    this.#socket.once('drain', () => {
      this.#cancelSlow?.()
      this.#isFull = false
      if (!this.#isClosed) this.#resume()
    })
  }

  #resume(): void {
    for (const { watching } of this.#watched.values()) watching?.resume()
  }
}

/** Up to where a client was told, by the messages of QoS 1 that were sent by then. */
interface Cursor {
  readonly text: string
  readonly sent: number
}

/** One subscription. */
class Watched implements WatchSink {
  watching: Watching | null = null
  readonly #subscriber: FixSubscriber
  readonly #filter: TopicFilter
  readonly #qos: number
  readonly #onCursor: (cursor: string) => void
  readonly #hasOwnTracks: boolean
  readonly #hasHerd: boolean
  /** When it began: what the herd had received before was there already. */
  readonly #since: Nanotime = { seconds: 0, nanoseconds: 0 }
  #isToldAll = false
  /** What may be remembered once all that was sent before it is acknowledged. */
  #cursor: Cursor | null = null
  /** The newest of those that came meanwhile. */
  #laterCursor: Cursor | null = null

  constructor(
    subscriber: FixSubscriber,
    filter: TopicFilter,
    qos: number,
    onCursor: (cursor: string) => void,
    { readClock }: Pick<System, 'readClock'>,
  ) {
    this.#subscriber = subscriber
    this.#filter = filter
    this.#qos = qos
    this.#onCursor = onCursor
    this.#hasOwnTracks = filter.hasOwnTracks
    this.#hasHerd = filter.hasHerd
    readClock(this.#since)
  }

  fix(watched: WatchedFix): void {
    if (this.#hasOwnTracks) this.#send(watched, OWNTRACKS_MESSAGES, ownTracksTopic(watched.fix.client))
    if (this.#hasHerd) this.#send(watched, HERD_MESSAGES, herdTopic(watched.fix.client))
  }

  exit(): void {}

  cursor(text: string): void {
    this.#isToldAll = true
    this.#laterCursor = { text, sent: this.#subscriber.sent }
    this.acknowledged(this.#subscriber.firstInflight)
  }

  flush(): boolean {
    return this.#subscriber.flush()
  }

  /** @param first the first message that is not acknowledged. */
  acknowledged(first: number): void {
    // The later one is tried as well: it may be covered by now.
    for (let tries = 0; tries < 2; tries++) {
      this.#cursor ??= this.#laterCursor
      if (this.#cursor === this.#laterCursor) this.#laterCursor = null
      if (this.#cursor === null || first <= this.#cursor.sent) return
      this.#onCursor(this.#cursor.text)
      this.#cursor = null
    }
  }

  #send(watched: WatchedFix, { live, retained }: FixMessages, topic: string | null): void {
    if (topic === null || !this.#filter.matches(topic)) return
    this.#subscriber.send(watched.as(this.#isRetained(watched) ? retained : live), this.#qos)
  }

  /** Whether the herd had it before it was asked for. */
  #isRetained({ fix: { time, skew } }: WatchedFix): boolean {
    if (this.#isToldAll) return false
    const seconds = time.seconds + skew.seconds + (time.nanoseconds + skew.nanoseconds) / 1e9
    return seconds < this.#since.seconds + this.#since.nanoseconds / 1e9
  }
}
