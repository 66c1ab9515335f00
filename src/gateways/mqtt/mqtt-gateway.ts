import type { Socket } from 'node:net'
import type { AedesPublishPacket, AuthenticateError, Client, PublishPacket, Subscription } from 'aedes'
import type { Counters } from '../../counters.ts'
import type { Log } from '../../logs/server-log.ts'
import type { System } from '../../system.ts'
import { type Gatekeeper, isRefused } from '../access/grant.ts'
import { CallRefused } from '../calls/call-refused.ts'
import type { Caller, Calls } from '../calls/calls.ts'
import type { Report } from '../calls/report.ts'
import type { WatchHub } from '../watch/watch-hub.ts'
import { watchLengths } from './aedes-parts.ts'
import { isForGood } from './for-good.ts'
import { HerdBroker, takeMessage } from './herd-broker.ts'
import { MqttConnection } from './mqtt-connection.ts'
import { readReport } from './payloads.ts'
import { type SessionLimits, Sessions } from './sessions.ts'
import { readTopic, TopicFilter } from './topics.ts'

/** Bounds of MQTT. */
export interface MqttLimits extends SessionLimits {
  /** A connection must begin within this time, milliseconds. */
  readonly connectMsMax: number
  readonly messageBytesMax: number
  readonly subscriptionsPerConnectionMax: number
  readonly inflightMax: number
  readonly replyBytesMax: number
  readonly slowReaderMsMax: number
  readonly lingerMsMax: number
  readonly watchersMax: number
}

/** What MQTT needs of its server. */
export interface MqttContext {
  readonly calls: Calls
  readonly hub: WatchHub
  readonly gatekeeper: Gatekeeper
  readonly counters: Counters
  readonly log: Log
  readonly system: System
  readonly limits: MqttLimits
}

/** Longer topics have more levels than anybody's. */
const TOPIC_LEVELS_MAX = 16
/** A client that names itself with more characters is refused. */
const CLIENT_ID_LENGTH_MAX = 1024
/** How long a connection may be silent that wants no keep-alive, until it is asked whether it is there. */
const TCP_KEEP_ALIVE_MS = 60_000
/** Stopping takes no longer: supervisors kill after some 5 s. */
const STOP_MS_MAX = 3000
/** Return codes of CONNACK, MQTT 3.1.1 §3.2.2.3. */
const IDENTIFIER_REJECTED = 2
const NOT_AUTHORIZED = 5
/** What aedes says of those that it closes. */
const CONNECT_LATE = 'connect did not arrive in time'
const DRAIN_LATE = 'drain timeout'

/**
 * MQTT 3.1.1 on connections that the port has accepted, by aedes. What is published about where a client is, is a report; who
 * subscribes to that is told by the watch hub, from the whole herd. Whatever else OwnTracks publishes goes through to the clients of
 * this server.
 */
export class MqttGateway {
  readonly #context: MqttContext
  readonly #sessions: Sessions
  readonly #broker: HerdBroker
  readonly #connections = new WeakMap<Client, MqttConnection>()
  /** Answers that are not given yet. */
  #pending = 0
  #isStopping = false
  #onIdle: () => void = () => {}

