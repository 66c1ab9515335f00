import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createParser } from 'eventsource-parser'
import { clientFixes } from '../../../test/support/client-fixes.ts'
import { fc, runs } from '../../../test/support/properties.ts'
import type { ClientFix } from '../calls/client-fix.ts'
import { WatchedFix } from '../watch/watched-fix.ts'
import { fixJson } from './fix-json.ts'
import { SSE_FIX, SSE_HEAD, SSE_HEARTBEAT, SseSink } from './sse.ts'

const NOW = { seconds: 1_479_413_886, nanoseconds: 5 }

/** What a stream tells. */
type Told =
  | { readonly event: 'fix' | 'exit'; readonly fix: ClientFix }
  | { readonly event: 'cursor'; readonly cursor: string }
  | { readonly event: 'flush' }

const told: fc.Arbitrary<Told> = fc.oneof(
  fc.record({ event: fc.constantFrom('fix' as const, 'exit' as const), fix: clientFixes }),
  fc.record({
    event: fc.constant('cursor' as const),
    cursor: fc.constantFrom('0', 'Alford~1f3a9c2e~1', 'Alford~1f3a9c2e.2~1042,B.b-b_~00000000~7'),
  }),
  fc.constant({ event: 'flush' as const }),
)

/** What a reader of streams hears, in order. */
function heard(pieces: readonly Buffer[]): unknown[] {
  const all: unknown[] = []
  const parser = createParser({
    onEvent: ({ event, data }) => all.push([event, JSON.parse(data)]),
    onId: (id) => all.push(['cursor', id]),
    onRetry: (ms) => all.push(['retry', ms]),
    onComment: (comment) => all.push(['comment', comment]),
    onError: (error) => assert.fail(error),
  })
  const decoder = new TextDecoder()
  for (const piece of pieces) parser.feed(decoder.decode(piece, { stream: true }))
  return all
}

/** Cuts bytes into pieces of these lengths, again and again. */
function cut(bytes: Buffer, lengths: readonly number[]): Buffer[] {
  const pieces: Buffer[] = []
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const end = at + (lengths[turn % lengths.length] ?? bytes.length)
    pieces.push(bytes.subarray(at, end))
    at = end
  }
  return pieces
}

test('whatever is told is heard, in its order, however the bytes are cut', () => {
  const lengths = fc.array(fc.integer({ min: 1, max: 200 }), { minLength: 1 })
  fc.assert(
    fc.property(fc.array(told), lengths, (all, lengths) => {
      const bytes: Buffer[] = [SSE_HEAD]
      const sink = new SseSink((written) => bytes.push(written) > 0)
      for (const one of all) {
        if (one.event === 'cursor') sink.cursor(one.cursor)
        else if (one.event === 'flush') {
          sink.flush()
          bytes.push(SSE_HEARTBEAT)
        } else sink[one.event](new WatchedFix(1, one.fix, NOW))
      }
      sink.flush()
      const wanted = all.map((one) => {
        if (one.event === 'cursor') return ['cursor', one.cursor]
        if (one.event === 'flush') return ['comment', '']
        // The JSON is what is told: -0 is 0 there.
        return [one.event, JSON.parse(JSON.stringify(fixJson(one.fix, NOW)))]
      })
      assert.deepEqual(heard(cut(Buffer.concat(bytes), lengths)), [['retry', 1000], ...wanted])
    }),
    runs(300),
  )
})

test('what is told in a turn is one write, nothing is none, and the socket says whether there is room', () => {
  const [fix] = fc.sample(clientFixes, 1)
  assert.ok(fix !== undefined)
  const writes: Buffer[] = []
  let hasRoom = true
  const sink = new SseSink((bytes) => {
    writes.push(bytes)
    return hasRoom
  })
  assert.equal(sink.flush(), true)
  assert.equal(writes.length, 0)
  const watched = new WatchedFix(1, fix, NOW)
  sink.fix(watched)
  assert.equal(sink.flush(), true)
  // The bytes that all watchers share, and no copy of them.
  assert.equal(writes[0], watched.as(SSE_FIX))
  hasRoom = false
  sink.exit(watched)
  sink.cursor('0')
  assert.equal(sink.flush(), false)
  assert.equal(writes.length, 2)
  // What was written once is not written again.
  assert.equal(sink.flush(), true)
  assert.equal(writes.length, 2)
})
