import type { Counters } from '../../counters.ts'
import type { CommandParser } from '../../protocol/index.ts'
import type { Grant } from '../access/grant.ts'
import { CallRefused } from '../calls/call-refused.ts'
import { atLineOf } from '../calls/client-fix.ts'
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
const AT_LINE: FixFormat = { encode: (fix) => Buffer.from(`${atLineOf(fix)}\n`) }
/** WATCH of all. */
const ALL = '*'

/**
 * What one connection watches: `WATCH` adds to it, `UNWATCH` ends it all. AT lines go out between replies, never within one; a client
 * that doesn't keep up gets the newest of each.
 */
export class LineWatches {
  readonly #context: LineWatchContext
  readonly #replies: ReplyWriter
  readonly #watches = new Set<Watching>()

  constructor(context: LineWatchContext, replies: ReplyWriter) {
    this.#context = context
    this.#replies = replies
  }

  /** Whether anything is watched. */
  get isOn(): boolean {
    return this.#watches.size > 0
  }

  /**
   * `WATCH`: begins to watch a client, or all, there or anywhere. First comes what is known.
   *
   * @param client an ID, or `*`. @param isNear whether only around the position that the parser has read.
   * @throws {CallRefused} when more is watched than may be.
   */
  watch(client: string, isNear: boolean, grant: Grant): void {
    const { parser, hub, counters, limits } = this.#context
    if (this.#watches.size >= limits.watchesPerConnectionMax) {
      counters.watchersRefused++
      const most = `${limits.watchesPerConnectionMax} WATCHes on this connection already`
      throw new CallRefused('too-many', `${most} (limits.watchesPerConnectionMax); UNWATCH ends them`)
    }
    if (client !== ALL && !grant.mayRead(client)) {
      throw new CallRefused('not-allowed', `${grant.name} may not read that client`)
    }
    const area = isNear
      ? ({ kind: 'circle', center: { ...parser.position }, radiusMetres: parser.radiusMetres } as const)
      : null
    const clients = client === ALL ? null : new Set([client])
    this.#watches.add(hub.watch({ clients, area, grant }, 'all', this.#sink()))
  }

  /** Does what the WATCH at hand asks for. @returns the line that answers it; `null`: the client was told already. */
  answer(access: LineAccess, buffer: Buffer, isNear: boolean): string | null {
    const { grant } = access
    if (grant === null) return null
    const client = access.operand(buffer)
    try {
      this.watch(client, isNear, grant)
      return `WATCH ${client}`
    } catch (error) {
      if (error instanceof CallRefused) return `? ${error.message}`
      throw error
    }
  }

  /** `UNWATCH`, or the connection's end. */
  end(): void {
    for (const watching of this.#watches) watching.close()
    this.#watches.clear()
  }

  /** The socket has drained. */
  drained(): void {
    for (const watching of this.#watches) watching.resume()
  }

  #sink(): WatchSink {
    let lines: Buffer[] = []
    const add = (watched: WatchedFix): void => {
      lines.push(watched.as(AT_LINE))
    }
    return {
      fix: add,
      // Its last line shows that it has left.
      exit: add,
      cursor: () => {},
      flush: () => {
        const told = lines
        lines = []
        return told.length === 0 || this.#replies.push(Buffer.concat(told))
      },
    }
  }
}
