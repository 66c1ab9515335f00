/** What the first bytes of a connection say it speaks. */

/** `more`: it may be one of the others, or lines, and the next bytes tell. */
export type Beginning = 'lines' | 'mqtt' | 'tls' | 'more'

/** A TLS record of the kind that opens a handshake: its type, the major version that all have, and the minor one (RFC 8446, 5.1). */
const TLS_RECORD = 0x16
const TLS_MAJOR = 3
const TLS_MINOR_MAX = 4
/** The first byte of a CONNECT (MQTT 3.1.1, 3.1) … */
const MQTT_CONNECT = 0x10
/** … and what follows its length: the name of the protocol, with its own length, of version 3.1.1 and later, and of 3.1. */
const MQTT_NAMES = [Buffer.from('\x00\x04MQTT'), Buffer.from('\x00\x06MQIsdp')]
/** No CONNECT is shorter: so a line end behind the first byte is one. */
const LENGTH_MIN = 12
const LENGTH_BYTES_MAX = 4
/** Bytes of a length that begin with this bit have another one behind them. */
const MORE_LENGTH = 0x80

/**
 * Says what a connection speaks. HTTP is told by its first line; what is neither that, TLS nor MQTT is lines, and answered as such
 * whatever its bytes are.
 *
 * @param bytes all that came of it so far, at least one byte.
 */
export function beginningOf(bytes: Buffer): Beginning {
  if (bytes[0] === TLS_RECORD) return tlsOrLines(bytes)
  return bytes[0] === MQTT_CONNECT ? mqttOrLines(bytes) : 'lines'
}

function tlsOrLines([, major, minor]: Buffer): Beginning {
  if (major === undefined) return 'more'
  if (major !== TLS_MAJOR) return 'lines'
  if (minor === undefined) return 'more'
  return minor <= TLS_MINOR_MAX ? 'tls' : 'lines'
}

function mqttOrLines(bytes: Buffer): Beginning {
  if ((bytes[1] ?? LENGTH_MIN) < LENGTH_MIN) return 'lines'
  let at = 1
  while (((bytes[at] ?? 0) & MORE_LENGTH) !== 0) at++
  if (at > LENGTH_BYTES_MAX) return 'lines'
  const name = bytes.subarray(at + 1, at + 1 + Math.max(...MQTT_NAMES.map(({ length }) => length)))
  if (MQTT_NAMES.some((known) => name.subarray(0, known.length).equals(known))) return 'mqtt'
  return MQTT_NAMES.some((known) => known.subarray(0, name.length).equals(name)) ? 'more' : 'lines'
}

const NOTHING = Buffer.alloc(0)

/** The bytes of a connection that has just begun, kept until they say what it speaks: a few at most. */
export class Opening {
  #bytes: Buffer = NOTHING

  /** What came and wasn't given out. */
  get bytes(): Buffer {
    return this.#bytes
  }

  /** Takes a chunk, and says what all of `bytes` are. */
  push(chunk: Buffer): Beginning {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
    return beginningOf(this.#bytes)
  }
}
