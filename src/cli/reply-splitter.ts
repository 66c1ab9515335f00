/** Cuts what a server sends into replies, by the commands that asked for them. Pure. */

/** What answers a command: one line, an AT line with places, or AT lines; the last two end in an empty line. */
export type ReplyKind = 'line' | 'places' | 'nearby'

/** One whole reply. */
export interface Reply {
  readonly kind: ReplyKind
  /** As it came, with its line ends. */
  readonly bytes: Buffer
  /** False when it begins with `?`. */
  readonly ok: boolean
}

const LF = 0x0a
const QUESTION_MARK = 0x3f
const HEAD_BYTES = 9 // the longest command that has more than a line for an answer, and what ends it
const REPLY_BYTES_MAX = 256 * 1024 * 1024

/** Returns what a command line will be answered with. */
export function replyKindOf(line: string): ReplyKind {
  const [word] = line.trimStart().split(/\s/, 1)
  if (word === 'WHATSAT') return 'places'
  return word === 'WHOSAT' ? 'nearby' : 'line'
}

/** Finds the commands in a stream of input, wherever it was chopped, and keeps only how each begins. */
export class CommandSpotter {
  #head = ''
  #open = false

  /** Whether the last line has not ended yet. */
  get open(): boolean {
    return this.#open
  }

  /** Returns the kind of reply that each line that `chunk` completes will have. */
  push(chunk: Buffer): ReplyKind[] {
    const kinds: ReplyKind[] = []
    let start = 0
    for (let end = chunk.indexOf(LF); end !== -1; end = chunk.indexOf(LF, start)) {
      this.#keep(chunk.subarray(start, end))
      kinds.push(replyKindOf(this.#head))
      this.#head = ''
      this.#open = false
      start = end + 1
    }
    if (start < chunk.length) this.#keep(chunk.subarray(start))
    return kinds
  }

  #keep(part: Buffer): void {
    this.#open = true
    if (this.#head.length >= HEAD_BYTES) return
    this.#head = `${this.#head}${part.toString('latin1')}`.trimStart().slice(0, HEAD_BYTES)
  }
}

/** Cuts a byte stream into the replies that are expected, in their order. */
export class ReplySplitter {
  #expected: ReplyKind[] = []
  #rest: Buffer = Buffer.alloc(0)

  /** How many replies have not come yet. */
  get waiting(): number {
    return this.#expected.length
  }

  /** Adds replies that will come after those that are expected already. */
  expect(kinds: readonly ReplyKind[]): void {
    this.#expected.push(...kinds)
  }

  /** Returns the replies that `chunk` completes. What nobody asked for is taken line by line. */
  push(chunk: Buffer): Reply[] {
    this.#rest = Buffer.concat([this.#rest, chunk])
    if (this.#rest.length > REPLY_BYTES_MAX)
      throw new RangeError(`a reply is longer than ${REPLY_BYTES_MAX} bytes`)
    const replies: Reply[] = []
    for (;;) {
      const kind = this.#expected[0] ?? 'line'
      const end = replyEnd(this.#rest, kind)
      if (end === 0) return replies
      const bytes = this.#rest.subarray(0, end)
      replies.push({ kind, bytes, ok: bytes[0] !== QUESTION_MARK })
      this.#rest = this.#rest.subarray(end)
      this.#expected.shift()
    }
  }
}

// Where the first reply in `bytes` ends, or 0 while it hasn't.
function replyEnd(bytes: Buffer, kind: ReplyKind): number {
  if (kind === 'line' || bytes[0] === QUESTION_MARK) return bytes.indexOf(LF) + 1
  if (bytes[0] === LF) return 1
  const empty = bytes.indexOf('\n\n')
  return empty === -1 ? 0 : empty + 2
}
