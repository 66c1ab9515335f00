import { LRUCache } from 'lru-cache'
import { connect, type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt'
import type { Counters } from '../../counters.ts'
import type { Log } from '../../logs/server-log.ts'
import { nextRedialMs } from '../../replication/redial.ts'
import type { System } from '../../system.ts'
import { EVERYTHING } from '../access/grant.ts'
import { CallRefused } from '../calls/call-refused.ts'
import type { Caller, Calls } from '../calls/calls.ts'
import type { Report } from '../calls/report.ts'
import { fixJson } from '../http/fix-json.ts'
import { writeOwnTracksLocation } from '../owntracks/location.ts'
import type { WatchHub, Watching } from '../watch/watch-hub.ts'
import type { WatchSink } from '../watch/watcher.ts'
import { readReport } from './payloads.ts'
import { herdTopic, ownTracksTopic, readTopic } from './topics.ts'

/** What a bridge is told to do. */
export interface MqttBridgeOptions {
  /** `mqtt://host:port` or `mqtts://host:port`. */
  readonly url: string
  /** How the broker knows us: the same again after a restart, so that it keeps for us what came meanwhile. */
  readonly clientId: string
  readonly topics: readonly string[]
  readonly publish: boolean
  readonly prefix: string
  readonly username: string | undefined
  readonly password: string | undefined
  /** PEM. */
  readonly ca: string | undefined
  readonly inflightMax: number
  /** Whether this server publishes what that server has accepted: each fix is published by one. */
  readonly isOurs: (server: string) => boolean
}

/** What a bridge needs of its server. */
export interface MqttBridgeContext {
  readonly calls: Calls
  readonly hub: WatchHub
  readonly counters: Counters
  readonly log: Log
  readonly system: System
}

/** Wait before it connects again. */
const REDIAL = { redialMsMin: 200, redialMsMax: 30_000 }
const KEEP_ALIVE_S = 30
const CONNECT_MS_MAX = 10_000
/** Before it is the latitude. */
const LONGITUDE = /(?<=\d\.?)(?=[+-])/
/** At the end of a time they say nothing. */
const ZEROS = /\.0*$|(?<=\.\d*?)0+$/
/** Clients whose last fix from there is remembered, so that it isn't sent back. */
const REMEMBERED_MAX = 100_000

/**
 * A client of an MQTT broker that exists already: what is published there about where clients are, is reported here, and what the herd
 * knows is published there. An equal fix is no news in either direction, so nothing circles, however many servers do this.
 */
export class MqttBridge implements WatchSink {
  readonly #options: MqttBridgeOptions
  readonly #context: MqttBridgeContext
  readonly #client: MqttClient
  readonly #caller: Caller
  /** Position and time of what came from there last, by client. */
  readonly #came = new LRUCache<string, string>({ max: REMEMBERED_MAX })
  #watching: Watching | null = null
  #waiting: { readonly topic: string; readonly payload: string }[] = []
  #inflight = 0
  /** Why the connection was lost; told once. */
  #reason = ''
  #isStopped = false

  /** Begins to connect. */
  constructor(options: MqttBridgeOptions, context: MqttBridgeContext) {
    this.#options = options
    this.#context = context
    this.#caller = {
      address: `mqttBridge ${new URL(options.url).host}`,
      grant: { ...EVERYTHING, name: 'mqttBridge' },
    }
    this.#client = connect(options.url, clientOptions(options))
    // One at a time: it is acknowledged there once it is kept here.
    this.#client.handleMessage = (packet, done) => void this.#handle(packet, done)
    this.#client.on('connect', () => this.#connected())
    this.#client.on('error', (error) => {
      this.#reason = error.message
    })
    this.#client.on('reconnect', () => this.#setWait())
    this.#client.on('close', () => this.#lost())
    if (options.publish) {
      this.#watching = context.hub.watch({ clients: null, area: null, grant: EVERYTHING }, 'all', this)
    }
  }

  /** Hangs up. */
  async stop(): Promise<void> {
    this.#isStopped = true
    this.#watching?.close()
    await this.#client.endAsync(true)
  }

  fix({ fix }: Parameters<WatchSink['fix']>[0]): void {
    const { prefix, isOurs } = this.#options
    if (!isOurs(fix.server) || this.#came.get(fix.client) === placeOf(fix.positionText, fix.timeText)) return
    const topic = ownTracksTopic(fix.client)
    const payload = topic === null ? fixJson(fix, this.#context.calls.now) : writeOwnTracksLocation(fix)
    this.#waiting.push({ topic: prefix + (topic ?? herdTopic(fix.client)), payload: JSON.stringify(payload) })
  }

  exit(): void {}

  cursor(): void {}

  flush(): boolean {
    for (const { topic, payload } of this.#waiting) {
      this.#inflight++
      // What isn't acknowledged before the connection is lost, the client sends again on the next.
      this.#client.publish(topic, payload, { qos: 1, retain: true }, (error) => {
        this.#inflight--
        if (!error) this.#context.counters.mqttBridgeOut++
        if (this.#mayPublish) this.#watching?.resume()
      })
    }
    this.#waiting = []
    return this.#mayPublish
  }

  get #mayPublish(): boolean {
    return !this.#isStopped && this.#client.connected && this.#inflight < this.#options.inflightMax
  }

  #connected(): void {
    const { log } = this.#context
    this.#client.options.reconnectPeriod = REDIAL.redialMsMin
    this.#reason = ''
    log.event('info', 'MQTT bridge up', { url: this.#options.url })
    this.#client.subscribe([...this.#options.topics], { qos: 1 }, (error) => {
      if (error) log.event('error', 'MQTT bridge', { error: error.message })
    })
    this.#watching?.resume()
  }

  #lost(): void {
    if (this.#isStopped) return
    const { counters, log } = this.#context
    counters.mqttBridgeLost++
    const reason = this.#reason === '' ? 'closed by the broker' : this.#reason
    const againInMs = Math.round(this.#client.options.reconnectPeriod ?? 0)
    log.event('warning', 'MQTT bridge lost', { url: this.#options.url, reason, againInMs })
  }

  /** It connects now; if that fails too, it waits for longer. */
  #setWait(): void {
    const { options } = this.#client
    options.reconnectPeriod = nextRedialMs(
      options.reconnectPeriod ?? 0,
      REDIAL,
      this.#context.system.random(),
    )
  }

  async #handle(packet: IPublishPacket, done: () => void): Promise<void> {
    await this.#take(packet)
    done()
  }

  /** Takes a message; never fails. */
  async #take({ topic, payload, retain }: IPublishPacket): Promise<void> {
    const { counters, log } = this.#context
    try {
      const about = readTopic(topic)
      const report = about === null ? null : readReport(about, Buffer.from(payload))
      // Without a time it was now, when it was published: nobody knows when that was.
      if (report === null || (retain && report.time === null)) return
      const key = placeOf(report.position, report.time ?? '')
      this.#came.set(report.client, key)
      if (this.#isKnown(report, key)) return
      await this.#report(report)
      counters.mqttBridgeIn++
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      if (counters.mqttBridgeRefused++ === 0) log.event('warning', 'MQTT bridge refused', { topic, reason })
    }
  }

  /** Whether the herd has it already: by another server at the same broker, or because we published it. */
  #isKnown({ client }: Report, key: string): boolean {
    try {
      const { positionText, timeText } = this.#context.calls.fix(client, this.#caller)
      return placeOf(positionText, timeText) === key
    } catch (error) {
      if (error instanceof CallRefused) return false
      throw error
    }
  }

  async #report(report: Report): Promise<void> {
    const { calls, system } = this.#context
    for (;;) {
      try {
        await calls.report(report, this.#caller)
        return
      } catch (error) {
        // It is kept, though not yet as widely as it should be; the broker would only send it again.
        if (error instanceof CallRefused && error.code === 'late') return
        if (!(error instanceof CallRefused) || error.code !== 'rate' || this.#isStopped) throw error
        await new Promise<void>((resolve) => void system.after(error.waitMs ?? 0, resolve))
      }
    }
  }
}

function clientOptions({ clientId, username, password, ca }: MqttBridgeOptions): IClientOptions {
  return {
    ...{
      clientId,
      clean: false,
      protocolVersion: 4,
      keepalive: KEEP_ALIVE_S,
      connectTimeout: CONNECT_MS_MAX,
    },
    // It connects again by itself, also when it was turned away, and we subscribe each time.
    ...{ reconnectPeriod: REDIAL.redialMsMin, reconnectOnConnackError: true, resubscribe: false },
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
    ...(ca !== undefined && { ca }),
  }
}

/** What two fixes have in common that are the same to a broker, however their numbers are written. */
function placeOf(position: string, time: string): string {
  const [latitude, longitude] = position.split(LONGITUDE)
  return `${Number(latitude)} ${Number(longitude)} ${time.replace(ZEROS, '')}`
}
