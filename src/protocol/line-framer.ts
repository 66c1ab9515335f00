import { LF } from './byte-classes.ts'

const NOTHING = Buffer.alloc(0)
/** A kept part of a line starts with this much room and doubles. */
const KEPT_BYTES_MIN = 256

/** What `LineFramer.next` found. */
export type Framed = 'line' | 'need-more' | 'too-long'

/**
 * Cuts a byte stream into lines, wherever the network chopped it. No socket, no clock.
 *
 * The consumer pulls: after `push(chunk)` it calls `next()` until that says `need-more`, and may stop in
 * between for as long as it likes (that is how back-pressure reaches the middle of a chunk). A line is the
 * bytes `buffer[start, end)`, without its LF, valid until the next call. Lines that lie whole in a chunk are
 * never copied; only a line that spans chunks is, into a buffer that is given back after it.
 */
export class LineFramer {
  /** The bytes that hold the current line. */
  buffer: Buffer = NOTHING
  /** First byte of the current line in `buffer`. */
  start = 0
  /** One past the last byte of the current line in `buffer`; its LF isn't part of it. */
  end = 0

  readonly #lineBytesMax: number
  #chunk: Buffer = NOTHING
  #at = 0
  #kept: Buffer = NOTHING
  #keptBytes = 0

  /** @param lineBytesMax the longest line in bytes, without its LF. */
  constructor(lineBytesMax: number) {
    this.#lineBytesMax = lineBytesMax
  }

  /** Hands over the next bytes of the stream. The framer must have said `need-more` (or be new). */
  push(chunk: Buffer): void {
    if (this.#at < this.#chunk.length) throw new Error('LineFramer.push before the last chunk was used up')
    this.#chunk = chunk
    this.#at = 0
  }

  /** Moves on to the next whole line, if there is one. After `too-long` the stream can't be read on. */
  next(): Framed {
    if (this.#at === this.#chunk.length) return this.#keepRest()
    const lineEnd = this.#chunk.indexOf(LF, this.#at)
    if (lineEnd === -1) return this.#keepRest()
    if (this.#keptBytes + (lineEnd - this.#at) > this.#lineBytesMax) return 'too-long'
    if (this.#keptBytes === 0) {
      this.buffer = this.#chunk
      this.start = this.#at
      this.end = lineEnd
    } else {
      this.#keep(lineEnd)
      this.#handOverKept()
    }
    this.#at = lineEnd + 1
    return 'line'
  }

  /**
   * Ends the stream. What came after the last LF is no line, since nobody can tell whether it was cut short;
   * it is handed over as the current line so that it can be answered as what it is.
   *
   * @returns whether there was such a rest.
   */
  finish(): boolean {
    if (this.#keptBytes === 0) return false
    this.#handOverKept()
    return true
  }

  /** Bytes of the line that has begun but not yet ended. */
  get pendingBytes(): number {
    return this.#keptBytes + this.#chunk.length - this.#at
  }

  /** Takes out what was pushed and not yet cut, for a reader of another kind that goes on from here. */
  takeRest(): Buffer {
    const rest = Buffer.concat([this.#kept.subarray(0, this.#keptBytes), this.#chunk.subarray(this.#at)])
    this.#keptBytes = 0
    this.#kept = NOTHING
    this.#chunk = NOTHING
    this.#at = 0
    return rest
  }

  #keepRest(): Framed {
    if (this.#keptBytes + (this.#chunk.length - this.#at) > this.#lineBytesMax) return 'too-long'
    this.#keep(this.#chunk.length)
    this.#chunk = NOTHING
    this.#at = 0
    // The last line is used up: an idle connection must not hold the chunk that it lay in.
    this.buffer = NOTHING
    this.start = 0
    this.end = 0
    return 'need-more'
  }

  /** Copies `chunk[at, end)` behind what is kept; the caller has checked the bound. */
  #keep(end: number): void {
    const bytes = end - this.#at
    if (bytes === 0) return
    if (this.#keptBytes + bytes > this.#kept.length) {
      const room = Math.max(KEPT_BYTES_MIN, 2 * this.#kept.length, this.#keptBytes + bytes)
      const grown = Buffer.allocUnsafeSlow(room)
      this.#kept.copy(grown, 0, 0, this.#keptBytes)
      this.#kept = grown
    }
    this.#chunk.copy(this.#kept, this.#keptBytes, this.#at, end)
    this.#keptBytes += bytes
    this.#at = end
  }

  /** Makes the kept bytes the current line and lets go of their buffer: idle connections hold none. */
  #handOverKept(): void {
    this.buffer = this.#kept
    this.start = 0
    this.end = this.#keptBytes
    this.#kept = NOTHING
    this.#keptBytes = 0
  }
}
