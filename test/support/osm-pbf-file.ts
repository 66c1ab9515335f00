/** Writes `.osm.pbf` files as small as a test wants them: a block for each list of objects. */
import { deflateSync } from 'node:zlib'
import type { OsmObject } from '../../src/places/import/osm-blocks.ts'

const MEMBER_TYPES = ['node', 'way', 'relation'] as const

/** How the file differs from an ordinary one. */
export interface OsmPbfOptions {
  /** Blocks lie open in it. */
  readonly raw?: boolean
  /** What a reader must know of, such as `HistoricalInformation`. */
  readonly features?: readonly string[]
}

/** The bytes of a file with such blocks. */
export function osmPbf(
  blocks: readonly (readonly OsmObject[])[],
  { raw = false, features = [] }: OsmPbfOptions = {},
): Buffer {
  const header = Buffer.concat(
    ['OsmSchema-V0.6', 'DenseNodes', ...features].map((text) => bytes(4, Buffer.from(text))),
  )
  return Buffer.concat([
    blob('OSMHeader', header, raw),
    ...blocks.map((objects) => blob('OSMData', primitiveBlock(objects), raw)),
  ])
}

function blob(type: string, content: Buffer, raw: boolean): Buffer {
  const body = raw
    ? bytes(1, content)
    : Buffer.concat([number(2, content.length), bytes(3, deflateSync(content))])
  const header = Buffer.concat([bytes(1, Buffer.from(type)), number(3, body.length)])
  const length = Buffer.alloc(4)
  length.writeUInt32BE(header.length)
  return Buffer.concat([length, header, body])
}

function primitiveBlock(objects: readonly OsmObject[]): Buffer {
  const texts = ['']
  const textNumber = (text: string): number => {
    const known = texts.indexOf(text)
    return known === -1 ? texts.push(text) - 1 : known
  }
  const groups = objects.map((object) =>
    bytes(2, bytes(FIELD_OF[object.type], objectMessage(object, textNumber))),
  )
  const table = Buffer.concat(texts.map((text) => bytes(1, Buffer.from(text))))
  return Buffer.concat([bytes(1, table), ...groups])
}

/** Plain nodes, ways and relations in a PrimitiveGroup. */
const FIELD_OF = { node: 1, way: 3, relation: 4 } as const

function objectMessage(object: OsmObject, textNumber: (text: string) => number): Buffer {
  const tags = Object.entries(object.tags ?? {})
  const described = [
    packed(
      2,
      tags.map(([key]) => varint(textNumber(key))),
    ),
    packed(
      3,
      tags.map(([, value]) => varint(textNumber(value))),
    ),
  ]
  if (object.type === 'node') {
    const [lat, lon] = [Math.round(object.lat * 1e7), Math.round(object.lon * 1e7)]
    return Buffer.concat([
      number(1, zigzag(object.id)),
      ...described,
      number(8, zigzag(lat)),
      number(9, zigzag(lon)),
    ])
  }
  const refs = object.type === 'way' ? object.refs : object.members.map(({ ref }) => ref)
  const deltas = refs.map((ref, index) => varint(zigzag(ref - (refs[index - 1] ?? 0))))
  if (object.type === 'way') return Buffer.concat([number(1, object.id), ...described, packed(8, deltas)])
  return Buffer.concat([
    number(1, object.id),
    ...described,
    packed(
      8,
      object.members.map(() => varint(0)),
    ),
    packed(9, deltas),
    packed(
      10,
      object.members.map(({ type }) => varint(MEMBER_TYPES.indexOf(type))),
    ),
  ])
}

function packed(field: number, values: readonly Buffer[]): Buffer {
  return values.length === 0 ? Buffer.alloc(0) : bytes(field, Buffer.concat(values))
}

function bytes(field: number, content: Buffer): Buffer {
  return Buffer.concat([varint(field * 8 + 2), varint(content.length), content])
}

function number(field: number, value: number): Buffer {
  return Buffer.concat([varint(field * 8), varint(value)])
}

function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value
}

function varint(value: number): Buffer {
  const all: number[] = []
  let rest = value
  for (; rest >= 128; rest = Math.floor(rest / 128)) all.push((rest % 128) + 128)
  return Buffer.from([...all, rest])
}
