import { Readable } from 'node:stream'
import type { AedesPublishPacket, Client, Subscription } from 'aedes'
import type { Counters } from '../../counters.ts'
import { TopicFilter } from './topics.ts'

/** Bounds of what is kept for MQTT clients. */
export interface SessionLimits {
  readonly sessionsMax: number
  readonly queuedMax: number
  readonly retainedMax: number
  readonly retainedBytesMax: number
}

/** A message as it is kept: its number is that of its way to one client. */
type Kept = Omit<AedesPublishPacket, 'messageId'> & { messageId: number | undefined }

/** Something that a session is told of. */
interface KeptSubscription {
  readonly filter: TopicFilter
  readonly subscription: Subscription
}

/** What is kept for a client that wants it kept (MQTT 3.1.1 §3.1.2.4), for as long as the server runs. */
export interface Session {
  readonly subscriptions: Map<string, KeptSubscription>
  /** What is on its way, or waits, in order. */
  readonly queue: Kept[]
  /** Up to where its client was told of fixes, by subscription. */
  readonly cursors: Map<string, string>
}

/** What aedes needs of a packet to find it again. */
interface Numbered {
  readonly messageId?: number | undefined
}

/** What is known of clients that are connected. */
export interface SessionHooks {
  /** Takes an acknowledgement of a fix; `false`: it is of something else. */
  acknowledged(client: Client, messageId: number): boolean
  /** Whether a client was granted a subscription: aedes hands over those that it wasn't, too. */
  isGranted(client: Client, topic: string): boolean
}

/**
 * What aedes keeps, all of it bounded, in memory: sessions, retained messages, wills. Fixes are not among it, for they are in the live
 * table. The names and what they do are aedes-persistence's.
 */
export class Sessions {
  readonly #limits: SessionLimits
  readonly #counters: Counters
  readonly #hooks: SessionHooks
  readonly #sessions = new Map<string, Session>()
  /** Those whose clients are away, the longest first. */
  readonly #away = new Set<string>()
  readonly #retained = new Map<string, AedesPublishPacket>()
  #retainedBytes = 0
  /** Messages of QoS 2 that aren't released yet, by client and number. */
  readonly #incoming = new Map<string, Map<number, Numbered>>()
  readonly #wills = new Map<string, AedesPublishPacket>()

  constructor(limits: SessionLimits, counters: Counters, hooks: SessionHooks) {
    this.#limits = limits
    this.#counters = counters
    this.#hooks = hooks
  }

  /** The session of a client, if it has one. */
  get(id: string): Session | undefined {
    return this.#sessions.get(id)
  }

  /** A client has come: its session doesn't end now. */
  came(id: string): void {
    this.#away.delete(id)
  }

