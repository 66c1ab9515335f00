/** What a client of a herd can fail with. */
import type { ProblemJson, ReportJson } from '../gateways/http/shapes.ts'

/** A server has understood, and refuses: the same question would be refused again, by any server. */
export class HerdProblem extends Error {
  override readonly name = 'HerdProblem'
  /** Of HTTP, such as 403. */
  readonly status: number
  /** For programs, such as `not-allowed`; `http-403` where the server gave none. */
  readonly code: string
  /** For people: what was wrong, and what would be right. */
  readonly detail: string
  /** Seconds after which it may go better; `null`: nobody knows. */
  readonly retryAfter: number | null

  constructor(problem: Pick<ProblemJson, 'type' | 'status' | 'detail'>, retryAfter: number | null = null) {
    super(problem.detail)
    this.status = problem.status
    this.code = problem.type.startsWith(URN) ? problem.type.slice(URN.length) : `http-${problem.status}`
    this.detail = problem.detail
    this.retryAfter = retryAfter
  }
}

const URN = 'urn:herd:'

/** One server that could not answer, and why. */
export interface Attempt {
  /** Its address, as it was given. */
  readonly server: string
  /** What happened, in words. */
  readonly reason: string
}

/** No server could answer in time: unreachable, too busy, or talking nonsense. The same question may be answered later. */
export class HerdUnreachable extends Error {
  override readonly name = 'HerdUnreachable'
  /** What became of each server that was tried, the last attempt of each. */
  readonly attempts: readonly Attempt[]

  constructor(attempts: readonly Attempt[], afterMs: number) {
    const each = attempts.map(({ server, reason }) => `${server}: ${reason}`).join('; ')
    super(`no server of the herd answered within ${Math.round(afterMs)} ms (${each})`)
    this.attempts = attempts
  }
}

/** The queue takes no more: reports come faster than they are sent, or nobody has taken any for long. Nothing was kept. */
export class HerdQueueFull extends Error {
  override readonly name = 'HerdQueueFull'
  /** The report that was not kept. */
  readonly report: ReportJson

  constructor(report: ReportJson, why: string) {
    super(`the report was not kept: ${why}`)
    this.report = report
  }
}

/** The client was closed before this was done. */
export class HerdClosed extends Error {
  override readonly name = 'HerdClosed'

  constructor(what: string) {
    super(`${what}: this HerdClient is closed`)
  }
}

/** The store of the queue failed. A report that was given was not kept. */
export class HerdStoreFailed extends Error {
  override readonly name = 'HerdStoreFailed'
  /** The report that was not kept; `null`: reports that were sent could not be forgotten, and will be sent once more. */
  readonly report: ReportJson | null

  constructor(report: ReportJson | null, cause: unknown) {
    const what = report === null ? 'what was sent could not be forgotten' : 'the report was not kept'
    super(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    this.report = report
  }
}
