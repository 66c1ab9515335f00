import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../test/support/properties.ts'
import { ESCAPED_BYTES_MAX, writeEscaped } from './escape.ts'

function escaped(bytes: Uint8Array): string {
  const source = Buffer.concat([Buffer.from('<'), bytes, Buffer.from('>')])
  const target = Buffer.alloc(bytes.length * ESCAPED_BYTES_MAX + 2, 0x7a)
  const end = writeEscaped(target, 1, source, 1, source.length - 1)
  assert.equal(target.toString('latin1', end), 'z'.repeat(target.length - end), 'nothing is written behind')
  return target.toString('latin1', 1, end)
}

test('any bytes become printable ASCII that JSON reads back as they were', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      const text = escaped(bytes)
      assert.match(text, /^[ -~]*$/)
      assert.equal(JSON.parse(`"${text}"`), Buffer.from(bytes).toString('latin1'))
    }),
    runs(1000),
  )
})

test('each byte has one form, plain where it can be', () => {
  const all = Array.from({ length: 256 }, (_, byte) => escaped(Uint8Array.of(byte)))
  assert.equal(new Set(all).size, 256)
  assert.equal(escaped(Buffer.from('IAMAT kiwi +34-118 1.5 /<>&')), 'IAMAT kiwi +34-118 1.5 /<>&')
  assert.equal(
    escaped(Buffer.from('"\\\n\x1b\x7f\xff', 'latin1')),
    '\\u0022\\u005c\\u000a\\u001b\\u007f\\u00ff',
  )
})
