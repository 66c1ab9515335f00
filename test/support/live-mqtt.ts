/** An MQTT client for live tests, by the package `mqtt`: publishes, and waits for what it is told. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { connect, type IClientOptions, type IPublishPacket, type MqttClient } from 'mqtt'

const WAIT_MS_MAX = 15_000

/** A message as it came. */
export interface Message {
  readonly topic: string
  readonly text: string
  readonly qos: number
  readonly retain: boolean
}

/** The client. */
export class LiveMqtt {
  readonly client: MqttClient
  readonly #messages: Message[] = []
  #closed = false
  #wake: () => void = () => {}

  /** Connects; the connection ends with the test. It doesn't come back by itself. */
  static async connect(t: TestContext, port: number, options: IClientOptions = {}): Promise<LiveMqtt> {
    // What waits for a session comes right behind the CONNACK: somebody must listen by then.
    const client = connect(`mqtt://127.0.0.1:${port}`, {
      ...{ reconnectPeriod: 0, connectTimeout: WAIT_MS_MAX },
      ...options,
    })
    t.after(() => client.endAsync(true))
    const live = new LiveMqtt(client)
    await new Promise<void>((resolve, reject) => {
      client.once('connect', () => resolve())
      client.once('error', reject)
      client.once('close', () => reject(new Error('the connection was closed')))
    })
    return live
  }

  private constructor(client: MqttClient) {
    this.client = client
    client.on('message', (topic: string, payload: Buffer, { qos, retain }: IPublishPacket) => {
      this.#messages.push({ topic, text: payload.toString('utf8'), qos, retain })
      this.#wake()
    })
    client.on('close', () => {
      this.#closed = true
      this.#wake()
    })
    client.on('error', () => {})
  }

  /** What came and nobody has taken yet. */
  get waiting(): readonly Message[] {
    return this.#messages
  }

  /** Subscribes; returns the granted QoS of each. */
  async subscribe(topics: string | string[], qos: 0 | 1 | 2 = 0): Promise<number[]> {
    const granted = Promise.withResolvers<number[]>()
    this.client.subscribe(topics, { qos }, (_error, grants = [], packet) => {
      // 128 is an error there.
      granted.resolve(packet?.granted.map(Number) ?? grants.map((grant) => grant.qos))
    })
    return await granted.promise
  }

  /** Publishes an object as JSON, or a text; resolves when it is acknowledged, with QoS 0 when it is sent. */
  async publish(topic: string, what: object | string, qos: 0 | 1 | 2 = 1, retain = false): Promise<void> {
    const text = typeof what === 'string' ? what : JSON.stringify(what)
    await this.client.publishAsync(topic, text, { qos, retain })
  }

  /** The next message for which `isIt` holds; those before it are dropped. */
  async next(isIt: (message: Message) => boolean = () => true): Promise<Message> {
    return await this.#wait('a message', () => {
      const at = this.#messages.findIndex(isIt)
      return at === -1 ? undefined : this.#messages.splice(0, at + 1).at(-1)
    })
  }

  /** So many messages, in the order of their topics. */
  async take(count: number): Promise<Message[]> {
    const messages = await this.#wait(`${count} messages`, () =>
      this.#messages.length < count ? undefined : this.#messages.splice(0, count),
    )
    return messages.toSorted((a, b) => (a.topic < b.topic ? -1 : 1))
  }

  /** Resolves when the connection is closed. */
  async closed(): Promise<void> {
    await this.#wait('the end of the connection', () => (this.#closed ? true : undefined))
  }

  /** Closes the connection without a word, as a phone does in a tunnel. */
  async vanish(): Promise<void> {
    this.client.stream.destroy()
    await this.closed()
  }

  /** Says goodbye. */
  async end(): Promise<void> {
    await this.client.endAsync()
  }

  async #wait<T>(what: string, found: () => T | undefined): Promise<T> {
    const deadline = performance.now() + WAIT_MS_MAX
    for (;;) {
      const value = found()
      if (value !== undefined) return value
      const leftMs = deadline - performance.now()
      const seen = JSON.stringify(this.#messages.slice(0, 20))
      if (leftMs <= 0) assert.fail(`${what} did not come within ${WAIT_MS_MAX} ms; there was ${seen}`)
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, leftMs)
        this.#wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
}

/** A location as OwnTracks publishes it. */
export function location(more: Readonly<Record<string, unknown>> = {}): object {
  const tst = Math.floor(Date.now() / 1000)
  return { _type: 'location', lat: 34.07, lon: -118.45, tst, tid: 'jp', ...more }
}
