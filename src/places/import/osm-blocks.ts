/**
 * The blocks of an `.osm.pbf` file (https://wiki.openstreetmap.org/wiki/PBF_Format): found and unpacked here, so that
 * damage can be told by its byte; decoded by osm-pbf-parser-node.
 */
import { type FileHandle, open } from 'node:fs/promises'
import { inflateSync } from 'node:zlib'
import { parse } from 'osm-pbf-parser-node'
import type { OsmTags } from '../osm-types.ts'
import { ImportFailed } from './imported-place.ts'
import type { ReadOptions } from './source-file.ts'

/** A node, a way or a relation. */
export type OsmObject = OsmNode | OsmWay | OsmRelation

/** Degrees. */
export interface OsmNode {
  readonly type: 'node'
  readonly id: number
  readonly lat: number
  readonly lon: number
  readonly tags?: OsmTags
}

/** Made of nodes. */
export interface OsmWay {
  readonly type: 'way'
  readonly id: number
  readonly refs: readonly number[]
  readonly tags?: OsmTags
}

/** Made of anything. */
export interface OsmRelation {
  readonly type: 'relation'
  readonly id: number
  readonly members: readonly { readonly type: OsmObject['type']; readonly ref: number }[]
  readonly tags?: OsmTags
}

/** The format's own limits. */
const HEADER_BYTES_MAX = 64 * 1024
const BLOB_BYTES_MAX = 32 * 1024 * 1024

/** The kinds of objects that a block has: the numbers of those that it has, added up. */
const KINDS = { node: 1, way: 2, relation: 4 } as const

/** A file of which each block is read as often as need be, and only if it has what is looked for. */
export class OsmBlocks {
  readonly #file: FileHandle
  readonly #options: ReadOptions
  readonly #offsets: number[] = []
  readonly #kinds: number[] = []

  private constructor(file: FileHandle, options: ReadOptions) {
    this.#file = file
    this.#options = options
  }

  /** Opens a file. @throws what the file system throws. */
  static async open(options: ReadOptions): Promise<OsmBlocks> {
    return new OsmBlocks(await open(options.path), options)
  }

  close(): Promise<void> {
    return this.#file.close()
  }

  /** Every block in order, and by that where each is and what it has. @throws {ImportFailed} */
  async *all(): AsyncGenerator<readonly OsmObject[]> {
    let offset = 0
    for (let blob = await this.#blobAt(offset); blob !== undefined; blob = await this.#blobAt(offset)) {
      if (blob.type === 'OSMData') {
        const objects = this.#objects(blob.bytes, offset)
        this.#offsets.push(offset)
        this.#kinds.push(kindsOf(objects))
        yield objects
      } else if (offset === 0 && blob.type === 'OSMHeader') this.#checkHeader(blob.bytes, offset)
      offset = blob.end
      this.#options.onProgress(offset)
    }
    if (this.#offsets.length === 0 && offset === 0) throw this.#damaged(0, 'it is empty')
  }

  /** The numbers of the blocks that have some of a kind. After `all`. */
  with(kind: OsmObject['type']): readonly number[] {
    return [...this.#kinds.keys()].filter((block) => ((this.#kinds[block] ?? 0) & KINDS[kind]) !== 0)
  }

  /** What is in the block of a number. @throws {ImportFailed} */
  async at(block: number): Promise<readonly OsmObject[]> {
    const offset = this.#offsets[block] ?? 0
    const blob = await this.#blobAt(offset)
    return blob === undefined ? [] : this.#objects(blob.bytes, offset)
  }

  /** Undefined at the end of the file. */
  async #blobAt(offset: number): Promise<{ type: string; bytes: Buffer; end: number } | undefined> {
    this.#options.signal.throwIfAborted()
    const length = await this.#read(offset, 4, 'end is fine')
    if (length === undefined) return undefined
    const headerBytes = length.readUInt32BE()
    if (headerBytes > HEADER_BYTES_MAX) throw this.#damaged(offset, 'no block begins here')
    const header = fieldsOf(await this.#read(offset + 4, headerBytes))
    const type = header?.get(1)
    const size = header?.get(3)
    if (!Buffer.isBuffer(type) || typeof size !== 'number' || size > BLOB_BYTES_MAX) {
      throw this.#damaged(offset, 'no block begins here')
    }
    const start = offset + 4 + headerBytes
    return {
      type: type.toString(),
      bytes: this.#unpack(await this.#read(start, size), start),
      end: start + size,
    }
  }

  #unpack(blob: Buffer, offset: number): Buffer {
    const fields = fieldsOf(blob)
    const [raw, packed] = [fields?.get(1), fields?.get(3)]
    if (Buffer.isBuffer(raw)) return raw
    if (!Buffer.isBuffer(packed))
      throw this.#damaged(offset, 'this block is packed by something else than zlib')
    try {
      return inflateSync(packed, { maxOutputLength: BLOB_BYTES_MAX })
    } catch (error) {
      throw this.#damaged(offset, "this block can't be unpacked", error)
    }
  }

  /** What a file needs that isn't only nodes, ways and relations: then we would read it wrong. */
  #checkHeader(bytes: Buffer, offset: number): void {
    const features = bytes.toString('latin1')
    if (features.includes('HistoricalInformation')) {
      throw new ImportFailed(
        `${this.#options.path} has all versions of everything (byte ${offset}): make an extract without history`,
      )
    }
  }

  #objects(bytes: Buffer, offset: number): readonly OsmObject[] {
    try {
      return parse(bytes, { withTags: true, withInfo: false }).filter(isOsmObject)
    } catch (error) {
      throw this.#damaged(offset, "this block can't be decoded", error)
    }
  }

  async #read(offset: number, bytes: number, end: 'end is fine'): Promise<Buffer | undefined>
  async #read(offset: number, bytes: number): Promise<Buffer>
  async #read(offset: number, bytes: number, end?: 'end is fine'): Promise<Buffer | undefined> {
    const { buffer, bytesRead } = await this.#file.read(Buffer.allocUnsafe(bytes), 0, bytes, offset)
    if (bytesRead === bytes) return buffer
    if (bytesRead === 0 && end !== undefined) return undefined
    throw this.#damaged(offset + bytesRead, 'it ends within a block')
  }

  #damaged(offset: number, what: string, cause?: unknown): ImportFailed {
    return new ImportFailed(`${this.#options.path} is damaged at byte ${offset}: ${what}`, { cause })
  }
}

function kindsOf(objects: readonly OsmObject[]): number {
  let kinds = 0
  for (const { type } of objects) kinds |= KINDS[type]
  return kinds
}

function isOsmObject(object: object): object is OsmObject {
  return 'type' in object && 'id' in object
}

/** The fields of a small protobuf message: numbers, and bytes as they are. Undefined when it is none. */
function fieldsOf(message: Buffer): ReadonlyMap<number, number | Buffer> | undefined {
  const fields = new Map<number, number | Buffer>()
  let at = 0
  const varint = (): number => {
    let value = 0
    for (let scale = 1; at < message.length; scale *= 128) {
      const byte = message[at++] ?? 0
      value += (byte & 0x7f) * scale
      if (byte < 0x80) return value
    }
    return Number.NaN
  }
  while (at < message.length) {
    const tag = varint()
    const value = varint()
    if (Number.isNaN(value) || !Number.isSafeInteger(value)) return undefined
    if (tag % 8 === 0) fields.set(tag >>> 3, value)
    else if (tag % 8 === 2 && at + value <= message.length) {
      fields.set(tag >>> 3, message.subarray(at, at + value))
      at += value
    } else return undefined
  }
  return fields
}