  private constructor(context: MqttContext) {
    this.#context = context
    const { limits, counters } = context
    this.#sessions = new Sessions(limits, counters, {
      acknowledged: (client, id) => this.#connections.get(client)?.subscriber.acknowledged(id) ?? false,
      isGranted: (client, topic) => this.#connections.get(client)?.filters.has(topic) ?? false,
    })
    this.#broker = new HerdBroker({
      // Any number at a time: a slow client must not keep the others waiting.
      concurrency: 0,
      connectTimeout: limits.connectMsMax,
      drainTimeout: limits.slowReaderMsMax,
      maxInflightInbound: limits.inflightMax,
      maxTopicLevels: TOPIC_LEVELS_MAX,
      persistence: this.#sessions,
      authenticate: (client, username, password, done) =>
        this.#authenticate(client, username, password, done),
      authorizePublish: (client, packet, done) => this.#publish(client, packet, done),
      authorizeSubscribe: (client, subscription, done) =>
        done(null, this.#isGranted(client, subscription) ? subscription : null),
      authorizeForward: (client, packet) => (this.#isForwarded(client, packet) ? packet : null),
    })
    this.#listen()
  }

  /** Makes the gateway, ready to take connections. */
  static async open(context: MqttContext): Promise<MqttGateway> {
    const gateway = new MqttGateway(context)
    await gateway.#broker.listen()
    return gateway
  }

  /** Takes over a connection that begins with a CONNECT. */
  take(socket: Socket, bytes: Buffer): void {
    if (this.#isStopping) {
      socket.destroy()
      return
    }
    const { limits, counters } = this.#context
    socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS)
    socket.unshift(bytes)
    const client = this.#broker.handle(socket)
    const connection = new MqttConnection(client, socket, this.#context)
    this.#connections.set(client, connection)
    watchLengths(client, limits.messageBytesMax, () => {
      counters.mqttMessagesTooLong++
      client.emit('error', new Error(`a message may have at most ${limits.messageBytesMax} bytes`))
    })
    socket.once('close', () => connection.subscriber.close())
  }

  /** Acknowledges what was taken, and closes every connection. */
  async stop(): Promise<void> {
    const { system, limits } = this.#context
    this.#isStopping = true
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve
      if (this.#pending === 0) resolve()
      system.after(Math.min(limits.lingerMsMax, STOP_MS_MAX), resolve)
    })
    await idle
    // aedes writes at the end of a turn, and then the stream does.
    for (let turns = 0; turns < 2; turns++) await new Promise((resolve) => setImmediate(resolve))
    await new Promise<void>((resolve) => this.#broker.close(resolve))
  }

  #listen(): void {
    const { counters, log } = this.#context
    const broker = this.#broker
    const failed = (client: Client, error: Error): void => {
      const connection = this.#connections.get(client)
      if (connection?.isErrorLogged === true) return
      if (connection !== undefined) connection.isErrorLogged = true
      if (error.message === CONNECT_LATE) counters.mqttConnectsLate++
      if (error.message === DRAIN_LATE) connection?.dropSlow()
      log.event('info', 'MQTT error', { client: client.id ?? '', error: error.message })
    }
    broker.on('clientError', failed)
    broker.on('connectionError', failed)
    broker.on('client', ({ id }) => this.#sessions.came(id))
    broker.on('clientDisconnect', ({ id }) => this.#sessions.left(id))
    broker.on('clientReady', (client) => this.#resumeSession(client))
    broker.on('subscribe', (subscriptions, client) => {
      for (const { topic, qos } of subscriptions) {
        if (this.#connections.get(client)?.filters.has(topic) === true) this.#watch(client, topic, qos, 'all')
      }
    })
    broker.on('unsubscribe', (topics, client) => {
      for (const topic of topics) {
        this.#connections.get(client)?.filters.delete(topic)
        this.#connections.get(client)?.subscriber.stop(topic)
      }
    })
  }

  /** The token is the password, or the user's name where there is none. */
  #authenticate(
    client: Client,
    username: string | undefined,
    password: Buffer | undefined,
    done: (error: AuthenticateError | null, isAdmitted: boolean | null) => void,
  ): void {
    const connection = this.#connections.get(client)
    const { gatekeeper, counters, log } = this.#context
    if (connection === undefined || client.id.length > CLIENT_ID_LENGTH_MAX) {
      const error = new Error(`a client's name may have at most ${CLIENT_ID_LENGTH_MAX} characters`)
      done(Object.assign(error, { returnCode: IDENTIFIER_REJECTED } as const), null)
      return
    }
    const { address } = connection
    const grant = gatekeeper.admit(password?.toString('utf8') || username || null, address)
    if (isRefused(grant)) {
      log.event('warning', 'MQTT client refused', { client: client.id, address, reason: grant.reason })
      done(Object.assign(new Error(grant.reason), { returnCode: NOT_AUTHORIZED } as const), null)
      return
    }
    connection.caller = { address, grant }
    const { socket } = connection
    socket.once(
      'close',
      grant.whenRevoked(() => socket.destroy()),
    )
    counters.mqttConnects++
    log.event('info', 'MQTT client', { client: client.id, address, grant: grant.name })
    done(null, true)
  }

  #publish(client: Client | null, packet: PublishPacket, done: (error: Error | null) => void): void {
    const connection = client === null ? undefined : this.#connections.get(client)
    const caller = connection?.caller
    // What isn't acknowledged now comes again, here or elsewhere.
    if (connection === undefined || !caller || this.#isStopping) return
    this.#context.counters.mqttPublishes++
    const answer = connection.beginAnswer(done)
    try {
      const report = this.#readReport(packet, caller)
      if (report === null) {
        answer(null)
        return
      }
      takeMessage(packet)
      this.#pending++
      void this.#report(report, connection, caller, packet.qos)
        .then(answer)
        .finally(() => {
          if (--this.#pending === 0) this.#onIdle()
        })
    } catch (error) {
      answer(this.#refused(connection, packet, error))
    }
  }

  /** The report in a message; `null`: it has none and goes on as it is. @throws {CallRefused} */
  #readReport(packet: PublishPacket, { grant }: Caller): Report | null {
    const topic = readTopic(packet.topic)
    if (topic === null) {
      throw new CallRefused(
        'invalid',
        'that topic is not for this server: owntracks/<user>/<device> or herd/<client>/fix are',
      )
    }
    if (!grant.mayReport(topic.client)) {
      throw new CallRefused(
        'not-allowed',
        `${grant.name} may not publish for ${JSON.stringify(topic.client)}`,
      )
    }
    const payload = typeof packet.payload === 'string' ? Buffer.from(packet.payload) : packet.payload
    const report = readReport(topic, payload)
    if (report !== null || topic.family === 'beside') return report
    // Whoever subscribes is told the last fix, and nothing else, as what is retained.
    packet.retain = false
    if (payload.length === 0) takeMessage(packet)
    return null
  }

  /** Takes a report. @returns why the connection must be closed for its client to send it again; `null`: it needn't. */
  async #report(
    report: Report,
    connection: MqttConnection,
    caller: Caller,
    qos: number,
  ): Promise<Error | null> {
    const { calls, counters, system } = this.#context
    for (;;) {
      try {
        await calls.report(report, caller)
        return null
      } catch (error) {
        const isRate = error instanceof CallRefused && error.code === 'rate'
        if (!isRate) return this.#refused(connection, { topic: report.client, qos }, error)
        if (connection.socket.destroyed) return error
        counters.pausesForRate++
        await connection.waitForRate(
          () => new Promise((resolve) => void system.after(error.waitMs ?? 0, resolve)),
        )
      }
    }
  }

  /**
   * A message was not kept. MQTT 3.1.1 can say so only by closing the connection, and then a phone sends the same again, for ever: so
   * that is done only where it may go better later, and for what is to be acknowledged.
   */
  #refused(
    connection: MqttConnection,
    packet: PublishPacket | { readonly topic: string; readonly qos: number },
    error: unknown,
  ): Error | null {
    const { counters, log } = this.#context
    counters.mqttRefused++
    const reason = error instanceof Error ? error : new Error(String(error))
    if (!connection.isRefusalLogged) {
      connection.isRefusalLogged = true
      const { client } = connection
      log.event('warning', 'MQTT message refused', {
        client: client.id,
        topic: packet.topic,
        reason: reason.message,
      })
    }
    if ('cmd' in packet) takeMessage(packet)
    const isDropped = packet.qos === 0 || (reason instanceof CallRefused && isForGood(reason.code))
    return isDropped ? null : reason
  }

  #isGranted(client: Client, { topic }: Subscription): boolean {
    const connection = this.#connections.get(client)
    const { limits, counters, hub } = this.#context
    const filter = new TopicFilter(topic)
    const grant = connection?.caller?.grant
    const isKnown = connection?.filters.has(topic) === true
    const isAllowed = grant !== undefined && (filter.client === null || grant.mayRead(filter.client))
    const hasRoom =
      isKnown ||
      ((connection?.filters.size ?? 0) < limits.subscriptionsPerConnectionMax &&
        hub.watchers < limits.watchersMax)
    if (filter.hasAnything && isAllowed && hasRoom) {
      connection?.filters.add(topic)
      return true
    }
    counters.mqttSubscriptionsRefused++
    return false
  }

  /** Goes on with what a client was told of before it went away. */
  #resumeSession(client: Client): void {
    const session = this.#sessions.get(client.id)
    if (session === undefined || client.clean) return
    for (const { filter, subscription } of session.subscriptions.values()) {
      const cursor = session.cursors.get(filter.text)
      const since = cursor === undefined ? 'all' : { cursor }
      this.#watch(client, filter.text, subscription.qos, subscription.qos === 0 ? 'now' : since)
    }
  }

  #watch(
    client: Client,
    topic: string,
    qos: number,
    from: 'all' | 'now' | { readonly cursor: string },
  ): void {
    const connection = this.#connections.get(client)
    const grant = connection?.caller?.grant
    if (grant === undefined || !new TopicFilter(topic).hasFixes) return
    const session = client.clean ? undefined : this.#sessions.get(client.id)
    const remember = (cursor: string): void => void session?.cursors.set(topic, cursor)
    try {
      connection?.subscriber.start(topic, qos, grant, from, remember)
    } catch (error) {
      // It was granted, so the client must not believe that it is told.
      client.emit('error', error)
    }
  }

  /** Whether a message besides fixes goes to a client. */
  #isForwarded(client: Client, { topic, qos }: AedesPublishPacket): boolean {
    const connection = this.#connections.get(client)
    const about = readTopic(topic)
    const { counters, limits } = this.#context
    if (about === null || connection?.caller?.grant.mayRead(about.client) !== true) return false
    const { socket } = connection
    if (qos === 0 && socket.writableNeedDrain) {
      counters.mqttSlowDropped++
      return false
    }
    if (socket.writableLength <= limits.replyBytesMax) return true
    connection.dropSlow()
    return false
  }
}
