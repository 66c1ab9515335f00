import { LF } from '../protocol/index.ts'
import { ESCAPED_BYTES_MAX, writeEscaped } from './escape.ts'
import { LogFile, type LogLimits } from './log-file.ts'

/** How an event is meant. `error`: somebody should look. */
export type LogLevel = 'info' | 'warning' | 'error'

/** What an event tells besides its name. */
export type LogFields = Readonly<Record<string, string | number | boolean>>

/** Where a server says what happens to it. */
export interface Log {
  /** Whether lines in and out are logged; checked before the work of logging them. */
  readonly traffic: boolean
  /** A line that came in over a connection, without its line end. */
  lineIn(connection: number, buffer: Buffer, start: number, end: number): void
  /** Lines that go out over a connection, each ended by LF. */
  linesOut(connection: number, buffer: Buffer, start: number, end: number): void
  /** Anything else. */
  event(level: LogLevel, event: string, fields?: LogFields): void
}

/** What a server's log needs. */
export interface ServerLogOptions {
  readonly folder: string
  readonly server: string
  readonly traffic: boolean
  readonly limits: LogLimits
  /** The system's clock, in milliseconds since 1970. */
  readonly wallMs: () => number
  /** Counts an event that was lost. */
  readonly dropped: () => void
  /** Told in words when the log can't be written, and when it can again. */
  readonly trouble: (text: string) => void
}

const IN_KEYS = Buffer.from('","event":"in","connection":')
const OUT_KEYS = Buffer.from('","event":"out","connection":')
const LINE_KEY = Buffer.from(',"line":"')
const LINE_END = Buffer.from('"}\n')
/** What an event of traffic has beside its line. */
const FRAME_BYTES_MAX = 128
/** Room for the event that says how many were lost. */
const SAYING_LOST_BYTES_MAX = 256
/** A line longer than this is logged by its beginning. */
const LINE_BYTES_LOGGED_MAX = 4096
const MORE = Buffer.from('\\u2026')

/** The log of a server: JSON, one event a line, see docs/operating.md. */
export class ServerLog implements Log {
  readonly traffic: boolean
  readonly #options: ServerLogOptions
  readonly #file: LogFile
  /** `{"time":"2026-11-20T10:18:00.123Z`, renewed when the millisecond changes. */
  #stamp: Buffer = Buffer.alloc(0)
  #stampMs = -1
  #lost = 0

  constructor(options: ServerLogOptions) {
    this.#options = options
    this.traffic = options.traffic
    this.#file = new LogFile(options.folder, options.server, options.limits, {
      trouble: (error) => this.#tellTrouble(error),
      lost: (events) => this.#noteLost(events),
    })
  }

  lineIn(connection: number, buffer: Buffer, start: number, end: number): void {
    this.#line(IN_KEYS, connection, buffer, start, end)
  }

  linesOut(connection: number, buffer: Buffer, start: number, end: number): void {
    let at = start
    while (at < end) {
      const lineEnd = buffer.indexOf(LF, at)
      const stop = lineEnd === -1 || lineEnd > end ? end : lineEnd
      this.#line(OUT_KEYS, connection, buffer, at, stop)
      at = stop + 1
    }
  }

  event(level: LogLevel, event: string, fields: LogFields = {}): void {
    const text = JSON.stringify({ event, level, ...fields }).slice(1)
    // Control characters are escaped by JSON already; what is left to escape are the C1 controls and the like.
    const ascii = text.replace(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
    if (!this.#has(ascii.length + FRAME_BYTES_MAX)) return
    let at = this.#writeStamp()
    const { buffer } = this.#file
    at += buffer.write('",', at, 'latin1')
    at += buffer.write(ascii, at, 'latin1')
    buffer[at++] = LF
    this.#file.advance(at)
  }

  /** Writes what is left and closes the file. */
  close(): Promise<void> {
    return this.#file.close()
  }

  #line(keys: Buffer, connection: number, source: Buffer, start: number, end: number): void {
    const stop = Math.min(end, start + LINE_BYTES_LOGGED_MAX)
    if (!this.#has((stop - start) * ESCAPED_BYTES_MAX + FRAME_BYTES_MAX)) return
    let at = this.#writeStamp()
    const { buffer } = this.#file
    at = put(buffer, at, keys)
    at += buffer.write(String(connection), at, 'latin1')
    at = put(buffer, at, LINE_KEY)
    at = writeEscaped(buffer, at, source, start, stop)
    if (stop < end) at = put(buffer, at, MORE)
    at = put(buffer, at, LINE_END)
    this.#file.advance(at)
  }

  /** Says whether there is room for an event; counts it as lost otherwise, and says so once there is room again. */
  #has(bytes: number): boolean {
    const saysLost = this.#lost > 0 && !this.#file.isFailing
    if (!this.#file.room(saysLost ? bytes + SAYING_LOST_BYTES_MAX : bytes)) {
      this.#noteLost(1)
      return false
    }
    if (saysLost) {
      const count = this.#lost
      this.#lost = 0
      this.event('warning', 'log events dropped', { count })
    }
    return true
  }

  #noteLost(events: number): void {
    this.#lost += events
    for (let event = 0; event < events; event++) this.#options.dropped()
  }

  #writeStamp(): number {
    const ms = this.#options.wallMs()
    if (ms !== this.#stampMs) {
      this.#stampMs = ms
      this.#stamp = Buffer.from(`{"time":"${new Date(ms).toISOString()}`)
    }
    return put(this.#file.buffer, this.#file.length, this.#stamp)
  }

  #tellTrouble(error: Error | null): void {
    if (error === null) {
      this.#options.trouble('the log is written again')
      return
    }
    this.#options.trouble(`the log can't be written, the server goes on without: ${error.message}`)
  }
}

function put(target: Buffer, at: number, source: Buffer): number {
  for (let from = 0; from < source.length; from++) target[at + from] = source[from] as number
  return at + source.length
}
