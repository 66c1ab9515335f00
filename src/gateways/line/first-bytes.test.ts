import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../../test/support/properties.ts'
import { type Beginning, beginningOf, Opening } from './first-bytes.ts'

/** CONNECT packets, with a length of one to four bytes. */
const connects = [
  '\x10\x0c\x00\x04MQTT\x04\x02\x00<\x00\x00',
  '\x10\x0e\x00\x06MQIsdp\x03\x02\x00<\x00\x00',
  '\x10\x8a\x01\x00\x04MQTT\x05',
  '\x10\xff\xff\xff\x7f\x00\x04MQTT\x04',
].map((text) => Buffer.from(text, 'latin1'))
const hello = Buffer.from('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03', 'latin1')
const lines = [
  'IAMAT kiwi +1+2 3\n',
  '\n',
  '\x00',
  'GET / HTTP/1.1\r\n',
  '\x17\x03\x03',
  ' \x10\x0c\x00\x04MQTT',
]
const odd = [
  '\x10\n',
  '\x10\x0c\x00\x04MQTs',
  '\x10\x0c\x00\x05MQTT',
  '\x10\x0c\x01',
  '\x10\xff\xff\xff\xff',
  '\x16\n',
  '\x16\x02',
  '\x16\x03\x05',
  '\x16\x03\n',
]

function beginningInChunks(chunks: readonly Buffer[]): Beginning {
  const opening = new Opening()
  for (const chunk of chunks) {
    const beginning = opening.push(chunk)
    if (beginning !== 'more') return beginning
  }
  return 'more'
}

/** A text cut at some places. */
function chunksOf(bytes: Buffer, cuts: readonly number[]): Buffer[] {
  const ends = [...new Set(cuts.map((cut) => cut % bytes.length))].toSorted((a, b) => a - b)
  return [...ends, bytes.length]
    .map((end, at) => bytes.subarray(ends[at - 1] ?? 0, end))
    .filter((b) => b.length)
}

test('MQTT, TLS and lines are told apart, whatever the chunks', () => {
  const cases: readonly (readonly [Beginning, readonly Buffer[]])[] = [
    ['mqtt', connects],
    ['tls', [hello]],
    ['lines', [...lines, ...odd].map((text) => Buffer.from(text, 'latin1'))],
  ]
  for (const [expected, beginnings] of cases) {
    for (const bytes of beginnings) {
      fc.assert(
        fc.property(fc.array(fc.nat(), { maxLength: 6 }), (cuts) => {
          assert.equal(
            beginningInChunks(chunksOf(bytes, cuts)),
            expected,
            JSON.stringify(bytes.toString('latin1')),
          )
        }),
        runs(50),
      )
    }
  }
})

test('any bytes are told by the first dozen at most, and none is lost', () => {
  const bytes = fc.oneof(
    fc.uint8Array({ minLength: 12, maxLength: 40 }),
    fc.uint8Array({ minLength: 12, maxLength: 40 }).map((array) => Uint8Array.from([0x10, ...array])),
    fc
      .uint8Array({ minLength: 12, maxLength: 40 })
      .map((array) => Uint8Array.from([0x10, 0x0c, 0, 4, ...array])),
  )
  fc.assert(
    fc.property(bytes, fc.array(fc.nat(), { maxLength: 6 }), (array, cuts) => {
      const whole = Buffer.from(array)
      assert.notEqual(beginningOf(whole), 'more')
      const opening = new Opening()
      const given: Buffer[] = []
      for (const chunk of chunksOf(whole, cuts)) {
        given.push(chunk)
        if (opening.push(chunk) !== 'more') break
      }
      assert.deepEqual(opening.bytes, Buffer.concat(given))
    }),
    runs(1000),
  )
})
