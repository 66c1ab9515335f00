import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NatsInbox, natsBatch, natsFrameBytes, subscribeToOthers } from './nats.ts'

const PAYLOAD = 'M\r\nPONG\r\n'
const STREAM = `INFO {"x":1}\r\nPONG\r\n${[0, 2, 4].map((sid) => `MSG herd.${sid} ${sid} 9\r\n${PAYLOAD}\r\n`).join('PING\r\n')}PONG\r\n`

test('messages, PONGs and PINGs are counted wherever the stream is cut', () => {
  for (let cut = 0; cut <= STREAM.length; cut += 1) {
    const inbox = new NatsInbox(natsFrameBytes(PAYLOAD.length))
    for (const part of [STREAM.slice(0, cut), STREAM.slice(cut)]) {
      // The buffer is longer than what was read into it.
      inbox.push(Buffer.from(`${part}MSG`, 'latin1'), part.length)
    }
    assert.deepEqual([inbox.messages, inbox.pongs, inbox.pings], [3, 2, 2], `cut at ${cut}`)
  }
})

test('a message is counted when its last byte has come', () => {
  const inbox = new NatsInbox(natsFrameBytes(3))
  const frame = Buffer.from('MSG herd.1 1 3\r\nabc\r\n')
  assert.equal(frame.length, natsFrameBytes(3))
  inbox.push(frame, frame.length - 1)
  assert.equal(inbox.messages, 0)
  inbox.push(frame.subarray(-1), 1)
  assert.equal(inbox.messages, 1)
})

test('a complaint of the server is an error', () => {
  const complaint = Buffer.from("-ERR 'Slow Consumer'\r\n")
  assert.throws(() => new NatsInbox(0).push(complaint, complaint.length), /Slow Consumer/)
})

test('a batch ends in the question whether it was taken', () => {
  assert.equal(natsBatch(3, 'ab', 2), 'PUB herd.3 2\r\nab\r\nPUB herd.3 2\r\nab\r\nPING\r\n')
})

test('a subscriber asks for what is published at the others', () => {
  assert.equal(subscribeToOthers(1, 3), 'SUB herd.0 0\r\nSUB herd.2 2\r\nPING\r\n')
})
