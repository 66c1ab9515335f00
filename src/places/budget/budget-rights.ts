/**
 * A budget that servers share without asking each other before they spend: a bounded counter by escrow (P. O'Neil, The
 * Escrow Transactional Method, 1986; V. Balegas et al., Extending Eventually Consistent Cloud Databases for Enforcing
 * Numeric Invariants, 2015). Each server begins with a share, which is its right to so many calls. Rights are spent by
 * their owner alone, and handed over by their owner alone, so nobody needs to know what the others do: whatever is lost,
 * late, repeated or cut off, the calls of all are never more than the budget. Pure: no clock, no I/O.
 */
import { type BudgetRow, CALLS_END, RECEIVERS_MAX } from './budget-rows.ts'

/**
 * Lives of one server that count in one period. One that loses its memory more often has no rights left: how much of
 * them it has spent, nobody knows.
 */
export const LIVES_MAX = 16
/** A server wants more when it has less than this part of an equal share left … */
const LOW_PART = 1 / 10
/** … and this part of an equal share more. Small enough to leave the others most of theirs until it is really needed. */
const WANT_PART = 1 / 4
/** What is set aside at a time, of an equal share: a crash loses as much, and so often is the disk written. */
const BLOCK_PART = 1 / 100

/** Who may be handed rights now, and who may hand some over. */
export interface HandOverSituation {
  /** How much of the period is over, 0 … 1. */
  readonly elapsed: number
  /** Whether a server is reached. */
  readonly isReachable: (server: string) => boolean
  /** `first`: only if those who have more left don't suffice. `any`: they don't do it, so this server does. */
  readonly turn: 'first' | 'any'
}

/** The share of one of these servers: equal, and what remains goes to the first ones. None for a server that isn't among them. */
export function shareOf(server: string, servers: readonly string[], budget: number): number {
  const place = servers.indexOf(server)
  if (place === -1) return 0
  const least = Math.floor(budget / servers.length)
  return least + (place < budget - least * servers.length ? 1 : 0)
}

/** What each server would have if all were equal; never less than one call. */
export function equalShare(servers: readonly string[], budget: number): number {
  return Math.max(1, Math.ceil(budget / Math.max(1, servers.length)))
}

/** How many calls are set aside at a time. */
export function blockOf(equal: number): number {
  return Math.max(1, Math.floor(equal * BLOCK_PART))
}

/** A row for a period that has just begun. */
export function newRow(of: Pick<BudgetRow, 'key' | 'period' | 'server' | 'life' | 'share'>): BudgetRow {
  return { ...of, used: 0, wants: 0, handed: new Map() }
}

/** Calls that were made, or set aside, by all servers, as far as these rows tell. */
export function usedBy(rows: readonly BudgetRow[]): number {
  return rows.reduce((calls, row) => calls + row.used, 0)
}

/**
 * Calls that a server has a right to, as far as these rows of one budget and period tell. For its own server that is
 * never more than the truth, because it knows all that it spent and handed over itself.
 */
export function rightsOf(server: string, rows: readonly BudgetRow[]): number {
  return standingsOf(rows).get(server)?.rights ?? 0
}

/** Calls that a server says to want, and hasn't been handed yet. */
export function wantOf(server: string, rows: readonly BudgetRow[]): number {
  return standingsOf(rows).get(server)?.want ?? 0
}

/** Sets calls aside: as many as asked for, or as there are rights for. @returns the row, itself if there are none. */
export function setAside(own: BudgetRow, rows: readonly BudgetRow[], calls: number): BudgetRow {
  const some = Math.min(calls, rightsOf(own.server, rows))
  return some <= 0 ? own : { ...own, used: own.used + some }
}

/** Says that it wants more, when little is left and it doesn't say so yet. @returns the row, itself if it needs none. */
export function wantMore(own: BudgetRow, rows: readonly BudgetRow[], equal: number): BudgetRow {
  const standing = standingsOf(rows).get(own.server)
  if (standing === undefined || standing.rights > equal * LOW_PART || standing.want > 0) return own
  const wants = standing.received + Math.max(1, Math.ceil(equal * WANT_PART))
  return wants >= CALLS_END ? own : { ...own, wants: Math.max(own.wants, wants) }
}

