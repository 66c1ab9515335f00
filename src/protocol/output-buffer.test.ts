import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../test/support/properties.ts'
import { OutputBuffer } from './output-buffer.ts'

const piece = fc.oneof(
  fc.uint8Array({ maxLength: 100 }),
  fc.integer({ min: 0, max: 100_000 }).map((bytes) => new Uint8Array(bytes).fill(bytes)),
  fc.integer({ min: 2040, max: 2060 }).map((bytes) => new Uint8Array(bytes).fill(bytes)),
)

test('what is taken is what was appended, and stays so whatever is appended behind it', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(piece, fc.nat(5)), { maxLength: 20 }), (steps) => {
      const output = new OutputBuffer()
      const taken: { bytes: Buffer; expected: Buffer }[] = []
      let held = Buffer.alloc(0)
      for (const [bytes, how] of steps) {
        const padded = Buffer.concat([Buffer.from('<<'), bytes, Buffer.from('>>')])
        output.append(padded, 2, 2 + bytes.length)
        output.appendByte(how)
        held = Buffer.concat([held, bytes, Buffer.from([how])])
        const mark = how === 3 ? Math.floor(held.length / 2) : 0
        if (how === 5) {
          output.cutBack(bytes.length)
          held = held.subarray(0, bytes.length)
        } else if (how >= 3) {
          taken.push({ bytes: output.take(mark), expected: Buffer.from(held.subarray(mark)) })
          held = held.subarray(0, mark)
        }
        assert.equal(output.waiting, held.length)
      }
      taken.push({ bytes: output.take(), expected: held })
      assert.equal(output.waiting, 0)
      // Compared only now: what was taken first must have outlived all that came later.
      for (const { bytes, expected } of taken) assert.ok(bytes.equals(expected))
    }),
    runs(300),
  )
})

test('a turn with huge replies leaves no room behind', () => {
  const output = new OutputBuffer()
  output.append(Buffer.alloc(5_000_000), 0, 5_000_000)
  output.take()
  // The rest of the huge slab may be used up; after that slabs are small again.
  for (let turn = 0; turn < 200; turn++) {
    output.append(Buffer.alloc(60_000), 0, 60_000)
    output.take()
  }
  assert.ok(output.bytes.length < 500_000)
})

test('room that was made is there for writing without a call', () => {
  const output = new OutputBuffer()
  output.append(Buffer.from('before'), 0, 6)
  output.ensure(100_000)
  const { bytes } = output
  output.append(Buffer.alloc(100_000, 0x61), 0, 100_000)
  assert.equal(output.bytes, bytes)
  assert.equal(output.take().toString('latin1', 0, 8), 'beforeaa')
})

test('what was taken back is written over, what others still hold never is', () => {
  const step = fc.record({ bytes: fc.integer({ min: 1, max: 30_000 }), isHeld: fc.boolean() })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      const output = new OutputBuffer()
      const held: { piece: Buffer; expected: Buffer }[] = []
      steps.forEach(({ bytes, isHeld }, turn) => {
        const expected = Buffer.alloc(bytes, turn)
        output.append(expected, 0, bytes)
        const piece = output.share()
        assert.ok(piece.equals(expected))
        if (isHeld) held.push({ piece, expected })
        else output.takeBack()
        assert.equal(output.waiting, 0)
      })
      for (const { piece, expected } of held) assert.ok(piece.equals(expected))
    }),
    runs(300),
  )
})

test('replies that are given away at once are all written to the same memory', () => {
  const output = new OutputBuffer()
  const places = new Set<number>()
  const { bytes } = output
  for (let turn = 0; turn < 100; turn++) {
    output.append(Buffer.alloc(5000), 0, 5000)
    places.add(output.share().byteOffset)
    output.takeBack()
    // Twice is once: nothing older is given back by mistake.
    output.takeBack()
  }
  assert.equal(output.bytes, bytes)
  assert.equal(places.size, 1)
})
