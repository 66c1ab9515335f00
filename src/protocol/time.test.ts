import assert from 'node:assert/strict'
import { test } from 'node:test'
import { naiveSkew, naiveSkewText, naiveTime } from '../../test/support/naive-parser.ts'
import { fc, runs } from '../../test/support/properties.ts'
import {
  compareTimes,
  formatTime,
  type Nanotime,
  readSkew,
  readTime,
  SKEW_BYTES_MAX,
  setDifference,
  writeSkew,
} from './time.ts'

const SECOND = 1_000_000_000n

function toNanotime(value: bigint): Nanotime {
  const nanoseconds = ((value % SECOND) + SECOND) % SECOND
  return { seconds: Number((value - nanoseconds) / SECOND), nanoseconds: Number(nanoseconds) }
}

function toBigInt(time: Nanotime): bigint {
  return BigInt(time.seconds) * SECOND + BigInt(time.nanoseconds)
}

function skewText(skew: Nanotime): string {
  const target = Buffer.alloc(SKEW_BYTES_MAX + 2, 0x7a)
  const end = writeSkew(target, 1, skew)
  assert.equal(target.toString('latin1', end), 'z'.repeat(target.length - end), 'nothing is written behind')
  return target.toString('latin1', 1, end)
}

/** Times of clients and clocks, thick around where seconds turn. */
const timeValue = fc.oneof(
  fc.bigInt({ min: 0n, max: 100n * SECOND * SECOND - 1n }),
  fc
    .tuple(fc.bigInt({ min: 0n, max: 99_999_999_999n }), fc.constantFrom(0n, 1n, 999_999_999n))
    .map(([seconds, nanoseconds]) => seconds * SECOND + nanoseconds),
  fc.bigInt({ min: 1_479_413_884n * SECOND - 3n, max: 1_479_413_884n * SECOND + 3n }),
)

test('a difference is exact, is written with sign and nine digits, and is read back', () => {
  fc.assert(
    fc.property(timeValue, timeValue, (a, b) => {
      const result: Nanotime = { seconds: 7, nanoseconds: 7 }
      const first = toNanotime(a)
      const second = toNanotime(b)
      setDifference(result, first.seconds, first.nanoseconds, second.seconds, second.nanoseconds)
      assert.deepEqual(result, toNanotime(a - b))
      const text = skewText(result)
      assert.equal(text, naiveSkewText(a - b))
      const read: Nanotime = { seconds: 0, nanoseconds: 0 }
      assert.ok(readSkew(Buffer.from(text), 0, text.length, read) === text.length)
      assert.deepEqual(read, result)
      assert.equal(Math.sign(compareTimes(first, second)), a < b ? -1 : a > b ? 1 : 0)
    }),
    runs(3000),
  )
})

test('differences around zero', () => {
  const written = [0n, 1n, -1n, SECOND, -SECOND, -SECOND - 1n, -SECOND + 1n, 263_873_386n, -250_000_000n]
  assert.deepEqual(
    written.map((value) => skewText(toNanotime(value))),
    [
      '+0.000000000',
      '+0.000000001',
      '-0.000000001',
      '+1.000000000',
      '-1.000000000',
      '-1.000000001',
      '-0.999999999',
      '+0.263873386',
      '-0.250000000',
    ],
  )
})

test('the longest difference fits its room', () => {
  assert.equal(skewText(toNanotime(-999_999_999_999n * SECOND - 999_999_999n)).length, SKEW_BYTES_MAX)
})

test('times and differences are read as by the naive reader, and left alone when they are none', () => {
  const part = fc.stringMatching(/^[0-9]{0,14}$/)
  const text = fc
    .tuple(fc.constantFrom('', '', '+', '-', ' '), part, fc.constantFrom('', '.', '.', '..', 'e', ','), part)
    .map((parts) => parts.join(''))
  fc.assert(
    fc.property(fc.oneof(text, fc.stringMatching(/^[-+]?[0-9.]{0,70}$/)), (input) => {
      const buffer = Buffer.from(`7${input}7`)
      for (const [read, naive] of [
        [readTime, naiveTime],
        [readSkew, naiveSkew],
      ] as const) {
        const result: Nanotime = { seconds: 42, nanoseconds: 42 }
        const expected = naive(input)
        const end = read(buffer, 1, 1 + input.length, result)
        assert.equal(end === 1 + input.length, expected !== null)
        if (expected !== null) assert.equal(toBigInt(result), expected)
        else if (naive === naiveTime && end === -1) assert.deepEqual(result, { seconds: 42, nanoseconds: 42 })
      }
    }),
    runs(3000),
  )
})

test('a time is written as a client would', () => {
  assert.equal(formatTime({ seconds: 1479413884, nanoseconds: 392014450 }), '1479413884.392014450')
  assert.equal(formatTime({ seconds: 0, nanoseconds: 5 }), '0.000000005')
})
