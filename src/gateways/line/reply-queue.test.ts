import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fc, runs } from '../../../test/support/properties.ts'
import { ReplyQueue } from './reply-queue.ts'

/** Takes what is ready: replies as text, a mark as `|`. */
function sentOf(queue: ReplyQueue): string {
  return queue
    .takeReady()
    .map((reply) => (typeof reply === 'function' ? '|' : reply.toString()))
    .join('')
}

const step = fc.tuple(fc.constantFrom('push', 'push', 'await', 'answer', 'take'), fc.nat(100), fc.string())

test('replies leave in the order of their commands, each once, as soon as all before them are there', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const queue = new ReplyQueue()
      /** The replies in order; `null` for a rest that is not there yet. */
      const expected: { text: string; rest: string | null; answer?: (tail: Buffer) => void }[] = []
      let sent = ''
      let due = ''
      const take = (): void => {
        sent += sentOf(queue)
        while (expected[0] !== undefined && expected[0].rest !== null) {
          due += expected[0].text + expected[0].rest
          expected.shift()
        }
        assert.equal(sent, due)
        assert.equal(queue.awaited, expected.filter((reply) => reply.answer !== undefined).length)
        assert.equal(queue.isEmpty, expected.length === 0)
      }
      for (const [what, choice, text] of steps) {
        const open = expected.filter((reply) => reply.rest === null)
        const reply = open[choice % Math.max(1, open.length)]
        if (what === 'take') take()
        else if (what === 'push') {
          queue.push(Buffer.from(text))
          if (text !== '') expected.push({ text, rest: '' })
        } else if (what === 'await') {
          expected.push({ text, rest: null, answer: queue.await(Buffer.from(text)) })
        } else if (reply !== undefined) {
          reply.rest = `{${text}}`
          reply.answer?.(Buffer.from(reply.rest))
        }
      }
      for (const reply of expected) {
        if (reply.rest === null) reply.answer?.(Buffer.alloc(0))
        reply.rest ??= ''
      }
      take()
      assert.ok(queue.isEmpty)
      assert.equal(queue.bytes, 0)
    }),
    runs(1000),
  )
})

test('bytes count what is held, heads and rests', () => {
  const queue = new ReplyQueue()
  const answer = queue.await(Buffer.from('AT\n'))
  queue.push(Buffer.from('? x\n'))
  assert.equal(queue.bytes, 7)
  assert.deepEqual(queue.takeReady(), [])
  answer(Buffer.from('{}\n\n'))
  assert.equal(queue.bytes, 11)
  assert.equal(sentOf(queue), 'AT\n{}\n\n? x\n')
  assert.equal(queue.bytes, 0)
})

test('a mark is passed when all before it is sent, and not before', () => {
  const queue = new ReplyQueue()
  const answer = queue.await(Buffer.from('a'))
  queue.push(Buffer.from('b'))
  queue.mark(() => undefined)
  const answerLast = queue.await(Buffer.from('c'))
  assert.equal(sentOf(queue), '')
  answer(Buffer.from('1'))
  assert.equal(sentOf(queue), 'a1b|')
  assert.ok(!queue.isEmpty)
  answerLast(Buffer.from('2'))
  assert.equal(sentOf(queue), 'c2')
  assert.ok(queue.isEmpty)
})
