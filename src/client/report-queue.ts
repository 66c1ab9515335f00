import type { ProblemJson, ReportedJson, ReportJson } from '../gateways/http/shapes.ts'
import { HerdClosed, HerdProblem, HerdQueueFull, HerdStoreFailed } from './errors.ts'
import type { Stamps } from './stamps.ts'
import type { KeptReport, ReportStore } from './stores/report-store.ts'

/** What became of one report of a batch. `later`: it is to be sent again. */
export type Outcome =
  | { readonly became: 'taken'; readonly reported: ReportedJson }
  | { readonly became: 'refused'; readonly problem: HerdProblem }
  | { readonly became: 'later' }

/** Bounds of the queue. */
export interface QueueLimits {
  /** Reports that wait at most. */
  readonly reportsMax: number
  /** Their JSON together at most, in characters. */
  readonly charactersMax: number
}

/** How full the queue is. */
export interface Pressure {
  /** It is over three quarters full; `false` again when it is below a half. */
  readonly isHigh: boolean
  readonly queued: number
  readonly reportsMax: number
}

/** What the queue needs. */
export interface QueueContext {
  readonly store: ReportStore
  readonly limits: QueueLimits
  readonly stamps: Stamps
  /**
   * Sends reports in this order; resolves when a server has answered, however long that takes.
   *
   * @returns one outcome for each. @throws {HerdProblem} when all were refused together. @throws anything, when it was aborted.
   */
  readonly send: (reports: readonly ReportJson[], signal: AbortSignal) => Promise<readonly Outcome[]>
  readonly onQueued: (queued: number) => void
  readonly onPressure: (pressure: Pressure) => void
  readonly onReported: (reported: ReportedJson, report: ReportJson) => void
  readonly onRefused: (problem: HerdProblem, report: ReportJson) => void
  /** The store could not forget what was sent: it will be sent once more one day. */
  readonly onStoreFailed: (error: HerdStoreFailed) => void
}

interface Entry extends KeptReport {
  readonly characters: number
  readonly resolve: (reported: ReportedJson) => void
  readonly reject: (error: Error) => void
}

/** As many as a server takes at once; and no more characters, unless one report alone has them. */
export const BATCH_MAX = 1000
const BATCH_CHARACTERS_MAX = 512 * 1024
/** What concerns whoever sends, and not one report of many. */
const CONCERNS_ALL: ReadonlySet<number> = new Set([401, 403])

/**
 * Reports on their way to a server: kept first, then sent in the order in which they were made, one batch at a time, until each was
 * taken or refused for good. So each is sent at least once; a report that is taken twice changes nothing.
 */
export class ReportQueue {
  readonly #context: QueueContext
  readonly #loaded: Promise<void>
  /** Not yet in the store … */
  #incoming: Entry[] = []
  /** … on the way into it … */
  #storing: readonly Entry[] = []
  /** … and in it. */
  #waiting: Entry[] = []
  #characters = 0
  #batchMax = BATCH_MAX
  #isHigh = false
  #isSending = false
  /** Calls of the store, one at a time. */
  #work: Promise<void> = Promise.resolve()
  #sending: Promise<void> = Promise.resolve()
  readonly #closing = new AbortController()
  readonly #idle = new Set<() => void>()

  constructor(context: QueueContext) {
    this.#context = context
    this.#loaded = this.#load()
    // Whoever reports is told.
    this.#loaded.catch(() => {})
  }

  /** How many reports wait. */
  get queued(): number {
    return this.#incoming.length + this.#storing.length + this.#waiting.length
  }

  /**
   * Takes a report. It is stamped now, if it has no time.
   *
   * @returns what a server made of it, as soon as one has it. @throws {HerdQueueFull} when no more may wait; {HerdStoreFailed};
   *   {HerdProblem} when it is refused for good; {HerdClosed}.
   */
  add(given: ReportJson): Promise<ReportedJson> {
    const { limits, stamps } = this.#context
    if (this.#closing.signal.aborted) return Promise.reject(new HerdClosed('the report was not kept'))
    const stamp = stamps.next()
    const report = { ...given, time: given.time ?? stamp.time }
    const characters = JSON.stringify(report).length
    const full = this.#fullBy(characters, limits)
    if (full !== null) return Promise.reject(new HerdQueueFull(report, full))
    return new Promise((resolve, reject) => {
      this.#incoming.push({ key: stamp.key, report, characters, resolve, reject })
      this.#characters += characters
      this.#changed()
      // What is reported in one turn is stored at once.
      if (this.#incoming.length === 1) this.#work = this.#work.then(() => this.#store())
    })
  }

  /** Resolves when nothing waits any more, or the queue is closed. */
  emptied(): Promise<void> {
    return new Promise((resolve) => {
      this.#idle.add(resolve)
      void this.#loaded.catch(() => {}).then(() => this.#tellIdle())
    })
  }

  /** Sends nothing any more. @returns the reports that no server is known to have taken; a store that lasts keeps them. */
  async close(): Promise<readonly ReportJson[]> {
    this.#closing.abort(new HerdClosed('the report was not sent'))
    await this.#loaded.catch(() => {})
    await this.#work
    await this.#sending
    const unsent = this.#waiting
    this.#waiting = []
    for (const { reject } of unsent) reject(new HerdClosed('the report was not sent'))
    this.#tellIdle()
    await this.#context.store.close?.()
    return unsent.map(({ report }) => report)
  }

  #fullBy(characters: number, { reportsMax, charactersMax }: QueueLimits): string | null {
    if (this.queued >= reportsMax) return `${reportsMax} reports wait already (queue.reportsMax)`
    if (this.#characters + characters <= charactersMax) return null
    return `the reports that wait would have more than ${charactersMax} characters (queue.charactersMax)`
  }

  async #load(): Promise<void> {
    const { store, stamps } = this.#context
    const kept = await store.load()
    // Nobody waits for what an earlier run has left: it is told as events alone.
    const nobody = (): void => {}
    this.#waiting = kept.map((one) => {
      stamps.follow(one.key)
      const characters = JSON.stringify(one.report).length
      this.#characters += characters
      return { ...one, characters, resolve: nobody, reject: nobody }
    })
    if (this.#waiting.length === 0) return
    this.#changed()
    this.#send()
  }

