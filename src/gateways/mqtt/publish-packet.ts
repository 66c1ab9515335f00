/** PUBLISH packets of MQTT 3.1.1 as bytes (§3.3): written once, sent to many. Pure. */

const PUBLISH = 0x30
const RETAIN = 0x01
const QOS_1 = 0x02
/** Bytes that begin with this bit have another one behind them. */
const MORE = 0x80
const TOPIC_LENGTH_BYTES = 2
const MESSAGE_ID_BYTES = 2

/** Writes a message of QoS 0. @param isRetained whether it was there before its receiver asked. */
export function writePublish(topic: string, payload: string, isRetained: boolean): Buffer {
  const topicBytes = Buffer.byteLength(topic)
  const rest = TOPIC_LENGTH_BYTES + topicBytes + Buffer.byteLength(payload)
  const packet = Buffer.allocUnsafe(1 + lengthBytes(rest) + rest)
  packet[0] = PUBLISH | (isRetained ? RETAIN : 0)
  let at = writeLength(packet, 1, rest)
  at = packet.writeUInt16BE(topicBytes, at)
  at += packet.write(topic, at)
  packet.write(payload, at)
  return packet
}

/** Makes a message of QoS 1 of one of QoS 0. @param id what its receiver acknowledges it by. */
export function withMessageId(packet: Buffer, id: number): Buffer {
  let start = 1
  while (((packet[start++] ?? 0) & MORE) !== 0);
  const rest = packet.length - start + MESSAGE_ID_BYTES
  const idAt = start + TOPIC_LENGTH_BYTES + packet.readUInt16BE(start)
  const result = Buffer.allocUnsafe(1 + lengthBytes(rest) + rest)
  result[0] = (packet[0] ?? 0) | QOS_1
  let at = writeLength(result, 1, rest)
  at += packet.copy(result, at, start, idAt)
  at = result.writeUInt16BE(id, at)
  packet.copy(result, at, idAt)
  return result
}

function lengthBytes(rest: number): number {
  if (rest < 1 << 7) return 1
  if (rest < 1 << 14) return 2
  return rest < 1 << 21 ? 3 : 4
}

function writeLength(packet: Buffer, at: number, rest: number): number {
  let left = rest
  do {
    const digit = left & 0x7f
    left >>>= 7
    packet[at++] = left > 0 ? digit | MORE : digit
  } while (left > 0)
  return at
}