/**
 * Gives the share up when others spend by another division of the budget: their herd files have other servers, or
 * another budget. Who has spent nothing yet gives way to who has. @returns the row, itself if there is no reason.
 */
export function giveWay(
  own: BudgetRow,
  rows: readonly BudgetRow[],
  servers: readonly string[],
  budget: number,
): BudgetRow {
  if (own.share === 0 || own.used > 0 || own.handed.size > 0) return own
  const spendsOtherwise = (row: BudgetRow): boolean =>
    row.server !== own.server &&
    row.used > 0 &&
    row.share > 0 &&
    row.share !== shareOf(row.server, servers, budget)
  return rows.some(spendsOtherwise) ? { ...own, share: 0 } : own
}

/** Hands rights over to those who want some: at most half of what is spare, each time. @returns the row, itself if nobody gets any. */
export function handOver(
  own: BudgetRow,
  rows: readonly BudgetRow[],
  { elapsed, isReachable, turn }: HandOverSituation,
): BudgetRow {
  const standings = standingsOf(rows)
  const ours = standings.get(own.server)
  // Who wants more itself has nothing to spare.
  if (ours === undefined || ours.want > 0) return own
  const reached = [...standings.values()].filter(({ server }) => server !== own.server && isReachable(server))
  const ahead = reached
    .filter(({ want, rights, server }) => {
      return want === 0 && (rights > ours.rights || (rights === ours.rights && server < own.server))
    })
    .reduce((calls, other) => calls + half(spareOf(other, elapsed)), 0)
  let left = spareOf(ours, elapsed)
  const handed = new Map(own.handed)
  for (const { server, want } of reached.sort((a, b) => (a.server < b.server ? -1 : 1))) {
    if (!handed.has(server) && handed.size >= RECEIVERS_MAX) continue
    const calls = Math.min(half(left), want - (turn === 'any' ? 0 : ahead))
    if (calls <= 0) continue
    left -= calls
    handed.set(server, (handed.get(server) ?? 0) + calls)
  }
  return sumOf(handed) === sumOf(own.handed) ? own : { ...own, handed }
}

/** How a server stands, by all rows. */
interface Standing {
  readonly server: string
  /** Calls that it may still set aside or hand over. */
  readonly rights: number
  /** Calls that it was handed over by all. */
  readonly received: number
  /** Calls that it would like to be handed now. */
  readonly want: number
  readonly used: number
}

function standingsOf(rows: readonly BudgetRow[]): Map<string, Standing> {
  const received = new Map<string, number>()
  for (const { handed } of rows) {
    for (const [to, calls] of handed) received.set(to, (received.get(to) ?? 0) + calls)
  }
  const lives = Map.groupBy(rows, ({ server }) => server)
  return new Map(
    [...lives].map(([server, all]) => [server, standingOf(server, all, received.get(server) ?? 0)]),
  )
}

function standingOf(server: string, lives: readonly BudgetRow[], received: number): Standing {
  let [share, given, wants] = [CALLS_END, 0, 0]
  for (const row of lives) {
    share = Math.min(share, row.share)
    wants = Math.max(wants, row.wants)
    given += row.used + sumOf(row.handed)
  }
  const rights = lives.length > LIVES_MAX ? 0 : Math.max(0, share + received - given)
  return { server, rights, received, want: Math.max(0, wants - received), used: usedBy(lives) }
}

/** Rights beyond what the owner is likely to need itself: as many in the rest of the period as in what is over. */
function spareOf({ rights, used }: Standing, elapsed: number): number {
  const over = Math.min(1, Math.max(0, elapsed))
  const likely = used === 0 ? 0 : Math.ceil((used * (1 - over)) / over)
  return Math.max(0, rights - likely)
}

function half(calls: number): number {
  return Math.ceil(calls / 2)
}

function sumOf(handed: ReadonlyMap<string, number>): number {
  let calls = 0
  for (const part of handed.values()) calls += part
  return calls
}
