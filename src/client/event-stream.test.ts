import assert from 'node:assert/strict'
import { test } from 'node:test'
import { eventOf, fixOf } from '../../test/support/herd-stand-in.ts'
import { fc, runs } from '../../test/support/properties.ts'
import { Nonsense } from './answers.ts'
import { eventParser, readEvents } from './event-stream.ts'

interface Told {
  readonly type: 'fix' | 'exit' | 'cursor'
  readonly what: string
}

function sinkOf(told: Told[]): Parameters<typeof eventParser>[0] {
  return {
    fix: ({ client }) => told.push({ type: 'fix', what: client }),
    exit: ({ client }) => told.push({ type: 'exit', what: client }),
    cursor: (what) => told.push({ type: 'cursor', what }),
  }
}

const id = fc.string({ unit: fc.constantFrom('a', 'Z', '~', 'é', '日', '🦆', '%', ',', ':'), minLength: 1 })
const block = fc.oneof(
  id.map((what) => ({ text: eventOf('fix', fixOf(what)), told: { type: 'fix' as const, what } })),
  id.map((what) => ({ text: eventOf('exit', fixOf(what)), told: { type: 'exit' as const, what } })),
  fc.stringMatching(/^[A-Z][a-z]{1,5}~[0-9a-f]{8}~[1-9]$/).map((what) => ({
    text: `id: ${what}\n\n`,
    told: { type: 'cursor' as const, what },
  })),
  fc.constantFrom(':\n\n', 'retry: 1000\n\n', ': a comment\n\n', 'event: news\ndata: {}\n\n').map((text) => ({
    text,
    told: null,
  })),
)

test('events come out whole and in order, wherever a stream is cut, in the middle of a character too', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(block),
      fc.array(fc.nat(2000)),
      fc.constantFrom('\n', '\r\n', '\r'),
      async (blocks, cuts, lineEnd) => {
        const text = blocks.map((one) => one.text).join('')
        const bytes = Buffer.from(text.replaceAll('\n', lineEnd))
        const places = [
          0,
          ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b),
          bytes.length,
        ]
        const pieces = places.slice(1).map((end, index) => bytes.subarray(places[index], end))
        const told: Told[] = []
        const response = new Response(ReadableStream.from(pieces), {
          headers: { 'content-type': 'text/event-stream' },
        })
        const sink = { ...sinkOf(told), ready: () => Promise.resolve() }
        await readEvents(response, sink, 1000, { after: () => () => {} }, () => {})
        const wanted = blocks.flatMap((one) => (one.told === null ? [] : [one.told]))
        assert.deepEqual(told, wanted)
      },
    ),
    runs(200),
  )
})

test('any bytes at all are taken or are nonsense; nothing else is thrown', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom('data:', 'event: fix\n', 'id:', '\n', ':'),
  )
  fc.assert(
    fc.property(fc.array(text), (pieces) => {
      const parse = eventParser(sinkOf([]))
      try {
        for (const piece of pieces) parse(piece)
      } catch (error) {
        assert.ok(error instanceof Nonsense, String(error))
      }
    }),
    runs(100),
  )
})

test('an event without end is refused before it fills the memory', () => {
  const parse = eventParser(sinkOf([]))
  assert.throws(
    () => {
      for (let n = 0; n < 200; n++) parse(`data: ${'x'.repeat(10_000)}`)
    },
    (error) => error instanceof Nonsense,
  )
})

test('an event of ours that holds no fix is nonsense', () => {
  for (const data of ['{}', 'null', '[]', 'no JSON', JSON.stringify({ ...fixOf('a'), lat: 'north' })]) {
    assert.throws(() => eventParser(sinkOf([]))(`event: fix\ndata: ${data}\n\n`), Nonsense, data)
  }
})
