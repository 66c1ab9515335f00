import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TEST_KEY } from '../../test/support/fixes.ts'
import { fc, runs } from '../../test/support/properties.ts'
import { type HashKey, keyedHash, mix } from './keyed-hash.ts'

const MASK = 0xffffffffn

function rotate(word: bigint, bits: bigint): bigint {
  return ((word << bits) | (word >> (32n - bits))) & MASK
}

/** HalfSipHash-c-d with 32 bits out, as its authors describe it, in BigInt. */
function halfSipHash(message: Uint8Array, key: readonly [bigint, bigint], c: number, d: number): bigint {
  let [v0, v1, v2, v3] = [key[0], key[1], 0x6c796765n ^ key[0], 0x74656462n ^ key[1]]
  const round = (): void => {
    v0 = (v0 + v1) & MASK
    v1 = rotate(v1, 5n) ^ v0
    v0 = rotate(v0, 16n)
    v2 = (v2 + v3) & MASK
    v3 = rotate(v3, 8n) ^ v2
    v0 = (v0 + v3) & MASK
    v3 = rotate(v3, 7n) ^ v0
    v2 = (v2 + v1) & MASK
    v1 = rotate(v1, 13n) ^ v2
    v2 = rotate(v2, 16n)
  }
  // Padded with zeros so that the length, in the last byte, ends a word.
  const padded = Buffer.alloc((Math.floor(message.length / 4) + 1) * 4)
  padded.set(message)
  padded[padded.length - 1] = message.length % 256
  for (let at = 0; at < padded.length; at += 4) {
    const word = BigInt(padded.readUInt32LE(at))
    v3 ^= word
    for (let i = 0; i < c; i++) round()
    v0 ^= word
  }
  v2 ^= 0xffn
  for (let i = 0; i < d; i++) round()
  return v1 ^ v3
}

test('the reference gives the published vectors of HalfSipHash-2-4', () => {
  // Key 00 01 … 07, messages of 0, 1, 2, 3 bytes 00 01 02: `vectors_hsip32` of the authors' own code.
  const vectors = [0, 1, 2, 3].map((length) => {
    const message = Uint8Array.from({ length }, (_, byte) => byte)
    const hash = Buffer.alloc(4)
    hash.writeUInt32LE(Number(halfSipHash(message, [0x03020100n, 0x07060504n], 2, 4)))
    return hash.toString('hex')
  })
  assert.deepEqual(vectors, ['a9359f5b', '27475ab8', 'fa62a603', '8afee704'])
})

test('the hash of IDs is HalfSipHash-1-3', () => {
  const word = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 })
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), word, word, fc.nat(5), (message, key0, key1, margin) => {
      const buffer = Buffer.concat([Buffer.alloc(margin, 0xaa), message, Buffer.alloc(margin, 0x55)])
      const hash = keyedHash(buffer, margin, margin + message.length, [key0, key1, 0])
      const key = [BigInt.asUintN(32, BigInt(key0)), BigInt.asUintN(32, BigInt(key1))] as const
      assert.equal(hash, Number(BigInt.asIntN(32, halfSipHash(message, key, 1, 3))))
    }),
    runs(1000),
  )
})

test('another key gives other hashes', () => {
  const id = Buffer.from('kiwi.cs.ucla.edu')
  const keys: HashKey[] = [TEST_KEY, [1, TEST_KEY[1], 0], [TEST_KEY[0], 1, 0]]
  assert.equal(new Set(keys.map((key) => keyedHash(id, 0, id.length, key))).size, 3)
})

test('mixing is one to one: equal hashes mean equal cells', () => {
  const hashes = new Set<number>()
  for (let cell = 0; cell < 200_000; cell++) hashes.add(mix(cell * 2063))
  assert.equal(hashes.size, 200_000)
  assert.ok([...hashes].every((hash) => hash === (hash | 0)))
})
