import type { Counters } from '../../counters.ts'
import type { System } from '../../system.ts'

/** What is watched of a stream: how much the other end has taken. */
export interface Taking {
  /** Bytes that the system has taken, of those that were written. */
  readonly bytesTaken: () => number
  /** Ends a stream whose reader takes nothing. */
  readonly drop: () => void
}

/** What watching needs. */
export interface SlowReaderContext {
  readonly system: Pick<System, 'after'>
  readonly counters: Counters
  readonly limits: { readonly slowReaderMsMax: number }
}

/** Drops a reader that takes nothing of what waits for it for `limits.slowReaderMsMax`, as line clients are. */
export class SlowReader {
  readonly #context: SlowReaderContext
  readonly #taking: Taking
  #cancel: (() => void) | null = null

  constructor(context: SlowReaderContext, taking: Taking) {
    this.#context = context
    this.#taking = taking
  }

  /** Something waits for the reader. */
  waits(): void {
    this.#cancel ??= this.#watch()
  }

  /** Nothing does any more. */
  drained(): void {
    this.#cancel?.()
    this.#cancel = null
  }

  #watch(): () => void {
    const { system, limits, counters } = this.#context
    const taken = this.#taking.bytesTaken()
    return system.after(limits.slowReaderMsMax, () => {
      if (this.#taking.bytesTaken() > taken) {
        this.#cancel = this.#watch()
        return
      }
      this.#cancel = null
      counters.slowReadersDropped++
      this.#taking.drop()
    })
  }
}
