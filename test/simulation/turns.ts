import type { DirtyQueue } from '../../src/replication/dirty-queue.ts'

/**
 * Watches that a record that is marked behind n others is taken before n + 1 others are.
 *
 * @param onLate told a record that is not.
 */
export function watchTurns(queue: DirtyQueue, onLate: (record: number) => void): void {
  const mark = queue.mark.bind(queue)
  const takeMarked = queue.takeMarked.bind(queue)
  const turns = new Map<number, number>()
  let taken = 0
  queue.mark = (record) => {
    const { made } = queue
    mark(record)
    if (queue.made > made) turns.set(record, taken + turns.size)
  }
  queue.takeMarked = () => {
    const record = takeMarked()
    if (record === -1) return record
    // The one that was marked first has the first turn.
    const [first, turn] = turns.entries().next().value ?? [record, taken]
    if (turn < taken) onLate(first)
    turns.delete(record)
    taken++
    return record
  }
}
