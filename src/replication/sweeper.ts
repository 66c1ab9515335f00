import type { Counters } from '../counters.ts'
import type { Nanotime } from '../protocol/index.ts'
import type { System } from '../system.ts'
import type { Replica } from './replica.ts'

/** Records looked at in one turn: removing all of them takes a few milliseconds. */
const TURN_RECORDS = 4096
/** So long takes a round through all records, however many … */
const ROUND_MS = 60_000
/** … in turns that are no further apart than this. */
const TURN_MS_MAX = 1000

/**
 * Removes the clients whose fixes are forgotten, a few at a time, so that their room is used again. What is
 * forgotten is in no answer from the very instant; this only tidies up.
 */
export class Sweeper {
  readonly #replica: Replica
  readonly #system: Pick<System, 'readClock' | 'after'>
  readonly #counters: Counters
  readonly #now: Nanotime = { seconds: 0, nanoseconds: 0 }
  #cancel: () => void = () => {}

  constructor(replica: Replica, system: Pick<System, 'readClock' | 'after'>, counters: Counters) {
    this.#replica = replica
    this.#system = system
    this.#counters = counters
  }

  /** Begins to sweep, for ever. */
  start(): void {
    const turns = this.#replica.table.recordsEnd / TURN_RECORDS
    this.#cancel = this.#system.after(Math.min(TURN_MS_MAX, ROUND_MS / turns), () => {
      this.#system.readClock(this.#now)
      this.#replica.forget(this.#now)
      this.#counters.clientsForgotten += this.#replica.table.sweep(TURN_RECORDS)
      this.start()
    })
  }

  /** Ends it. */
  stop(): void {
    this.#cancel()
  }
}
