const LF = 0x0a

/** A reply began with another byte than it must: the server refuses what it is sent. */
export class UnexpectedReply extends Error {
  override readonly name = 'UnexpectedReply'
}

/**
 * Counts the lines of one connection's replies, wherever the network chopped them. Replies are nearly all
 * of one length, so it looks for the line end where the line before had it, and searches only where it is
 * not: a few nanoseconds a line, so that the load stays cheaper than any server. (A guess can be wrong only
 * if a reply is less than half as long as the one before; the first byte of every line is checked, so such
 * a reply would not pass anyway.)
 */
export class ReplyCounter {
  readonly #firstByte: number
  /** Bytes of the last whole line, without its end. */
  #lineBytes = 0
  /** Bytes of a line that has begun and not ended. */
  #partialBytes = 0

  constructor(firstByte: number) {
    this.#firstByte = firstByte
  }

  /** How many lines the first `length` bytes of `chunk` complete. */
  push(chunk: Uint8Array, length: number): number {
    let lines = 0
    let at = 0
    while (at < length) {
      if (this.#partialBytes === 0 && chunk[at] !== this.#firstByte) throw unexpected(chunk, at, length)
      const end = this.#findEnd(chunk, at, length)
      if (end === -1) {
        this.#partialBytes += length - at
        return lines
      }
      this.#partialBytes = 0
      lines += 1
      at = end + 1
    }
    return lines
  }

  #findEnd(chunk: Uint8Array, at: number, length: number): number {
    const guess = at + this.#lineBytes - this.#partialBytes
    if (guess >= at && guess < length && chunk[guess] === LF) return guess
    const end = chunk.indexOf(LF, at)
    if (end === -1 || end >= length) return -1
    this.#lineBytes = end - at + this.#partialBytes
    return end
  }
}

function unexpected(chunk: Uint8Array, at: number, length: number): UnexpectedReply {
  const text = Buffer.from(chunk.subarray(at, Math.min(length, at + 200))).toString('latin1')
  return new UnexpectedReply(`the server answered ${JSON.stringify(text.split('\n')[0])}`)
}