  /** A client has gone. */
  left(id: string): void {
    if (!this.#sessions.has(id)) {
      this.#incoming.delete(id)
      return
    }
    this.#away.add(id)
    if (this.#away.size <= this.#limits.sessionsMax) return
    const [oldest = id] = this.#away
    this.#end(oldest)
    this.#counters.mqttSessionsEnded++
  }

  async setup(): Promise<void> {}

  async storeRetained(packet: AedesPublishPacket): Promise<void> {
    const known = this.#retained.get(packet.topic)
    if (known !== undefined) {
      this.#retainedBytes -= sizeOf(known)
      this.#retained.delete(packet.topic)
    }
    if (packet.payload.length === 0) return
    const { retainedMax, retainedBytesMax } = this.#limits
    if (this.#retained.size >= retainedMax || this.#retainedBytes + sizeOf(packet) > retainedBytesMax) {
      this.#counters.mqttRetainedRefused++
      return
    }
    // What came is a part of a larger piece of memory, that must not be kept for it.
    this.#retained.set(packet.topic, { ...packet, payload: Buffer.from(packet.payload) })
    this.#retainedBytes += sizeOf(packet)
  }

  createRetainedStreamCombi(filters: readonly string[]): Readable {
    return Readable.from(this.#retainedOf(filters.map((text) => new TopicFilter(text))))
  }

  *#retainedOf(filters: readonly TopicFilter[]): Generator<AedesPublishPacket> {
    for (const [topic, packet] of this.#retained) {
      if (filters.some((filter) => filter.matches(topic))) yield packet
    }
  }

  async addSubscriptions(client: Client, subscriptions: readonly Subscription[]): Promise<void> {
    const { id } = client
    let session = this.#sessions.get(id)
    if (session === undefined) {
      session = { subscriptions: new Map(), queue: [], cursors: new Map() }
      this.#sessions.set(id, session)
    }
    for (const subscription of subscriptions) {
      if (!this.#hooks.isGranted(client, subscription.topic)) continue
      const filter = new TopicFilter(subscription.topic)
      session.subscriptions.set(subscription.topic, { filter, subscription: { ...subscription } })
    }
  }

  async removeSubscriptions({ id }: Client, topics: readonly string[]): Promise<void> {
    const session = this.#sessions.get(id)
    for (const topic of topics) {
      session?.subscriptions.delete(topic)
      session?.cursors.delete(topic)
    }
    if (session?.subscriptions.size === 0) this.#sessions.delete(id)
  }

  async subscriptionsByClient({ id }: { readonly id: string }): Promise<Subscription[]> {
    const kept = this.#sessions.get(id)?.subscriptions.values() ?? []
    return [...kept].map(({ subscription }) => ({ ...subscription }))
  }

  /** Who is to have a message kept. Sessions are few, and messages besides fixes rare: so all are looked through. */
  async subscriptionsByTopic(topic: string): Promise<{ readonly clientId: string }[]> {
    const found: { readonly clientId: string }[] = []
    for (const [clientId, { subscriptions }] of this.#sessions) {
      for (const { filter, subscription } of subscriptions.values()) {
        if (subscription.qos === 0 || !filter.matches(topic)) continue
        found.push({ clientId })
        break
      }
    }
    return found
  }

  async cleanSubscriptions({ id }: Client): Promise<void> {
    this.#end(id)
  }

  async outgoingEnqueue(
    { clientId }: { readonly clientId: string },
    packet: AedesPublishPacket,
  ): Promise<void> {
    const queue = this.#sessions.get(clientId)?.queue
    if (queue === undefined) return
    queue.push({ ...packet, payload: Buffer.from(packet.payload), messageId: undefined })
    if (queue.length <= this.#limits.queuedMax) return
    queue.shift()
    this.#counters.mqttQueuedDropped++
  }

  async outgoingEnqueueCombi(
    sessions: readonly { readonly clientId: string }[],
    packet: AedesPublishPacket,
  ): Promise<void> {
    await Promise.all(sessions.map((session) => this.outgoingEnqueue(session, packet)))
  }

  /** Notes by which number a message is on its way. @throws when it was dropped meanwhile. */
  async outgoingUpdate({ id }: Client, packet: AedesPublishPacket): Promise<void> {
    const { brokerCounter, messageId } = packet
    const kept = this.#sessions.get(id)?.queue.find((each) => each.brokerCounter === brokerCounter)
    if (kept === undefined) throw new Error('it takes its messages too slowly (mqtt.queuedMax)')
    kept.messageId = messageId
  }

  async outgoingClearMessageId(client: Client, { messageId }: Numbered): Promise<Kept | undefined> {
    if (messageId === undefined || this.#hooks.acknowledged(client, messageId)) return undefined
    const queue = this.#sessions.get(client.id)?.queue ?? []
    const at = queue.findIndex((each) => each.messageId === messageId)
    return at === -1 ? undefined : queue.splice(at, 1)[0]
  }

  outgoingStream({ id }: Client): Readable {
    return Readable.from([...(this.#sessions.get(id)?.queue ?? [])])
  }

  /** `maxInflightInbound` of aedes bounds them, for each client. */
  async incomingStorePacket({ id }: Client, packet: Numbered): Promise<void> {
    const stored = this.#incoming.get(id) ?? new Map<number, Numbered>()
    this.#incoming.set(id, stored.set(packet.messageId ?? 0, packet))
  }

  async incomingGetPacket({ id }: Client, { messageId = 0 }: Numbered): Promise<Numbered> {
    const packet = this.#incoming.get(id)?.get(messageId)
    if (packet === undefined) throw new Error('no such packet')
    return packet
  }

  async incomingDelPacket({ id }: Client, { messageId = 0 }: Numbered): Promise<void> {
    const stored = this.#incoming.get(id)
    if (stored?.delete(messageId) !== true) throw new Error('no such packet')
    if (stored.size === 0) this.#incoming.delete(id)
  }

  async cleanIncoming({ id }: Client): Promise<void> {
    this.#incoming.delete(id)
  }

  async putWill({ id }: Client, packet: AedesPublishPacket): Promise<void> {
    this.#wills.set(id, packet)
  }

  async delWill({ id }: Client): Promise<AedesPublishPacket | undefined> {
    const will = this.#wills.get(id)
    this.#wills.delete(id)
    return will
  }

  /** Wills that another broker has left behind: there is none. */
  streamWill(): Readable {
    return Readable.from([])
  }

  #end(id: string): void {
    this.#sessions.delete(id)
    this.#away.delete(id)
    this.#incoming.delete(id)
  }
}

function sizeOf({ topic, payload }: AedesPublishPacket): number {
  return topic.length + payload.length
}
