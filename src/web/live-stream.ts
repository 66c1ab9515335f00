/** The live fixes of the herd, over one request that is made again whenever it ends, from where it ended. */
import type { FixJson } from '../gateways/http/shapes.ts'
import type { Api } from './api.ts'
import { EventStreamReader, type ServerEvent } from './event-stream.ts'

/** The server says something at least each 15 s; after this long without a word it is taken for gone. */
const SILENCE_MS_MAX = 40_000
const RETRY_MS_MIN = 400
const RETRY_MS_MAX = 5000

/** Who is told. */
export interface LiveSink {
  /** A client is somewhere. */
  fix(fix: FixJson): void
  /** A client is no longer among those that are watched. */
  exit(client: string): void
  /** All that was known has been told. */
  caughtUp(): void
  /** `live`: the stream is open. `lost`: it is not, and why; it will be tried again. */
  state(state: 'live' | 'lost', why: string): void
}

/** One page has one. */
export class LiveStream {
  readonly #api: Pick<Api, 'open'>
  readonly #sink: LiveSink
  readonly #stopped = new AbortController()
  #cursor = ''

  constructor(api: Pick<Api, 'open'>, sink: LiveSink) {
    this.#api = api
    this.#sink = sink
  }

  /** Streams until it is stopped. */
  async run(): Promise<void> {
    let waitMs = RETRY_MS_MIN
    while (!this.#stopped.signal.aborted) {
      const cursor = this.#cursor
      let why = 'the server ended the stream'
      try {
        await this.#once()
      } catch (error) {
        why = error instanceof Error ? error.message : String(error)
      }
      if (this.#stopped.signal.aborted) return
      this.#sink.state('lost', why)
      // Whoever brought something is worth a quick try.
      waitMs = this.#cursor === cursor ? Math.min(RETRY_MS_MAX, waitMs * 2) : RETRY_MS_MIN
      await this.#wait(waitMs * (0.75 + Math.random() / 2))
    }
  }

  /** Ends it. */
  stop(): void {
    this.#stopped.abort()
  }

  async #once(): Promise<void> {
    const silence = new AbortController()
    const signal = AbortSignal.any([this.#stopped.signal, silence.signal])
    const hear = (timer?: ReturnType<typeof setTimeout>): ReturnType<typeof setTimeout> => {
      clearTimeout(timer)
      return setTimeout(() => silence.abort(new Error('the server has gone silent')), SILENCE_MS_MAX)
    }
    let timer: ReturnType<typeof setTimeout> | undefined
    const headers = { accept: 'text/event-stream' }
    const resumed = this.#cursor === '' ? headers : { ...headers, 'last-event-id': this.#cursor }
    try {
      const response = await this.#api.open('v1/stream?from=all', resumed, signal)
      if (response.body === null) return
      this.#sink.state('live', '')
      timer = hear()
      const reader = new EventStreamReader()
      const decoder = new TextDecoder()
      const body = response.body.getReader()
      for (let chunk = await body.read(); !chunk.done; chunk = await body.read()) {
        timer = hear(timer)
        for (const event of reader.push(decoder.decode(chunk.value, { stream: true }))) this.#take(event)
      }
    } finally {
      clearTimeout(timer)
    }
  }

  #take({ type, data, id }: ServerEvent): void {
    if (id !== '' && id !== this.#cursor) {
      this.#cursor = id
      this.#sink.caughtUp()
    }
    if (data === '') return
    if (type === 'fix') {
      const fix: FixJson = JSON.parse(data)
      this.#sink.fix(fix)
    } else if (type === 'exit') {
      const { client }: FixJson = JSON.parse(data)
      this.#sink.exit(client)
    }
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, ms)
      this.#stopped.signal.addEventListener('abort', () => {
        clearTimeout(timer)
        resolve()
      })
    })
  }
}
