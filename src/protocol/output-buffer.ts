/** Below what malloc maps anew for each piece, and enough for a turn's replies. */
const SLAB_BYTES = 65_536
/** What is shorter is copied: it would keep a whole slab for a few bytes. */
const SHARED_BYTES_MIN = 2048

const NOT_SHARED = -1

/** From here on a call into native code is faster than a loop (measured: 43 ns for up to 90 bytes, 1.1 ns a byte). */
const NATIVE_COPY_BYTES_MIN = 40

/** Copies `source[start, end)` to `target` from `at` on; there must be room. */
export function copyBytes(source: Buffer, start: number, end: number, target: Buffer, at: number): void {
  if (end - start >= NATIVE_COPY_BYTES_MIN) source.copy(target, at, start, end)
  else for (let from = start; from < end; from++) target[at++] = source[from] as number
}

/**
 * Bytes on their way out, appended one reply after another and taken in one piece. One of these serves all
 * connections in turn. Long pieces can be shared rather than copied: they keep the memory that they were written to,
 * and the next ones are written behind them or to a new slab.
 */
export class OutputBuffer {
  /** The memory; what was appended lies in `[start, length)`. Changes when it grows: `ensure` first, then use it. */
  bytes: Buffer = Buffer.allocUnsafeSlow(SLAB_BYTES)
  /** One past the last byte appended. */
  length = 0
  #start = 0
  /** Where the piece that was shared last begins in the memory at hand. */
  #sharedFrom = NOT_SHARED

  /** How many bytes were appended and not yet taken: a mark to cut back to, or to take from. */
  get waiting(): number {
    return this.length - this.#start
  }

  /** Forgets what was appended after the mark. */
  cutBack(mark: number): void {
    this.length = this.#start + mark
  }

  /** Makes room for `more` further bytes. */
  ensure(more: number): void {
    if (this.length + more <= this.bytes.length) return
    const waiting = this.length - this.#start
    const room = waiting + more <= SLAB_BYTES / 2 ? SLAB_BYTES : 2 * (waiting + more)
    const slab = Buffer.allocUnsafeSlow(room)
    this.bytes.copy(slab, 0, this.#start, this.length)
    this.bytes = slab
    this.#start = 0
    this.length = waiting
    this.#sharedFrom = NOT_SHARED
  }

  /** Appends `source[start, end)`. */
  append(source: Buffer, start: number, end: number): void {
    this.ensure(end - start)
    copyBytes(source, start, end, this.bytes, this.length)
    this.length += end - start
  }

  /** Appends one byte. */
  appendByte(byte: number): void {
    this.ensure(1)
    this.bytes[this.length++] = byte
  }

  /** Takes a copy of what was appended after the mark (all of it by default), for whoever keeps it for long. */
  take(mark: number = 0): Buffer {
    const from = this.#start + mark
    const copy = Buffer.allocUnsafe(this.length - from)
    this.bytes.copy(copy, 0, from, this.length)
    this.length = from
    if (this.waiting === 0 && this.bytes.length > SLAB_BYTES) this.#renew()
    return copy
  }

  /** Takes all, in the memory that it was written to, for whoever is done with it soon: it keeps the whole slab. */
  share(): Buffer {
    this.#sharedFrom = NOT_SHARED
    if (this.waiting < SHARED_BYTES_MIN) return this.take()
    const piece = this.bytes.subarray(this.#start, this.length)
    this.#sharedFrom = this.#start
    this.#start = this.length
    if (this.bytes.length > SLAB_BYTES) this.#renew()
    return piece
  }

  /**
   * Says that the piece taken last by `share` was given away at once: its memory is used again, and so the next
   * replies are written where those before lay, which are still in the processor's cache.
   */
  takeBack(): void {
    if (this.waiting > 0 || this.#sharedFrom === NOT_SHARED) return
    this.#start = this.#sharedFrom
    this.length = this.#sharedFrom
  }

  /** A turn with huge replies must not leave its room behind for ever. */
  #renew(): void {
    this.bytes = Buffer.allocUnsafeSlow(SLAB_BYTES)
    this.#start = 0
    this.length = 0
    this.#sharedFrom = NOT_SHARED
  }
}
