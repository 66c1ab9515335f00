/** Parts of aedes that its types don't name. `package.json` holds its version, and the tests of this folder reach each of them. */
import type { Client, PublishPacket } from 'aedes'

declare module 'aedes' {
  interface Client {
    /** The number of the next message of QoS 1 to this client: its own counter, so that ours are not its. */
    _nextId: number
    /** Takes apart what comes in. */
    readonly _parser: PacketParser
  }

  interface Aedes {
    publish(packet: PublishPacket, client: Client | null, done: PublishDone): void
  }
}

/** Reads packets out of chunks. */
export interface PacketParser {
  /** The packet that is not complete yet; its length is −1 before that is known. */
  readonly packet: { readonly length: number }
  /** @returns bytes that are left. */
  parse(chunk: Buffer): number
}

/** Called when a message was passed on. */
export type PublishDone = (error?: Error) => void

const MESSAGE_ID_MAX = 65_535

/** Takes a number for a message of QoS 1 that isn't on its way already. */
export function takeMessageId(client: Client, isTaken: (id: number) => boolean): number {
  let id = client._nextId
  while (isTaken(id)) id = id >= MESSAGE_ID_MAX ? 1 : id + 1
  client._nextId = id >= MESSAGE_ID_MAX ? 1 : id + 1
  return id
}

/** Calls back when a packet comes that is longer than it may be, before it is all there. */
export function watchLengths({ _parser: parser }: Client, bytesMax: number, tooLong: () => void): void {
  const parse = parser.parse.bind(parser)
  parser.parse = (chunk) => {
    const left = parse(chunk)
    if (parser.packet.length > bytesMax) tooLong()
    return left
  }
}
