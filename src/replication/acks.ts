import type { AckLevel } from '../protocol/index.ts'
import type { Replica } from './replica.ts'
import { runOf, type Stamp } from './stamps.ts'

/** Somebody who waits until what has this stamp is held widely enough. */
interface Waiter {
  readonly level: AckLevel
  readonly stamp: Stamp
  readonly done: () => void
}

/** The level of who doesn't wait. */
export const MEMORY: AckLevel = { disk: false, peers: 0 }

/** How a level is written: `memory`, `disk`, `peers:2`, `disk+peers:2`. */
export function ackText({ disk, peers }: AckLevel): string {
  if (peers === 0) return disk ? 'disk' : 'memory'
  return `${disk ? 'disk+' : ''}peers:${peers}`
}

/**
 * Who waits for a level of durability. The claims of neighbors, and of the journal, are the acknowledgements: nothing
 * else is said about it. Pure.
 */
export class Acks {
  readonly #replica: Replica
  readonly #wanted: () => void
  /** By level and run, in the order of their coming: in each, who waits first is, nearly always, also reached first. */
  readonly #queues = new Map<string, Set<Waiter>>()
  #forPeers = 0
  #forDisk = 0

  /** @param wanted told that somebody has begun to wait: what was to be said or written later is now urgent. */
  constructor(replica: Replica, wanted: () => void = () => {}) {
    this.#replica = replica
    this.#wanted = wanted
  }

  /** Whether somebody waits for what neighbors hold. */
  get isForPeers(): boolean {
    return this.#forPeers > 0
  }

  /** Whether somebody waits for the disk. */
  get isForDisk(): boolean {
    return this.#forDisk > 0
  }

  /** How many wait. */
  get waiting(): number {
    let count = 0
    for (const queue of this.#queues.values()) count += queue.size
    return count
  }

  /** Whether what has this stamp is held at this level. */
  isReached({ disk, peers }: AckLevel, stamp: Stamp): boolean {
    if (disk && !this.#replica.isOnDisk(stamp)) return false
    return peers === 0 || this.#replica.holders(stamp) >= peers
  }

  /** The level that is reached by now. */
  reached(stamp: Stamp): AckLevel {
    return { disk: this.#replica.isOnDisk(stamp), peers: this.#replica.holders(stamp) }
  }

  /**
   * Waits until the level is reached.
   *
   * @param done called once, later, when it is. @returns ends the waiting.
   */
  wait(level: AckLevel, stamp: Stamp, done: () => void): () => void {
    const waiter: Waiter = { level, stamp, done }
    const key = `${ackText(level)} ${runOf(stamp)}`
    const queue = this.#queues.get(key) ?? new Set()
    this.#queues.set(key, queue)
    queue.add(waiter)
    this.#count(level, 1)
    this.#wanted()
    return () => this.#end(key, queue, waiter)
  }

  /** Somebody claims to hold more than before: ends the waiting of those who waited for that. */
  advance(): void {
    for (const [key, queue] of this.#queues) {
      for (const waiter of queue) {
        if (!this.isReached(waiter.level, waiter.stamp)) break
        this.#end(key, queue, waiter)
        waiter.done()
      }
    }
  }

  #end(key: string, queue: Set<Waiter>, waiter: Waiter): void {
    if (!queue.delete(waiter)) return
    if (queue.size === 0 && this.#queues.get(key) === queue) this.#queues.delete(key)
    this.#count(waiter.level, -1)
  }

  #count({ disk, peers }: AckLevel, by: 1 | -1): void {
    if (disk) this.#forDisk += by
    if (peers > 0) this.#forPeers += by
  }
}
