/** A reply that isn't there yet: its beginning is, and what follows will be. */
interface Awaited {
  readonly head: Buffer
  /** Bytes that are kept for it elsewhere until it is there. */
  kept: number
  tail: Buffer | null
}

/**
 * The replies of one connection that must wait their turn behind one that isn't there yet. Empty most of the time:
 * then replies go straight to the socket.
 */
export class ReplyQueue {
  readonly #waiting: (Buffer | Awaited | (() => void))[] = []
  #bytes = 0
  #awaited = 0

  get isEmpty(): boolean {
    return this.#waiting.length === 0
  }

  /** Bytes that are held. */
  get bytes(): number {
    return this.#bytes
  }

  /** Replies that are not there yet, or are but not sent. */
  get awaited(): number {
    return this.#awaited
  }

  /** Lines up replies that are there. */
  push(replies: Buffer): void {
    if (replies.length === 0) return
    this.#waiting.push(replies)
    this.#bytes += replies.length
  }

  /**
   * Lines up a reply that begins with `head` and goes on with what comes later.
   *
   * @param kept bytes that are kept elsewhere for it; they count as if they were here.
   * @returns the function to call, once, with the rest of the reply.
   */
  await(head: Buffer, kept: number = 0): (tail: Buffer) => void {
    const slot: Awaited = { head, tail: null, kept }
    this.#waiting.push(slot)
    this.#bytes += head.length + kept
    this.#awaited++
    return (tail) => {
      slot.tail = tail
      this.#bytes += tail.length - slot.kept
      slot.kept = 0
    }
  }

  /** Lines up what is to be called when all before it was sent. */
  mark(passed: () => void): void {
    this.#waiting.push(passed)
  }

  /** Takes all replies, and marks, up to the first that isn't there yet. */
  takeReady(): (Buffer | (() => void))[] {
    const ready: (Buffer | (() => void))[] = []
    let taken = 0
    for (const reply of this.#waiting) {
      if (typeof reply === 'function') ready.push(reply)
      else if (Buffer.isBuffer(reply)) {
        this.#bytes -= reply.length
        ready.push(reply)
      } else {
        if (reply.tail === null) break
        this.#bytes -= reply.head.length + reply.tail.length
        this.#awaited--
        ready.push(reply.head, reply.tail)
      }
      taken++
    }
    this.#waiting.splice(0, taken)
    return ready
  }
}
