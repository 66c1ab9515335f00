const ROOM_MIN = 1024

/**
 * What a link still owes its neighbor: record numbers, each at most once. A record keeps the place where it was
 * first marked and its value is read when it is sent, so a slow link sends only the newest fix of each client and
 * the queue is never longer than the number of clients. Pure.
 *
 * A new link owes everything that was known before it: a sweep over the record numbers from 0, which costs
 * nothing to begin, however many there are.
 */
export class DirtyQueue {
  #ring = new Int32Array(ROOM_MIN)
  #head = 0
  #length = 0
  /** One bit for each record: whether it is in the ring. */
  #marked = new Uint32Array(ROOM_MIN / 32)
  #sweepNext = 0
  #sweepEnd = 0
  #made = 0

  /** How many marks were made so far: with `taken` it tells when everything marked by now has been taken. */
  get made(): number {
    return this.#made
  }

  /** How many marks were taken so far. */
  get taken(): number {
    return this.#made - this.#length
  }

  /** Whether a sweep is under way. */
  get isSweeping(): boolean {
    return this.#sweepNext < this.#sweepEnd
  }

  /** How many records are owed. */
  get length(): number {
    return this.#length + (this.#sweepEnd - this.#sweepNext)
  }

  /** Owes every record below `count`, besides what is marked already and later. */
  markAllBelow(count: number): void {
    this.#sweepNext = 0
    this.#sweepEnd = count
  }

  /** Owes a record; nothing happens if it is owed already. */
  mark(record: number): void {
    if (record >= this.#sweepNext && record < this.#sweepEnd) return
    const word = record >>> 5
    if (word >= this.#marked.length) this.#growMarks(word + 1)
    const bit = 1 << (record & 31)
    const bits = this.#marked[word] as number
    if ((bits & bit) !== 0) return
    this.#marked[word] = bits | bit
    if (this.#length === this.#ring.length) this.#growRing()
    this.#ring[(this.#head + this.#length) & (this.#ring.length - 1)] = record
    this.#length++
    this.#made++
  }

  /** Takes the record marked longest ago, or −1. */
  takeMarked(): number {
    if (this.#length === 0) return -1
    const record = this.#ring[this.#head] as number
    this.#head = (this.#head + 1) & (this.#ring.length - 1)
    this.#length--
    this.#marked[record >>> 5] = (this.#marked[record >>> 5] as number) & ~(1 << (record & 31))
    return record
  }

  /** Takes the next record of the sweep, or −1. */
  takeSwept(): number {
    return this.#sweepNext < this.#sweepEnd ? this.#sweepNext++ : -1
  }

  #growMarks(words: number): void {
    const grown = new Uint32Array(Math.max(words, this.#marked.length * 2))
    grown.set(this.#marked)
    this.#marked = grown
  }

  #growRing(): void {
    const grown = new Int32Array(this.#ring.length * 2)
    grown.set(this.#ring.subarray(this.#head))
    grown.set(this.#ring.subarray(0, this.#head), this.#ring.length - this.#head)
    this.#ring = grown
    this.#head = 0
  }
}
