import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type LiveSink, LiveStream } from './live-stream.ts'

interface Asked {
  readonly headers: Record<string, string>
  readonly send: (text: string) => void
  readonly end: () => void
}

/** A server whose streams are in a test's hand. */
class HeldServer {
  #waiting: ((asked: Asked) => void)[] = []
  #asked: Asked[] = []

  open = (_path: string, headers: Record<string, string>): Promise<Response> => {
    const encoder = new TextEncoder()
    const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>()
    const writer = writable.getWriter()
    const asked: Asked = {
      headers,
      send: (text) => void writer.write(encoder.encode(text)),
      end: () => void writer.close(),
    }
    const waiting = this.#waiting.shift()
    if (waiting === undefined) this.#asked.push(asked)
    else waiting(asked)
    return Promise.resolve(new Response(readable))
  }

  /** The next stream that is asked for. */
  next(): Promise<Asked> {
    const asked = this.#asked.shift()
    return asked === undefined
      ? new Promise((resolve) => this.#waiting.push(resolve))
      : Promise.resolve(asked)
  }
}

test('fixes, a cursor, and the rest from there after the stream has ended', async (t) => {
  const server = new HeldServer()
  const told: string[] = []
  let changed: () => void = () => undefined
  const until = async (what: string): Promise<void> => {
    while (!told.includes(what)) await new Promise<void>((resolve) => (changed = resolve))
  }
  const tell = (what: string): void => {
    told.push(what)
    changed()
  }
  const sink: LiveSink = {
    fix: ({ client }) => tell(`fix ${client}`),
    exit: (client) => tell(`exit ${client}`),
    caughtUp: () => tell('caught up'),
    state: (state) => tell(state),
  }
  const stream = new LiveStream(server, sink)
  t.after(() => stream.stop())
  const running = stream.run()
  const first = await server.next()
  assert.equal(first.headers['last-event-id'], undefined)
  first.send('event: fix\ndata: {"client":"kiwi"}\n\nid: Alford~aa~1\n\n')
  await until('caught up')
  first.end()
  const second = await server.next()
  assert.equal(second.headers['last-event-id'], 'Alford~aa~1')
  // A character in two pieces.
  second.send('event: exit\ndata: {"client":"ki')
  second.send('wi"}\n\n')
  await until('exit kiwi')
  assert.deepEqual(told, ['live', 'fix kiwi', 'caught up', 'lost', 'live', 'exit kiwi'])
  stream.stop()
  second.end()
  await running
})
