/**
 * The vectors against the parser, the commands and the flood between servers, without a socket: clocks stand where the
 * vectors say, so every difference is checked to the last digit; and every vector runs in several choppings.
 */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { LineFramer } from '../../src/protocol/index.ts'
import { ackText } from '../../src/replication/acks.ts'
import { readHandshakeLine } from '../../src/replication/handshake.ts'
import { ackObjection } from '../../src/server/journal.ts'
import { toNanotime } from '../support/fixes.ts'
import { chop } from '../support/line-generators.ts'
import { MemoryHerd, type MemoryServer } from '../support/memory-herd.ts'
import { naiveTime } from '../support/naive-parser.ts'
import { bytesOf, checkReply, loadVectors, type Step } from './run-vectors.ts'

const UCLA = ['Alford', 'Ball', 'Hamilton', 'Holiday', 'Welsh']
const UCLA_LINKS: readonly (readonly [number, number])[] = [
  [0, 2],
  [0, 4],
  [1, 3],
  [1, 4],
  [2, 3],
]
/** Where clocks stand when a vector doesn't say. */
const USUAL_CLOCK = '1479413885'
const LINE_BYTES_MAX = 65_536

/** Finds as many places as are asked for, at once. */
function findPlaces(items: number): string {
  const results = Array.from({ length: items }, (_, place) => ({ name: `Place ${place}` }))
  return JSON.stringify({ html_attributions: [], results, status: 'OK' }, null, 3)
}

/** Answers one line, as a connection would; `null` for the line when it had no end. */
function answer(server: MemoryServer, framer: LineFramer, isWhole: boolean): void {
  const { commands, parser, output } = server
  const { buffer, start, end } = framer
  const kind = isWhole ? parser.parse(buffer, start, end) : 'invalid'
  switch (kind) {
    case 'iamat':
      commands.iamat(buffer)
      break
    case 'whatsat': {
      if (commands.whatsat(buffer) === null) commands.invalid(buffer, start, end)
      else {
        const json = Buffer.from(`${findPlaces(parser.items)}\n\n`)
        output.append(json, 0, json.length)
      }
      break
    }
    case 'whosat':
    case 'whosat-near':
    case 'whosat-box':
    case 'whosat-polygon':
      if (!server.answerWhosat(kind, buffer)) commands.invalid(buffer, start, end)
      break
    case 'herd':
      assert.notEqual(readHandshakeLine(buffer.toString('utf8', start, end)).type, 'greet')
      commands.invalid(buffer, start, end)
      break
    case 'ack': {
      // In memory nothing is waited for; every server of this herd has two neighbors.
      const objection = ackObjection(parser.ack, true, 2)
      const reply = Buffer.from(objection === null ? `ACK ${ackText(parser.ack)}\n` : `? ${objection}\n`)
      output.append(reply, 0, reply.length)
      break
    }
    case 'watch':
    case 'watch-near':
    case 'unwatch':
    case 'token':
      // They need a connection: test/integration/access.test.ts.
      assert.fail(kind)
      break
    case 'at':
    case 'invalid':
      commands.invalid(buffer, start, end)
      break
  }
}

/** One connection, from its first byte to its last. */
function talk(server: MemoryServer, step: Step, sizes: readonly number[]): Buffer {
  const framer = new LineFramer(LINE_BYTES_MAX)
  for (const chunk of chop(bytesOf(step), sizes)) {
    framer.push(chunk)
    while (framer.next() === 'line') answer(server, framer, true)
  }
  if (framer.finish()) answer(server, framer, false)
  return server.output.take()
}

for (const sizes of [[1_000_000], [1], [3, 50, 7]]) {
  test(`every vector holds in memory, in pieces of ${sizes.join(', ')} bytes`, async (t) => {
    const herd = new MemoryHerd(UCLA, UCLA_LINKS)
    herd.upAll()
    for (const vector of loadVectors()) {
      await t.test(vector.name, () => {
        let clock = USUAL_CLOCK
        for (const step of vector.steps) {
          clock = step.clock ?? clock
          const server = herd.named(step.to)
          Object.assign(server.now, toNanotime(naiveTime(clock) ?? 0n))
          assert.equal(checkReply(step.expect, talk(server, step, sizes), true), null, step.send)
          herd.settle()
        }
      })
    }
  })
}

test('vectors have names of their own, say why, and send bytes', () => {
  const vectors = loadVectors()
  assert.ok(vectors.length > 30)
  assert.equal(new Set(vectors.map((vector) => vector.name)).size, vectors.length)
  for (const { name, why, steps } of vectors) {
    assert.ok(why.length > 10 && steps.length > 0, name)
    const text = JSON.stringify(steps.map(({ send, expect }) => [send, expect]))
    assert.equal(Buffer.from(text, 'latin1').toString('latin1'), text, name)
    for (const step of steps) assert.ok(UCLA.includes(step.to), name)
  }
})

test('a reply that differs is told', () => {
  const at = { server: 'Alford', client: 'kiwi', position: '+1+1', time: '1', skew: '+0.500000000' }
  const line = (skew: string): Buffer => Buffer.from(`AT Alford ${skew} kiwi +1+1 1\n`)
  assert.equal(checkReply([{ at }], line('+0.500000000'), true), null)
  assert.equal(checkReply([{ at }], line('-7.500000000'), false), null)
  const wrong: [Parameters<typeof checkReply>[0], string | Buffer][] = [
    [[{ at }], line('-7.500000000')],
    [[{ at }], line('0.500000000')],
    [[{ at }], line('+0.5')],
    [[{ at: { ...at, client: 'emu' } }], line('+0.500000000')],
    [[{ at: { ...at, server: 'Ball' } }], line('+0.500000000')],
    [[{ at }], 'AT Alford +0.500000000 kiwi +1+1 1'],
    [[{ at }], 'AT Alford +0.500000000  kiwi +1+1 1\n'],
    [[{ at }], `${line('+0.500000000').toString()}\n`],
    [['? x\n'], '? y\n'],
    [['? x\n'], ''],
    [[], '\n'],
    [[{ places: { itemsMax: 0 } }], `${findPlaces(1)}\n\n`],
    [[{ places: { itemsMax: 5 } }], `${findPlaces(1)}\n`],
    [[{ places: { itemsMax: 5 } }], `${findPlaces(1)}\n\n\n`],
    [[{ places: { itemsMax: 5 } }], '{"results":[]}\n\n'],
    [[{ places: { itemsMax: 5 } }], '{\n\n"html_attributions":[],"results":[],"status":"OK"}\n\n'],
  ]
  for (const [expect, reply] of wrong)
    assert.notEqual(checkReply(expect, Buffer.from(reply), true), null, String(reply))
})
