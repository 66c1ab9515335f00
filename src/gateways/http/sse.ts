/** Server-sent events, and what a stream of any kind does with a reader that is slow. */
import type { Nanotime } from '../../protocol/index.ts'
import type { ClientFix } from '../calls/client-fix.ts'
import type { FixFormat, WatchedFix } from '../watch/watched-fix.ts'
import type { WatchSink } from '../watch/watcher.ts'
import { fixJson } from './fix-json.ts'

/** Tells a browser how long to wait before it comes back. */
const RETRY_MS = 1000

/** What every stream begins with. */
export const SSE_HEAD: Buffer = Buffer.from(`retry: ${RETRY_MS}\n\n`)
/** A comment: shows that the stream lives. */
export const SSE_HEARTBEAT: Buffer = Buffer.from(':\n\n')

/** A fix as an event of a stream; JSON has no line end in it. */
function eventFormat(name: 'fix' | 'exit'): FixFormat {
  return {
    encode: (fix: ClientFix, now: Readonly<Nanotime>) =>
      Buffer.from(`event: ${name}\ndata: ${JSON.stringify(fixJson(fix, now))}\n\n`),
  }
}

/** A client is here now. */
export const SSE_FIX: FixFormat = eventFormat('fix')
/** A client has left the area. */
export const SSE_EXIT: FixFormat = eventFormat('exit')

/** A block without data: it is no event, and sets what `Last-Event-ID` will be. */
export function sseCursor(cursor: string): Buffer {
  return Buffer.from(`id: ${cursor}\n\n`)
}

/** Gathers what is told in a turn, and lets it out in one write. */
export class SseSink implements WatchSink {
  readonly #write: (bytes: Buffer) => boolean
  #waiting: Buffer[] = []

  /** @param write gives bytes to the socket; `false`: it is to be waited for. */
  constructor(write: (bytes: Buffer) => boolean) {
    this.#write = write
  }

  fix(fix: WatchedFix): void {
    this.#waiting.push(fix.as(SSE_FIX))
  }

  exit(fix: WatchedFix): void {
    this.#waiting.push(fix.as(SSE_EXIT))
  }

  cursor(text: string): void {
    this.#waiting.push(sseCursor(text))
  }

  flush(): boolean {
    const waiting = this.#waiting
    if (waiting.length === 0) return true
    this.#waiting = []
    const [only] = waiting
    return this.#write(waiting.length === 1 && only !== undefined ? only : Buffer.concat(waiting))
  }
}
