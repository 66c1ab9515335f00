/** What the first message of a TLS connection says of who sends it. */

/** From another server, from a client, or not all of it is there. */
export type HelloKind = 'link' | 'client' | 'need-more'

const HANDSHAKE_RECORD = 0x16
const RECORD_HEAD_BYTES = 5
const CLIENT_HELLO = 1
const HELLO_HEAD_BYTES = 4
const VERSION_AND_RANDOM_BYTES = 34
const ALPN = 16

/**
 * Reads a ClientHello (RFC 8446, 4.1.2) as far as to see whether it asks for a protocol by its name (ALPN, RFC 7301).
 *
 * @param bytes the beginning of the connection. @param linkProtocol the protocol that only servers ask for.
 * @returns `client` also for what is no ClientHello: whoever encrypts says what is wrong with it.
 */
export function helloKind(bytes: Buffer, linkProtocol: string): HelloKind {
  if (bytes.length < RECORD_HEAD_BYTES) return 'need-more'
  if (bytes[0] !== HANDSHAKE_RECORD) return 'client'
  const end = RECORD_HEAD_BYTES + bytes.readUInt16BE(3)
  if (bytes.length < end) return 'need-more'
  const hello = new HelloReader(bytes.subarray(RECORD_HEAD_BYTES, end))
  if (hello.take(1)[0] !== CLIENT_HELLO) return 'client'
  hello.take(HELLO_HEAD_BYTES - 1)
  hello.take(VERSION_AND_RANDOM_BYTES)
  hello.takeVector(1) // session ID
  hello.takeVector(2) // cipher suites
  hello.takeVector(1) // compression
  const extensions = new HelloReader(hello.takeVector(2))
  while (!extensions.isEmpty) {
    const type = extensions.takeNumber(2)
    const body = extensions.takeVector(2)
    if (type === ALPN) return asksFor(body, linkProtocol) ? 'link' : 'client'
  }
  return 'client'
}

function asksFor(alpn: Buffer, protocol: string): boolean {
  const names = new HelloReader(new HelloReader(alpn).takeVector(2))
  while (!names.isEmpty) if (names.takeVector(1).toString('latin1') === protocol) return true
  return false
}

/** Takes pieces of a message in turn; of what isn't there it takes less, and so comes to an end. */
class HelloReader {
  #rest: Buffer

  constructor(bytes: Buffer) {
    this.#rest = bytes
  }

  get isEmpty(): boolean {
    return this.#rest.length === 0
  }

  take(bytes: number): Buffer {
    const taken = this.#rest.subarray(0, bytes)
    this.#rest = this.#rest.subarray(bytes)
    return taken
  }

  takeNumber(bytes: 1 | 2): number {
    const taken = this.take(bytes)
    return taken.length < bytes ? 0 : taken.readUIntBE(0, bytes)
  }

  /** Takes what has its length in front of it. */
  takeVector(lengthBytes: 1 | 2): Buffer {
    return this.take(this.takeNumber(lengthBytes))
  }
}
