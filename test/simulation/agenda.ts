interface Entry {
  readonly atMs: number
  readonly order: number
  readonly happen: () => void
  cancelled: boolean
}

/** More than so much at one instant means that time stands still. */
const EVENTS_AT_ONCE_MAX = 200_000

/** Virtual time: what happens next, and when. What is due at the same time happens in the order it was planned in. */
export class Agenda {
  /** The time, in milliseconds since the simulation began. */
  nowMs = 0
  /** How much has happened. */
  events = 0
  readonly #heap: Entry[] = []
  #order = 0
  #sinceEvents = 0

  /** Plans something. @returns what calls it off. */
  after(ms: number, happen: () => void): () => void {
    const entry = { atMs: this.nowMs + Math.max(0, ms), order: this.#order++, happen, cancelled: false }
    this.#push(entry)
    return () => {
      entry.cancelled = true
    }
  }

  /** Lets everything happen that is due until then; afterwards it is then. */
  runUntil(untilMs: number): void {
    for (let first = this.#heap[0]; first !== undefined && first.atMs <= untilMs; first = this.#heap[0]) {
      this.#pop()
      if (first.cancelled) continue
      if (first.atMs > this.nowMs) this.#sinceEvents = this.events
      this.nowMs = first.atMs
      this.events++
      if (this.events - this.#sinceEvents > EVENTS_AT_ONCE_MAX) throw new Error('time stands still')
      first.happen()
    }
    this.nowMs = Math.max(this.nowMs, untilMs)
  }

  #push(entry: Entry): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(entry)
    while (at > 0) {
      const parent = (at - 1) >> 1
      const above = heap[parent] as Entry
      if (!isBefore(entry, above)) break
      heap[at] = above
      at = parent
    }
    heap[at] = entry
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop() as Entry
    if (heap.length === 0) return
    let at = 0
    for (let child = 1; child < heap.length; child = 2 * at + 1) {
      const right = heap[child + 1]
      if (right !== undefined && isBefore(right, heap[child] as Entry)) child++
      const below = heap[child] as Entry
      if (!isBefore(below, last)) break
      heap[at] = below
      at = child
    }
    heap[at] = last
  }
}

function isBefore(a: Entry, b: Entry): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}
