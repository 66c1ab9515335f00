import type { DirtyQueue } from '../../src/replication/dirty-queue.ts'

/** Patches an empty queue: a record that is marked again loses its place. */
export function movesToTail(queue: DirtyQueue): void {
  const swept = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(queue), 'length')
  // In the order of the last mark.
  const waiting = new Set<number>()
  let made = 0
  queue.mark = (record) => {
    if (!waiting.delete(record)) made++
    waiting.add(record)
  }
  queue.takeMarked = () => {
    for (const record of waiting) {
      waiting.delete(record)
      return record
    }
    return -1
  }
  Object.defineProperties(queue, {
    made: { get: () => made },
    taken: { get: () => made - waiting.size },
    length: { get: () => waiting.size + (swept?.get?.call(queue) as number) },
  })
}
