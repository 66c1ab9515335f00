/** What of MQTT 3.1.1 a load needs: packets out as bytes, packets in by their kind. Pure. */

/** Kinds of packets, the high half of their first byte. */
export const CONNACK = 2
export const PUBLISH = 3
export const PUBACK = 4
export const SUBACK = 9
export const PINGRESP = 13

/** Bytes that begin with this bit have another one behind them. */
const MORE = 0x80
const QOS_BITS = 0x06

/** Asks whether all before it was taken. */
export const PINGREQ: Buffer = Buffer.from([0xc0, 0x00])

/** Begins a connection that nothing is kept for, and that may be silent. */
export function connectPacket(clientId: string): Buffer {
  const variable = Buffer.concat([text('MQTT'), Buffer.from([4, 0x02, 0, 0]), text(clientId)])
  return packet(0x10, variable)
}

/** Subscribes to one filter. */
export function subscribePacket(filter: string, qos: 0 | 1): Buffer {
  return packet(0x82, Buffer.concat([Buffer.from([0, 1]), text(filter), Buffer.from([qos])]))
}

/** A message; of QoS 1 with its number. */
export function publishPacket(topic: string, payload: string, qos: 0 | 1, id: number): Buffer {
  const number = qos === 1 ? Buffer.from([id >> 8, id & 0xff]) : Buffer.alloc(0)
  return packet(0x30 | (qos << 1), Buffer.concat([text(topic), number, Buffer.from(payload, 'latin1')]))
}

/** Takes packets out of what a connection gets. */
export class MqttPackets {
  readonly #onPacket: (kind: number, bytes: Buffer, bodyAt: number, end: number) => void
  #rest: Buffer = Buffer.alloc(0)

  /** @param onPacket told of each: its body is `bytes[bodyAt, end)`, and stays as it is until this returns. */
  constructor(onPacket: (kind: number, bytes: Buffer, bodyAt: number, end: number) => void) {
    this.#onPacket = onPacket
  }

  push(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    for (;;) {
      let length = 0
      let bodyAt = at + 1
      let shift = 0
      let digit = MORE
      while ((digit & MORE) !== 0 && bodyAt < bytes.length) {
        digit = bytes[bodyAt++] ?? 0
        length |= (digit & ~MORE) << shift
        shift += 7
      }
      const end = bodyAt + length
      if ((digit & MORE) !== 0 || end > bytes.length) break
      this.#onPacket((bytes[at] ?? 0) >> 4, bytes, bodyAt, end)
      at = end
    }
    this.#rest = at === bytes.length ? Buffer.alloc(0) : Buffer.from(bytes.subarray(at))
  }
}

/** The acknowledgement of a message that has come; `null` when it wants none. @param bodyAt where its topic's length is. */
export function pubackOf(bytes: Buffer, bodyAt: number, first: number): Buffer | null {
  if ((first & QOS_BITS) === 0) return null
  const idAt = bodyAt + 2 + bytes.readUInt16BE(bodyAt)
  return Buffer.from([0x40, 2, bytes[idAt] ?? 0, bytes[idAt + 1] ?? 0])
}

function text(value: string): Buffer {
  const bytes = Buffer.from(value, 'latin1')
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes])
}

function packet(first: number, rest: Buffer): Buffer {
  const length: number[] = []
  let left = rest.length
  do {
    const digit = left & 0x7f
    left >>>= 7
    length.push(left > 0 ? digit | MORE : digit)
  } while (left > 0)
  return Buffer.concat([Buffer.from([first, ...length]), rest])
}
