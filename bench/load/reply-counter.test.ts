import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ReplyCounter, UnexpectedReply } from './reply-counter.ts'

const A = 'A'.charCodeAt(0)
const REPLIES = 'AT Solo +1.5 a b c\nAT Solo +1.25 a b c\nAT Solo -0.5 aaa b c\nAT Solo +1.5 a b c\n'

test('lines are counted wherever they are cut', () => {
  const bytes = Buffer.from(REPLIES)
  for (let first = 0; first <= bytes.length; first += 1) {
    for (let second = first; second <= bytes.length; second += 1) {
      const counter = new ReplyCounter(A)
      const parts = [bytes.subarray(0, first), bytes.subarray(first, second), bytes.subarray(second)]
      const lines = parts.reduce((sum, part) => sum + counter.push(part, part.length), 0)
      assert.equal(lines, 4, `cut at ${first} and ${second}`)
    }
  }
})

test('what lies behind the length is left of an earlier read and does not count', () => {
  const counter = new ReplyCounter(A)
  const buffer = Buffer.from('AT x\nAT y\nAT z\n')
  assert.equal(counter.push(buffer, 7), 1)
  assert.equal(counter.push(Buffer.from(' y\n'), 3), 1)
})

test('a refusal is noticed, also as a later line', () => {
  const counter = new ReplyCounter(A)
  const reply = Buffer.from('AT x\n? IAMAT nonsense\n')
  assert.throws(() => counter.push(reply, reply.length), UnexpectedReply)
})