  async #store(): Promise<void> {
    const { store } = this.#context
    try {
      await this.#loaded
      this.#takeIncoming()
      await store.append(this.#storing)
    } catch (cause) {
      this.#takeIncoming()
      const failed = this.#storing
      this.#storing = []
      this.#settle(failed)
      for (const { reject, report } of failed) reject(new HerdStoreFailed(report, cause))
      return
    }
    this.#waiting.push(...this.#storing)
    this.#storing = []
    this.#send()
  }

  #takeIncoming(): void {
    if (this.#storing.length > 0) return
    this.#storing = this.#incoming
    this.#incoming = []
  }

  /** Begins to send, unless that goes on. */
  #send(): void {
    if (this.#isSending || this.#closing.signal.aborted) return
    this.#sending = this.#sendAll()
  }

  async #sendAll(): Promise<void> {
    const { signal } = this.#closing
    this.#isSending = true
    try {
      while (this.#waiting.length > 0 && !signal.aborted) await this.#sendBatch(signal)
    } finally {
      // In the same step as the look at what waits: what comes after it begins anew.
      this.#isSending = false
    }
  }

  async #sendBatch(signal: AbortSignal): Promise<void> {
    const batch = this.#nextBatch()
    const reports = batch.map(({ report }) => report)
    try {
      await this.#finish(batch, await this.#context.send(reports, signal))
    } catch (error) {
      if (signal.aborted) return
      if (!(error instanceof HerdProblem)) throw error
      if (batch.length > 1 && !CONCERNS_ALL.has(error.status)) {
        // One of them, or all together, are too much: which one, halves tell.
        this.#batchMax = Math.ceil(batch.length / 2)
        return
      }
      await this.#finish(
        batch,
        batch.map(() => ({ became: 'refused', problem: error })),
      )
    }
    this.#batchMax = Math.min(BATCH_MAX, this.#batchMax * 2)
  }

  #nextBatch(): Entry[] {
    let characters = 0
    const tooMany = this.#waiting.findIndex((entry, index) => {
      characters += entry.characters + 1
      return index > 0 && (index >= this.#batchMax || characters > BATCH_CHARACTERS_MAX)
    })
    return this.#waiting.slice(0, tooMany === -1 ? undefined : tooMany)
  }

  /** Forgets what was taken or refused, and tells whoever waits; the rest stays where it is. */
  async #finish(batch: readonly Entry[], outcomes: readonly Outcome[]): Promise<void> {
    const { store, onStoreFailed } = this.#context
    const done = new Map(
      batch.flatMap((entry, index) => {
        const outcome = outcomes[index]
        return outcome === undefined || outcome.became === 'later' ? [] : [[entry, outcome]]
      }),
    )
    if (done.size === 0) return
    const keys = Array.from(done.keys(), ({ key }) => key)
    // The store is called once at a time.
    const removed = this.#work.then(() => store.remove(keys))
    this.#work = removed.catch((cause: unknown) => onStoreFailed(new HerdStoreFailed(null, cause)))
    await this.#work
    this.#waiting = this.#waiting.filter((entry) => !done.has(entry))
    this.#settle([...done.keys()])
    for (const [{ report, resolve, reject }, outcome] of done) {
      if (outcome.became === 'taken') {
        resolve(outcome.reported)
        this.#context.onReported(outcome.reported, report)
      } else {
        reject(outcome.problem)
        this.#context.onRefused(outcome.problem, report)
      }
    }
  }

  #settle(entries: readonly Entry[]): void {
    for (const { characters } of entries) this.#characters -= characters
    this.#changed()
    this.#tellIdle()
  }

  #tellIdle(): void {
    if (this.queued > 0 && !this.#closing.signal.aborted) return
    for (const resolve of this.#idle) resolve()
    this.#idle.clear()
  }

  #changed(): void {
    const { limits, onQueued, onPressure } = this.#context
    const { queued } = this
    onQueued(queued)
    const part = Math.max(queued / limits.reportsMax, this.#characters / limits.charactersMax)
    const isHigh = this.#isHigh ? part >= 0.5 : part > 0.75
    if (isHigh === this.#isHigh) return
    this.#isHigh = isHigh
    onPressure({ isHigh, queued, reportsMax: limits.reportsMax })
  }
}

/** Whether a problem of one report may be gone when it is sent again. */
export function isForLater({ status }: ProblemJson): boolean {
  return status >= 500 || [408, 425, 429].includes(status)
}
