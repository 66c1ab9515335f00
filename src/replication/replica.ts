import { type Fix, type HashKey, LiveTable, ServerNames, type TableLimits } from '../locations/index.ts'
import type { Nanotime, OutputBuffer } from '../protocol/index.ts'
import { DirtyQueue } from './dirty-queue.ts'

/** Bounds of a replica. */
export interface ReplicaLimits extends TableLimits {
  /** Different names of origins at most. */
  readonly serverNamesMax: number
  /** A fix is forgotten when its effective time is longer ago than this; infinity: never. */
  readonly forgetAfterSeconds: number
}

/** Records without anything to send that a batch passes over at most: the next batch goes on from there. */
const PASSED_OVER_MAX = 16_384

/** The fix came from a client, not over a link. */
export const FROM_CLIENT = null

/**
 * This server's copy of what the herd knows, and what each link still owes its neighbor. The one way in for a
 * fix, whichever gateway or link it came by. Pure: it decides what is sent, the links send.
 */
export class Replica {
  readonly table: LiveTable
  readonly names: ServerNames
  readonly #queues = new Set<DirtyQueue>()
  readonly #forgetAfterSeconds: number
  readonly #forgetBefore: Nanotime = { seconds: 0, nanoseconds: 0 }
  #onOwed: () => void = () => {}

  /** @param key random words for the table's hashes. */
  constructor(limits: ReplicaLimits, key: HashKey) {
    this.names = new ServerNames(limits.serverNamesMax)
    this.table = new LiveTable(limits, this.names, key)
    this.#forgetAfterSeconds = limits.forgetAfterSeconds
  }

  /** Sets who is told, once for every fix that was new, that there is something to send. */
  onOwed(listener: () => void): void {
    this.#onOwed = listener
  }

  /**
   * Takes a fix and, if it is new, floods it: owed to every neighbor but the one that it came from. What is not
   * new goes nowhere, so nothing circles.
   *
   * @param from the queue of the link that it came by, or `FROM_CLIENT`.
   * @returns the record number, or what `LiveTable.apply` says when nothing was changed.
   */
  apply(fix: Fix, from: DirtyQueue | typeof FROM_CLIENT): number {
    const record = this.table.apply(fix)
    if (record < 0) return record
    let owed = false
    for (const queue of this.#queues) {
      if (queue === from) continue
      queue.mark(record)
      owed = true
    }
    if (owed) this.#onOwed()
    return record
  }

  /** Forgets what is too old by now. Every server does so by the same rule, so nothing is said about it. */
  forget(now: Nanotime): void {
    if (this.#forgetAfterSeconds === Number.POSITIVE_INFINITY) return
    this.#forgetBefore.seconds = now.seconds - this.#forgetAfterSeconds
    this.#forgetBefore.nanoseconds = now.nanoseconds
    this.table.forgetBefore(this.#forgetBefore)
  }

  /** A link to a neighbor is open: everything known is owed to it. */
  connect(): DirtyQueue {
    const queue = new DirtyQueue()
    queue.markAllBelow(this.table.recordsEnd)
    this.#queues.add(queue)
    return queue
  }

  /** A link is lost: what it owed will be owed again, with everything else, by the next one. */
  disconnect(queue: DirtyQueue): void {
    this.#queues.delete(queue)
  }

  /**
   * Appends the next AT lines that a link owes, as their fixes are now: until `bytesMax` is reached or nothing
   * is owed. Catching up gets half of each batch, what is reported meanwhile the other half, and either gets
   * what the other leaves.
   *
   * @param withAttributes whether the neighbor takes attributes; one of the old kind takes bare AT lines only.
   * @returns how many lines were appended. 0 doesn't mean that nothing is owed: there may have been much to pass over.
   */
  nextBatch(queue: DirtyQueue, output: OutputBuffer, bytesMax: number, withAttributes: boolean): number {
    const end = output.waiting + bytesMax
    let lines = 0
    let passedOver = 0
    for (const [takesSwept, bytesEnd] of [
      [true, end - bytesMax / 2],
      [false, end],
      [true, end],
    ] as const) {
      while (output.waiting < bytesEnd && passedOver < PASSED_OVER_MAX) {
        const record = takesSwept ? queue.takeSwept() : queue.takeMarked()
        if (record === -1) break
        if (!this.table.isLive(record)) {
          passedOver++
          continue
        }
        if (withAttributes) this.table.appendAtWithAttributes(record, output)
        else this.table.appendAt(record, output)
        lines++
      }
    }
    return lines
  }
}
