import { isUtf8 } from 'node:buffer'
import type { Counters } from '../../counters.ts'
import { type CommandParser, fieldEnd, fieldStart } from '../../protocol/index.ts'
import type { Grant } from '../access/grant.ts'
import { CallRefused } from '../calls/call-refused.ts'
import { atBytesOf } from '../calls/client-fix.ts'
import type { WatchHub, Watching } from '../watch/watch-hub.ts'
import type { FixFormat, WatchedFix } from '../watch/watched-fix.ts'
import type { WatchSink } from '../watch/watcher.ts'
import type { LineAccess } from './line-access.ts'
import type { ReplyWriter } from './reply-writer.ts'

/** What watching by lines needs. */
export interface LineWatchContext {
  readonly parser: CommandParser
  readonly hub: Pick<WatchHub, 'watch'>
  readonly counters: Counters
  readonly limits: {
    /** WATCHes of one connection. */
    readonly watchesPerConnectionMax: number
  }
}

/** The AT line of a fix. */
const AT_LINE: FixFormat = { encode: (fix) => Buffer.concat([atBytesOf(fix), LINE_END]) }
const LINE_END = Buffer.from('\n')
/** WATCH of all. */
const ALL = '*'
/** Indexes of the fields. */
const CLIENT = 1
const POSITION = 3

/**
 * What one connection watches: `WATCH` adds to it, `UNWATCH` ends it all. AT lines go out between replies, never within one, and not before
 * the reply to their WATCH; a client that doesn't keep up gets the newest of each.
 */
export class LineWatches {
  readonly #context: LineWatchContext
  readonly #replies: ReplyWriter
  readonly #onRevoked: () => void
  /** By the operands of their WATCH: the same again takes the place of the one before. */
  readonly #watches = new Map<string, Watching>()

  /** @param onRevoked told, outside of any command, when a watch has ended because it is allowed no more. */
  constructor(context: LineWatchContext, replies: ReplyWriter, onRevoked: () => void) {
    this.#context = context
    this.#replies = replies
    this.#onRevoked = onRevoked
  }

  /** Whether anything is watched. */
  get isOn(): boolean {
    return this.#watches.size > 0
  }

  /**
   * `WATCH`: begins to watch a client, or all, there or anywhere. First comes what is known.
   *
   * @param isNear whether only around the position that the parser has read. @param say appends a line to the replies.
   */
  watch(access: LineAccess, buffer: Buffer, isNear: boolean, say: (line: string) => void): void {
    const { grant } = access
    if (grant === null) return
    const client = access.operand(buffer)
    try {
      const open = this.#begin(client, buffer, isNear, grant)
      say(`WATCH ${client}`)
      this.#replies.whenSent(open)
    } catch (error) {
      if (!(error instanceof CallRefused)) throw error
      say(`? ${error.message}`)
    }
  }

  /** `UNWATCH`, or the connection's end. */
  end(): void {
    for (const watching of this.#watches.values()) watching.close()
    this.#watches.clear()
  }

  /** The socket has drained. */
  drained(): void {
    for (const watching of this.#watches.values()) watching.resume()
  }

  /** @returns lets out what is told, from then on. @throws {CallRefused} when it is not allowed, or more is watched than may be. */
  #begin(client: string, buffer: Buffer, isNear: boolean, grant: Grant): () => void {
    const { parser, hub, counters, limits } = this.#context
    const { fields } = parser
    if (!isUtf8(buffer.subarray(fieldStart(fields, CLIENT), fieldEnd(fields, CLIENT)))) {
      throw new CallRefused('invalid', 'WATCH takes IDs that are UTF-8, or * for all')
    }
    if (client !== ALL && !grant.mayRead(client)) {
      counters.notAllowed++
      throw new CallRefused('not-allowed', `${grant.name} may not read that client`)
    }
    const key = buffer.toString(
      'utf8',
      fieldStart(fields, CLIENT),
      fieldEnd(fields, isNear ? POSITION : CLIENT),
    )
    const before = this.#watches.get(key)
    if (before === undefined && this.#watches.size >= limits.watchesPerConnectionMax) {
      counters.watchersRefused++
      const most = `${limits.watchesPerConnectionMax} WATCHes on this connection already`
      throw new CallRefused('too-many', `${most} (limits.watchesPerConnectionMax); UNWATCH ends them`)
    }
    before?.close()
    this.#watches.delete(key)
    const area = isNear
      ? ({ kind: 'circle', center: { ...parser.position }, radiusMetres: parser.radiusMetres } as const)
      : null
    const clients = client === ALL ? null : new Set([client])
    const sink = new LineSink(this.#replies, () => this.#revoked(key))
    const watching = hub.watch({ clients, area, grant }, 'all', sink)
    this.#watches.set(key, watching)
    return () => sink.open(watching)
  }

  #revoked(key: string): void {
    this.#watches.delete(key)
    this.#replies.push(Buffer.from(`? WATCH ${key} has ended: it is allowed no more\n`))
    this.#onRevoked()
  }
}

/** Where the fixes of one WATCH go: shut until it was answered. */
class LineSink implements WatchSink {
  readonly #replies: ReplyWriter
  readonly #onRevoked: () => void
  #lines: Buffer[] = []
  #isOpen = false

  constructor(replies: ReplyWriter, onRevoked: () => void) {
    this.#replies = replies
    this.#onRevoked = onRevoked
  }

  fix(watched: WatchedFix): void {
    this.#lines.push(watched.as(AT_LINE))
  }

  /** Its last line shows that it has left. */
  exit(watched: WatchedFix): void {
    this.fix(watched)
  }

  cursor(): void {}

  flush(): boolean {
    if (!this.#isOpen) return false
    const lines = this.#lines
    this.#lines = []
    return lines.length === 0 || this.#replies.push(Buffer.concat(lines))
  }

  revoked(): void {
    this.#onRevoked()
  }

  open(watching: Watching): void {
    this.#isOpen = true
    if (this.flush()) watching.resume()
  }
}
