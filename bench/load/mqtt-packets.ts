/** Packets of MQTT 3.1.1 for loads: written once, with the digits that change in place. */

const CONNECT_FLAGS_CLEAN = 0x02
const KEEP_ALIVE_S = 600
/** `"tst":` and ten digits. */
const TIME_MARK = '"tst":'
const TIME_DIGITS = 10

/** A CONNECT of a clean session. */
export function connectPacket(clientId: string): Buffer {
  const header = Buffer.from([
    0,
    4,
    0x4d,
    0x51,
    0x54,
    0x54,
    4,
    CONNECT_FLAGS_CLEAN,
    KEEP_ALIVE_S >> 8,
    KEEP_ALIVE_S & 0xff,
  ])
  return packet(0x10, [header, lengthAndText(clientId)])
}

/** A SUBSCRIBE to one filter. */
export function subscribePacket(filter: string, qos: number): Buffer {
  return packet(0x82, [Buffer.from([0, 1]), lengthAndText(filter), Buffer.from([qos])])
}

/** A PINGREQ: its answer says that what came before was taken. */
export const PING: Buffer = Buffer.from([0xc0, 0])

/** The PUBACK of a message. */
export function pubackPacket(id: number): Buffer {
  return Buffer.from([0x40, 2, id >> 8, id & 0xff])
}

/** One location of each of some devices, as OwnTracks publishes it, in one piece of memory. */
export class LocationBatch {
  readonly bytes: Buffer
  readonly #timesAt: readonly number[]
  #seconds: number

  /** @param qos 0, or 1: then the messages are numbered from 1. @param seconds the first time; each round is one later. */
  constructor(user: string, devices: number, qos: number, seconds: number) {
    this.#seconds = seconds
    const packets = Array.from({ length: devices }, (_, device) => {
      const topic = lengthAndText(`owntracks/${user}/d${device}`)
      const id = qos === 0 ? [] : [Buffer.from([(device + 1) >> 8, (device + 1) & 0xff])]
      return packet(0x30 | (qos << 1), [topic, ...id, Buffer.from(payloadOf(device, seconds))])
    })
    this.bytes = Buffer.concat(packets)
    const timesAt: number[] = []
    for (let at = this.bytes.indexOf(TIME_MARK); at !== -1; at = this.bytes.indexOf(TIME_MARK, at + 1)) {
      timesAt.push(at + TIME_MARK.length)
    }
    this.#timesAt = timesAt
  }

  /** Makes all of them a second newer. */
  advance(): void {
    const digits = String(++this.#seconds).padStart(TIME_DIGITS, '0')
    for (const at of this.#timesAt) this.bytes.write(digits, at, 'latin1')
  }
}

function payloadOf(device: number, seconds: number): string {
  const lat = (34 + (device % 1000) / 1000).toFixed(6)
  return `{"_type":"location","acc":12,"alt":66,"batt":80,"conn":"w","lat":${lat},"lon":-118.445127,"t":"u","tid":"d1","tst":${seconds},"vac":3,"vel":36,"cog":270}`
}

function packet(first: number, parts: readonly Buffer[]): Buffer {
  const rest = Buffer.concat(parts)
  const length: number[] = []
  for (let left = rest.length; length.length === 0 || left > 0; left >>>= 7) {
    length.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0))
  }
  return Buffer.concat([Buffer.from([first, ...length]), rest])
}

function lengthAndText(text: string): Buffer {
  const bytes = Buffer.from(text)
  return Buffer.concat([Buffer.from([bytes.length >> 8, bytes.length & 0xff]), bytes])
}

/** Tells apart the packets that a server sends. */
export class PacketReader {
  #rest: Buffer = Buffer.alloc(0)
  readonly #take: (first: number, body: Buffer) => void

  /** @param take gets the first byte of each packet, and what follows its length. */
  constructor(take: (first: number, body: Buffer) => void) {
    this.#take = take
  }

  /** Reads what came. */
  push(chunk: Buffer): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk])
    let at = 0
    for (;;) {
      const end = this.#read(bytes, at)
      if (end === -1) break
      at = end
    }
    this.#rest = bytes.subarray(at)
  }

  /** @returns where the next packet begins; −1: this one is not all there. */
  #read(bytes: Buffer, start: number): number {
    let length = 0
    let at = start + 1
    for (let shift = 0; ; shift += 7) {
      const digit = bytes[at++]
      if (digit === undefined) return -1
      length |= (digit & 0x7f) << shift
      if (digit < 0x80) break
    }
    if (at + length > bytes.length) return -1
    this.#take(bytes[start] ?? 0, bytes.subarray(at, at + length))
    return at + length
  }
}
