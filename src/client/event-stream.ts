import { createParser } from 'eventsource-parser'
import type { FixJson } from '../gateways/http/shapes.ts'
import { Nonsense, parseJson, readFix } from './answers.ts'
import type { Platform } from './platform.ts'

/** What a stream tells. */
export interface StreamSink {
  readonly fix: (fix: FixJson) => void
  readonly exit: (fix: FixJson) => void
  readonly cursor: (cursor: string) => void
  /** Resolves when more can be taken. */
  readonly ready: () => Promise<void>
}

/** An event may have no more characters. */
const EVENT_CHARACTERS_MAX = 1024 * 1024

/**
 * Reads server-sent events until they end.
 *
 * @param silenceMs after so long without a byte it is over: servers send a comment now and then.
 * @param abort ends the answer. @throws {Nonsense} when it is no such stream, or its events are none of a herd; the connection's error.
 */
export async function readEvents(
  { headers, body }: Response,
  sink: StreamSink,
  silenceMs: number,
  platform: Pick<Platform, 'after'>,
  abort: (reason: Error) => void,
): Promise<void> {
  const type = headers.get('content-type') ?? 'no type'
  if (!type.startsWith('text/event-stream') || body === null)
    throw new Nonsense(`sent ${type}, and no stream`)
  const parser = eventParser(sink)
  const reader = body.getReader()
  const decoder = new TextDecoder()
  for (;;) {
    const silent = new Error(`was silent for ${silenceMs} ms`)
    const cancel = platform.after(silenceMs, () => abort(silent))
    const { done, value } = await reader.read().finally(cancel)
    if (done) return
    parser(decoder.decode(value, { stream: true }))
    await sink.ready()
  }
}

/** @returns takes the text of a stream, in any pieces. It throws {Nonsense}. */
export function eventParser(sink: Omit<StreamSink, 'ready'>): (text: string) => void {
  const parser = createParser({
    maxBufferSize: EVENT_CHARACTERS_MAX,
    onEvent: ({ event, data }) => {
      // What later versions tell besides is not for us.
      if (event === 'fix') sink.fix(readFix(parseJson(data)))
      else if (event === 'exit') sink.exit(readFix(parseJson(data)))
    },
    onId: (id) => {
      if (id !== '') sink.cursor(id)
    },
    onError: (error) => {
      if (error.type === 'max-buffer-size-exceeded') throw new Nonsense('sent an event without end')
    },
  })
  return (text) => parser.feed(text)
}
