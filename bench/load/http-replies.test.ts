import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HttpReplies } from './http-replies.ts'

const ANSWER = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 7\r\nX-Other: 1\r\n\r\n{"a":1}')

test('an answer is there when its last byte is, wherever it was cut', () => {
  for (let cut = 1; cut < ANSWER.length; cut += 1) {
    const replies = new HttpReplies()
    assert.equal(replies.push(ANSWER.subarray(0, cut)), undefined)
    assert.equal(replies.push(ANSWER.subarray(cut))?.toString(), '{"a":1}')
    assert.equal(replies.push(ANSWER)?.toString(), '{"a":1}')
  }
})

test('whatever else comes fails the load', () => {
  const refused = Buffer.from('HTTP/1.1 403 Forbidden\r\ncontent-length: 2\r\n\r\nno')
  assert.throws(() => new HttpReplies().push(refused), /403 Forbidden: no/)
  assert.throws(() => new HttpReplies().push(Buffer.concat([ANSWER, ANSWER])), /more answers/)
  assert.throws(() => new HttpReplies().push(Buffer.from('HTTP/1.1 200 OK\r\n\r\n')), /without a length/)
  assert.throws(() => new HttpReplies().push(Buffer.alloc(20_000)), /no HTTP/)
})
