/** The smallest archive of street tiles there is: PMTiles v3, https://github.com/protomaps/PMTiles/blob/main/spec/v3/spec.md. */

const HEADER_BYTES = 127
const MAGIC = 'PMTiles'
const VERSION = 3
const NOT_COMPRESSED = 1
const PNG = 2
const METADATA = Buffer.from('{"name":"one tile"}')

/** An archive with one tile, that of zoom 0. */
export function onePmtile(tile: Buffer): Buffer {
  // One entry: its ID, how many tiles it is for, its length, and where it begins (plus 1).
  const root = Buffer.from([1, 0, 1, ...varint(tile.length), 1])
  const header = Buffer.alloc(HEADER_BYTES)
  header.write(MAGIC, 'latin1')
  header.writeUInt8(VERSION, MAGIC.length)
  let at = HEADER_BYTES
  // No leaf directories: the root has all.
  for (const [index, length] of [root.length, METADATA.length, 0, tile.length].entries()) {
    header.writeBigUInt64LE(BigInt(at), 8 + 16 * index)
    header.writeBigUInt64LE(BigInt(length), 16 + 16 * index)
    at += length
  }
  for (let count = 0; count < 3; count++) header.writeBigUInt64LE(1n, 72 + 8 * count)
  for (const [index, byte] of [1, NOT_COMPRESSED, NOT_COMPRESSED, PNG].entries()) {
    header.writeUInt8(byte, 96 + index)
  }
  return Buffer.concat([header, root, METADATA, tile])
}

/** A number in LEB128. */
function varint(number: number): number[] {
  return number < 0x80 ? [number] : [(number & 0x7f) | 0x80, ...varint(number >>> 7)]
}
