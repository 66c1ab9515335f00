import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { EventStreamReader, EventTooLong, type ServerEvent } from './event-stream.ts'

const STREAM =
  'retry: 1000\n\n:\n\nevent: fix\ndata: {"a":1}\n\nid: Alford~1f3a9c2e~7\n\nevent: fix\r\ndata: x\r\ndata:y\r\n\r\nid\rdata: last\r\r'

test('events, cursors without data, comments and all line ends', () => {
  const [first, cursor, second, last] = new EventStreamReader().push(`${STREAM}\n`)
  assert.deepEqual(first, { type: 'fix', data: '{"a":1}', id: '' })
  assert.deepEqual(cursor, { type: 'message', data: '', id: 'Alford~1f3a9c2e~7' })
  assert.deepEqual(second, { type: 'fix', data: 'x\ny', id: 'Alford~1f3a9c2e~7' })
  assert.deepEqual(last, { type: 'message', data: 'last', id: '' })
})

test('it does not matter where the pieces are cut', () => {
  const whole = new EventStreamReader().push(`${STREAM}\n`)
  fc.assert(
    fc.property(fc.array(fc.nat(STREAM.length)), (cuts) => {
      const reader = new EventStreamReader()
      const events: ServerEvent[] = []
      let at = 0
      for (const cut of [...cuts.toSorted((a, b) => a - b), STREAM.length]) {
        events.push(...reader.push(STREAM.slice(at, cut)))
        at = cut
      }
      events.push(...reader.push('\n'))
      assert.deepEqual(events, whole)
    }),
  )
})

test('an event that never ends is not kept for ever', () => {
  const reader = new EventStreamReader()
  assert.throws(() => {
    for (let piece = 0; piece < 40; piece++) reader.push('x'.repeat(100_000))
  }, EventTooLong)
})
