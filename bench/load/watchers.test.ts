import assert from 'node:assert/strict'
import { test } from 'node:test'
import { FixNumbers, maskedText, watchedClient } from './watchers.ts'

test('fixes are found by their numbers, wherever what comes was cut', () => {
  const told = [7, 12_345_678, 0].map(
    (number) => `event: fix\ndata: {"client":"${watchedClient(number)}"}\n\n`,
  )
  const bytes = Buffer.from(`: hello\n\n${told.join('id: Solo~1f3a9c2e~1042\n\n')}`)
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const found: number[] = []
    const numbers = new FixNumbers((number) => found.push(number))
    numbers.push(bytes.subarray(0, cut))
    numbers.push(bytes.subarray(cut))
    assert.deepEqual(found, [7, 12_345_678, 0])
  }
})

test('a message is masked as a client must', () => {
  const frame = maskedText('ping')
  assert.deepEqual([...frame.subarray(0, 2)], [0x81, 0x84])
  const mask = frame.subarray(2, 6)
  const text = frame.subarray(6).map((byte, at) => byte ^ (mask[at % 4] ?? 0))
  assert.equal(Buffer.from(text).toString(), 'ping')
})
