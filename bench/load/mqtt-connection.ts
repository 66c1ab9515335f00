import { connect, type Socket } from 'node:net'
import {
  CONNACK,
  connectPacket,
  MqttPackets,
  PINGREQ,
  PINGRESP,
  PUBACK,
  PUBLISH,
  pubackOf,
  publishPacket,
  SUBACK,
  subscribePacket,
} from './mqtt-packets.ts'
import { FIELDS, ReportTemplate } from './report-template.ts'
import type { Window } from './window.ts'

const READ_BYTES = 256 * 1024
/** Ticks of a report's clock in a second: OwnTracks' times are whole seconds. */
const SECOND = 10_000_000
const USER = 'fleet'
/** What a phone sends while it moves; its time goes a second further with every message. */
const LOCATION = `{"_type":"location","tid":"c1","lat":${FIELDS.latitude},"lon":${FIELDS.longitude},"tst":SSSSSSSSSS,"acc":12,"alt":90,"batt":81,"bs":1,"cog":270,"conn":"m","m":1,"t":"u","vac":4,"vel":54}`

/** What all connections of one load have in common. */
export interface MqttPlan {
  readonly host: string
  readonly port: number
  readonly qos: 0 | 1
  /** Messages that a connection sends before it waits until all were taken. */
  readonly inFlight: number
  readonly clients: number
  readonly connections: number
  readonly template: ReportTemplate
  readonly window: Window
  /** Told of the first thing that goes wrong, and of whatever follows from it. */
  readonly fail: (error: unknown) => void
}

/** The messages of a load that begins now. */
export function locationMessages(qos: 0 | 1): ReportTemplate {
  const message = publishPacket(`owntracks/${USER}/${FIELDS.client}`, LOCATION, qos, 1)
  // An hour ago: so none is from the future, however often its client moves.
  return new ReportTemplate(message.toString('latin1'), Math.floor(Date.now() / 1000) - 3600)
}

/**
 * Publishes a batch of locations, waits until the broker has taken it, and publishes the next. Of QoS 1 that is when all are
 * acknowledged; behind those of QoS 0 goes a PINGREQ, whose answer says so.
 */
export class Publisher {
  readonly #number: number
  readonly #plan: MqttPlan
  readonly #socket: Socket
  readonly #batch: Buffer
  #sent = 0
  #owed = 0
  #sentAtMs = 0

  constructor(number: number, plan: MqttPlan) {
    this.#number = number
    this.#plan = plan
    const { qos, inFlight, template } = plan
    this.#batch = Buffer.alloc(inFlight * template.bytes + (qos === 0 ? PINGREQ.length : 0))
    if (qos === 0) PINGREQ.copy(this.#batch, inFlight * template.bytes)
    const packets = new MqttPackets((kind, bytes, bodyAt) => this.#take(kind, bytes, bodyAt))
    this.#socket = open(plan, packets)
    this.#socket.once('connect', () => this.#socket.write(connectPacket(`publisher-${number}`)))
    this.#socket.once('close', this.#lost)
  }

  close(): void {
    this.#socket.off('close', this.#lost)
    this.#socket.destroy()
  }

  #take(kind: number, bytes: Buffer, bodyAt: number): void {
    const { qos, inFlight, window, fail } = this.#plan
    if (kind === CONNACK) {
      if (bytes[bodyAt + 1] === 0) this.#publish()
      else fail(new Error(`the broker refuses the connection: ${bytes[bodyAt + 1]}`))
      return
    }
    if (kind !== (qos === 0 ? PINGRESP : PUBACK)) {
      fail(new Error(`the broker sends a packet of kind ${kind}`))
      return
    }
    this.#owed -= 1
    if (this.#owed > 0) return
    window.note(this.#number, inFlight, this.#batch.length, performance.now() - this.#sentAtMs)
    this.#publish()
  }

  /** Every connection has its own clients, so that the messages of each go out in the order of their times. */
  #publish(): void {
    const { qos, inFlight, template, clients, connections } = this.#plan
    const each = Math.ceil(clients / connections)
    let at = 0
    for (let message = 1; message <= inFlight; message += 1) {
      const client = this.#number * each + (this.#sent % each)
      const move = Math.floor(this.#sent / each)
      // The number is where the topic ends.
      const idAt = at + ID_AT
      at = template.write(this.#batch, at, client, move, move * SECOND)
      if (qos === 1) this.#batch.writeUInt16BE(message, idAt)
      this.#sent += 1
    }
    this.#owed = qos === 0 ? 1 : inFlight
    this.#sentAtMs = performance.now()
    this.#socket.write(this.#batch)
  }

  readonly #lost = (): void => this.#plan.fail(new Error('the broker closed a connection'))
}

/** Where the number of a message of QoS 1 is: behind first byte, two bytes of length, and topic with its own length. */
const ID_AT = 1 + 2 + 2 + `owntracks/${USER}/${FIELDS.client}`.length

/** Subscribes to all locations, acknowledges what is to be, and counts them. */
export class Subscriber {
  /** The broker has granted it. */
  readonly ready: Promise<void>
  /** Messages that have come. */
  delivered = 0
  readonly #socket: Socket
  readonly #lost: () => void

  constructor(plan: MqttPlan) {
    const { promise, resolve } = Promise.withResolvers<void>()
    this.ready = promise
    let acks: Buffer[] = []
    const packets = new MqttPackets((kind, bytes, bodyAt) => {
      if (kind === PUBLISH) {
        this.delivered += 1
        if (plan.qos === 0) return
        const ack = pubackOf(bytes, bodyAt, 0x32)
        if (ack !== null) acks.push(ack)
      } else if (kind === CONNACK) this.#socket.write(subscribePacket('owntracks/+/+', plan.qos))
      else if (kind === SUBACK) {
        if (bytes[bodyAt + 2] === plan.qos) resolve()
        else plan.fail(new Error('the broker refuses the subscription'))
      }
    })
    this.#lost = () => plan.fail(new Error('the broker closed the connection of the subscriber'))
    this.#socket = open(plan, packets, () => {
      if (acks.length === 0) return
      this.#socket.write(Buffer.concat(acks))
      acks = []
    })
    this.#socket.once('connect', () => this.#socket.write(connectPacket('subscriber')))
    this.#socket.once('close', this.#lost)
  }

  close(): void {
    this.#socket.off('close', this.#lost)
    this.#socket.destroy()
  }
}

/** @param onRead called after each piece. */
function open({ host, port, fail }: MqttPlan, packets: MqttPackets, onRead: () => void = () => {}): Socket {
  const socket = connect({
    host,
    port,
    noDelay: true,
    onread: {
      buffer: Buffer.alloc(READ_BYTES),
      callback: (length, chunk) => {
        try {
          packets.push(Buffer.from(chunk.buffer, chunk.byteOffset, length))
          onRead()
          return true
        } catch (error) {
          fail(error)
          return false
        }
      },
    },
  })
  socket.once('error', fail)
  return socket
}
