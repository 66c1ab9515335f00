import assert from 'node:assert/strict'
import { test } from 'node:test'
import { crc32 } from 'node:zlib'
import { fc, runs } from '../../test/support/properties.ts'
import {
  frameBatch,
  frameSegment,
  RECORD_HEADER_BYTES,
  SEGMENT_HEADER_BYTES,
  SegmentReader,
} from './journal-format.ts'

const NUMBER = 7
const BATCH_BYTES_MAX = 300

/** A segment as a journal would write it, and where each of its records ends. */
function makeSegment(
  payloads: readonly Buffer[],
  number: number = NUMBER,
): { bytes: Buffer; ends: number[] } {
  let { header, tail } = frameSegment(number)
  const pieces = [header]
  const ends: number[] = []
  for (const payload of payloads) {
    ;({ header, tail } = frameBatch(tail, payload))
    pieces.push(header, payload)
    ends.push(tail.bytes)
  }
  return { bytes: Buffer.concat(pieces), ends }
}

/** What a reader makes of a segment that comes in pieces of some bytes. */
function read(bytes: Buffer, pieceBytes: number = 64): { payloads: string[]; reader: SegmentReader } {
  const reader = new SegmentReader({ number: NUMBER, bytes: bytes.length, batchBytesMax: BATCH_BYTES_MAX })
  const payloads: string[] = []
  for (let end = 0; !reader.isDone; end = Math.min(bytes.length, end + pieceBytes)) {
    const start = reader.tail.bytes
    assert.ok(start + reader.needs <= bytes.length, 'asks for no more than there is')
    const at = reader.read(bytes, start, Math.max(start, end), (payload) =>
      payloads.push(payload.toString('latin1')),
    )
    assert.equal(at, reader.tail.bytes)
  }
  return { payloads, reader }
}

const batch = fc.uint8Array({ minLength: 1, maxLength: 90 }).map((bytes) => Buffer.from(bytes))
const batches = fc.array(batch, { maxLength: 8 })

function texts(payloads: readonly Buffer[]): string[] {
  return payloads.map((payload) => payload.toString('latin1'))
}

test('a segment is laid out as the format says', () => {
  const { bytes } = makeSegment([Buffer.from('one'), Buffer.from('three')])
  assert.equal(bytes.toString('latin1', 0, 8), 'HERDLOG\n')
  assert.deepEqual([bytes.readUInt32LE(8), bytes.readUInt32LE(12)], [1, NUMBER])
  assert.equal(bytes.readUInt32LE(16), crc32(bytes.subarray(0, 16)))
  assert.equal(bytes.readUInt32LE(20), 3)
  assert.equal(bytes.readUInt32LE(24), crc32('one', crc32(bytes.subarray(20, 24), bytes.readUInt32LE(16))))
  assert.equal(bytes.toString('latin1', 28, 31), 'one')
})

test('what is written is read, however the pieces fall', () => {
  fc.assert(
    fc.property(batches, fc.integer({ min: 1, max: 400 }), (payloads, pieceBytes) => {
      const { bytes, ends } = makeSegment(payloads)
      const { payloads: got, reader } = read(bytes, pieceBytes)
      assert.deepEqual(got, texts(payloads))
      assert.equal(reader.fault, null)
      assert.equal(reader.batches, payloads.length)
      assert.deepEqual(reader.tail, {
        bytes: ends.at(-1) ?? SEGMENT_HEADER_BYTES,
        checksum: reader.tail.checksum,
      })
    }),
    runs(300),
  )
})

test('of a segment cut at any byte, what was whole before is read and nothing else', () => {
  fc.assert(
    fc.property(batches, fc.nat(), (payloads, seed) => {
      const { bytes, ends } = makeSegment(payloads)
      const cut = seed % (bytes.length + 1)
      const { payloads: got, reader } = read(bytes.subarray(0, cut))
      const whole = ends.filter((end) => end <= cut)
      assert.deepEqual(got, texts(payloads.slice(0, whole.length)))
      const good = cut < SEGMENT_HEADER_BYTES ? 0 : (whole.at(-1) ?? SEGMENT_HEADER_BYTES)
      assert.equal(reader.tail.bytes, good)
      assert.equal(reader.fault, good === cut && cut > 0 ? null : 'torn')
    }),
    runs(500),
  )
})

test('a byte that is flipped anywhere ends the reading before its record', () => {
  fc.assert(
    fc.property(batches, fc.nat(), fc.integer({ min: 1, max: 255 }), (payloads, seed, bits) => {
      const { bytes, ends } = makeSegment(payloads)
      const at = seed % bytes.length
      bytes[at] = (bytes[at] as number) ^ bits
      const { payloads: got, reader } = read(bytes)
      assert.deepEqual(got, texts(payloads.slice(0, ends.filter((end) => end <= at).length)))
      assert.notEqual(reader.fault, null)
    }),
    runs(1000),
  )
})

test('each fault has its name', () => {
  const { bytes } = makeSegment([Buffer.from('one'), Buffer.from('two')])
  const second = SEGMENT_HEADER_BYTES + RECORD_HEADER_BYTES + 3
  const faultOf = (change: (copy: Buffer) => Buffer | undefined): string | null => {
    const copy = Buffer.from(bytes)
    const { reader, payloads } = read(change(copy) ?? copy)
    assert.deepEqual(payloads, reader.tail.bytes === second ? ['one'] : [])
    return reader.fault
  }
  const patch = (value: number, at: number) => (copy: Buffer) => {
    copy.writeUInt32LE(value, at)
    return undefined
  }
  assert.equal(faultOf(patch(0, second)), 'length')
  assert.equal(faultOf(patch(BATCH_BYTES_MAX + 1, second)), 'length')
  assert.equal(faultOf(patch(BATCH_BYTES_MAX, second)), 'torn')
  assert.equal(faultOf(patch(1, second)), 'checksum')
  assert.equal(faultOf(patch(1, second + 4)), 'checksum')
  assert.equal(faultOf(patch(0, 0)), 'header')
  assert.equal(
    faultOf(() => makeSegment([Buffer.from('one')], NUMBER + 1).bytes),
    'header',
  )
  assert.equal(
    faultOf(() => Buffer.alloc(0)),
    'torn',
  )
})

test('a segment of another version is told from a damaged one', () => {
  const { bytes } = makeSegment([Buffer.from('one')])
  bytes.writeUInt32LE(2, 8)
  assert.equal(read(bytes).reader.fault, 'header')
  bytes.writeUInt32LE(crc32(bytes.subarray(0, 16)), 16)
  assert.equal(read(bytes).reader.fault, 'version')
})

test('zeros, or a good record in another place, are no record', () => {
  const [one, two] = [Buffer.from('one'), Buffer.from('two')]
  const { bytes } = makeSegment([one, two])
  const record = bytes.subarray(-RECORD_HEADER_BYTES - two.length)
  for (const tail of [Buffer.alloc(64), record, makeSegment([two], NUMBER + 1).bytes.subarray(20)]) {
    assert.deepEqual(read(Buffer.concat([bytes, tail])).payloads, ['one', 'two'])
  }
  const swapped = Buffer.concat([bytes.subarray(0, SEGMENT_HEADER_BYTES), record])
  assert.deepEqual(read(swapped).payloads, [])
})
