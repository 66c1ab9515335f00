import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseFigures } from './figures.ts'

test('the figures asked for are there, or the text is refused', () => {
  assert.deepEqual(parseFigures('{"a":1,"b":2,"c":"x"}', ['a', 'b']), { a: 1, b: 2 })
  for (const text of ['{"a":1}', '{"a":1,"b":"2"}', '{"a":1,"b":null}', '7', 'null', 'oh']) {
    assert.throws(() => parseFigures(text, ['a', 'b']), text)
  }
})
