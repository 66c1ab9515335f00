/** What the servers of a herd say of themselves, asked as an operator. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { ServerStatus } from '../../src/replication/status.ts'
import { askStatus } from '../../src/replication/status-client.ts'
import type { Target } from '../load/targets.ts'
import { LOOPBACK } from '../support/ports.ts'

/** The name of every herd that a benchmark starts, … */
export const CLUSTER_HERD = 'bench'
/** … and its secret, which guards nothing. */
export const CLUSTER_SECRET = 'of the benchmarks, 0123456789abcdef'

const ANSWER_MS_MAX = 10_000
const ASK_EVERY_MS = 5

/** All servers of a herd at nearly the same time, in the order of their targets. */
export type Statuses = readonly ServerStatus[]

export function readStatuses(targets: readonly Target[]): Promise<Statuses> {
  const secret = Buffer.from(CLUSTER_SECRET)
  return Promise.all(
    targets.map(({ name, port, encryption = 'none' }) => {
      const where = { host: LOOPBACK, port, name, herd: CLUSTER_HERD }
      // A version without encryption takes no notice of how.
      const how = { secret, encryption: { mode: encryption }, timeoutMs: ANSWER_MS_MAX }
      return askStatus({ ...where, ...how })
    }),
  )
}

/** Asks until `holds`; `what` is for the error after `msMax`. */
export async function waitForStatuses(
  targets: readonly Target[],
  holds: (statuses: Statuses) => boolean,
  what: string,
  msMax: number,
): Promise<Statuses> {
  const giveUpAtMs = performance.now() + msMax
  for (;;) {
    const statuses = await readStatuses(targets)
    if (holds(statuses)) return statuses
    if (performance.now() > giveUpAtMs) throw new Error(`not within ${msMax / 1000} s: ${what}`)
    await sleep(ASK_EVERY_MS)
  }
}

/** Sums one counter over all servers. */
export function sumOf(statuses: Statuses, counter: string): number {
  return statuses.reduce((sum, { counters }) => sum + countOf(counters, counter), 0)
}

/** Throws where there is no such counter: a benchmark must not print the absence of a figure as 0. */
export function countOf(counters: Readonly<Record<string, number>>, counter: string): number {
  const count = counters[counter]
  if (count === undefined) throw new Error(`the status has no counter ${counter}`)
  return count
}

/**
 * AT lines that were sent and have not come in. It is 0 in a herd that is quiet, but for those that were lost with a
 * link or counted by a server that is gone; so it is read once in a quiet herd, and is the same when it is quiet again.
 */
export function linesUnderWay(statuses: Statuses): number {
  return sumOf(statuses, 'linkLinesOut') - sumOf(statuses, 'linkLinesIn')
}

/**
 * Waits until no link owes anything and no line is under way.
 *
 * @param underWay what `linesUnderWay` said when the herd was quiet.
 * @returns when that was, and what the servers said then.
 */
export async function whenQuiet(
  targets: readonly Target[],
  underWay: number,
  msMax: number,
): Promise<{ readonly atMs: number; readonly statuses: Statuses }> {
  let atMs = 0
  const statuses = await waitForStatuses(
    targets,
    (now) => {
      atMs = performance.now()
      return isQuiet(now, underWay)
    },
    'no link owes anything',
    msMax,
  )
  return { atMs, statuses }
}

/** Whether nothing is owed or under way. The order in which servers were asked can't hide a line: it is counted when sent. */
export function isQuiet(statuses: Statuses, underWay: number): boolean {
  const owed = statuses.some(({ links }) => links.some(({ queued }) => queued > 0))
  return !owed && linesUnderWay(statuses) === underWay
}
