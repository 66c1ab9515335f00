import type { Counters } from '../counters.ts'
import { PACKAGE_VERSION } from '../package-version.ts'
import type { BudgetHealth, HealthRow, LinkHealth, ServerHealth } from '../replication/health-row.ts'
import { HEALTH_MS, HealthRows, tablesAgree } from '../replication/health-rows.ts'
import type { HerdView, HerdViewServer } from '../replication/herd-view.ts'
import type { Links } from '../replication/links.ts'
import type { Members } from '../replication/members.ts'
import type { Replica } from '../replication/replica.ts'
import type { PlacesStatus } from '../replication/status.ts'
import { TableDigest } from '../replication/table-digest.ts'
import type { System } from '../system.ts'

/** What a server knows of how it is. */
export interface HealthContext {
  readonly herd: string
  readonly name: string
  readonly run: string
  readonly replica: Replica
  readonly counters: Counters
  readonly members: Members
  readonly forgetAfterSeconds: number
  /** Rows of servers at most. */
  readonly rowsMax: number
  readonly system: Pick<System, 'nowMs' | 'wallMs' | 'after' | 'readClock'>
  /** These are made later than the rows that links flood. */
  readonly links: () => Pick<Links, 'statuses' | 'readiness' | 'clockOffMs'>
  readonly connections: () => number
  readonly watchers: () => number
  readonly budgets: () => PlacesStatus['budgets']
  readonly http: boolean
  readonly mqtt: boolean
}

/** How often is looked for what others should hear of at once. */
const LOOK_MS = 500
/** A rate is that of so many looks. */
const RATE_LOOKS = 4
/** How long others get their turn between two steps of a sum. */
const STEP_MS = 1

/** How the servers of the herd are: this one says so every two seconds, and hears it from the others. */
export class HerdHealth {
  readonly #context: HealthContext
  readonly #rows: HealthRows
  readonly #digest: TableDigest
  readonly #rates = new Rates()
  readonly #startedMs: number
  #busy = performance.eventLoopUtilization()
  #busyPct = 0
  #toldMs = Number.NEGATIVE_INFINITY
  #toldState = ''
  #cancelLook: () => void = () => {}
  #cancelStep: () => void = () => {}

  constructor(context: HealthContext) {
    this.#context = context
    const { name, run, rowsMax, system, replica, forgetAfterSeconds } = context
    this.#rows = new HealthRows({ name, run, rowsMax, nowMs: system.nowMs })
    this.#digest = new TableDigest({ replica, forgetAfterSeconds, nowMs: system.nowMs })
    this.#startedMs = system.nowMs()
  }

  /** What links flood. */
  get flood(): HealthRows['flood'] {
    return this.#rows.flood
  }

  /** Begins to say how this server is. */
  start(): void {
    this.#look()
  }

  /** Says nothing more. */
  stop(): void {
    this.#cancelLook()
    this.#cancelStep()
  }

  /** How this server is. */
  own(): ServerHealth {
    const { replica, counters, links, connections, watchers, system, http, mqtt } = this.#context
    const { readiness, clockOffMs, statuses } = links()
    const { table } = this.#digest
    return {
      version: PACKAGE_VERSION,
      up_s: Math.round((system.nowMs() - this.#startedMs) / 1000),
      ...{ readiness, clients: replica.table.clients, connections: connections(), watchers: watchers() },
      fixes_per_s: this.#rates.of('fixes'),
      accepted_per_s: this.#rates.of('accepted'),
      busy_pct: this.#busyPct,
      audits_failed: counters.auditsFailed,
      clock_off_ms: clockOffMs === null ? null : Math.round(clockOffMs),
      ...{ http, mqtt },
      links: statuses.map(({ neighbor, open, roundTripMs, queued }): LinkHealth => {
        return {
          ...{ neighbor, open, round_trip_ms: roundTripMs === null ? null : rounded(roundTripMs), queued },
          in_per_s: this.#rates.of(`in ${neighbor}`),
          out_per_s: this.#rates.of(`out ${neighbor}`),
        }
      }),
      budgets: this.#context.budgets().map(budgetHealth),
      vector: this.#digest.vector,
      ...(table === undefined ? {} : { table }),
    }
  }

  /** How all servers are that have said so lately, this one among them. */
  rows(): readonly HealthRow[] {
    return this.#rows.fresh
  }

  /** Whether the tables of all servers that are reached are equal; `null`: not known now. */
  get agree(): boolean | null {
    return tablesAgree(this.rows(), this.#context.members.reachable())
  }

  /** The herd as this server sees it. */
  view(): HerdView {
    const { herd, name: server, members, system } = this.#context
    const reached = members.reachable()
    const nowMs = system.nowMs()
    const rows = new Map(this.rows().map((row) => [row.name, row]))
    const servers = members.rows.map(({ name, host, port, state, links }): HerdViewServer => {
      const row = rows.get(name)
      const seen = { name, host, port, reachable: reached.has(name), state, links }
      if (row === undefined || state === 'left') return seen
      return {
        ...seen,
        health: { ...row.health, run: row.run, age_s: rounded((nowMs - row.heardMs) / 1000) },
      }
    })
    return { herd, server, servers, agree: tablesAgree([...rows.values()], reached) }
  }

  #look(): void {
    const { system, counters, links } = this.#context
    const nowMs = system.nowMs()
    this.#rates.note(nowMs, [
      ['fixes', counters.fixesNew],
      ['accepted', counters.iamats + counters.reports],
      ...links().statuses.flatMap(({ neighbor, lines }): [string, number][] => {
        return [
          [`in ${neighbor}`, lines?.in ?? 0],
          [`out ${neighbor}`, lines?.out ?? 0],
        ]
      }),
    ])
    this.#sumUp()
    const state = this.#state
    if (state !== this.#toldState || nowMs - this.#toldMs >= HEALTH_MS - LOOK_MS / 2) {
      this.#noteBusy()
      this.#toldState = state
      this.#toldMs = nowMs
      this.#rows.tell(this.own(), system.wallMs())
      // Those that are silent take no place.
      this.rows()
    }
    this.#cancelLook = system.after(LOOK_MS, () => this.#look())
  }

  /** What others should hear of before the two seconds are over. */
  get #state(): string {
    const { links, counters } = this.#context
    const { readiness, statuses, clockOffMs } = links()
    const open = statuses.filter((link) => link.open).map(({ neighbor }) => neighbor)
    return [readiness, counters.auditsFailed, clockOffMs === null, this.#digest.table, ...open].join(' ')
  }

  #sumUp(): void {
    const { system } = this.#context
    const now = { seconds: 0, nanoseconds: 0 }
    system.readClock(now)
    if (!this.#digest.look(now)) return
    const step = (): void => {
      if (!this.#digest.step()) this.#cancelStep = system.after(STEP_MS, step)
    }
    step()
  }

  #noteBusy(): void {
    const used = performance.eventLoopUtilization()
    const { utilization } = performance.eventLoopUtilization(used, this.#busy)
    this.#busyPct = Number.isFinite(utilization) ? rounded(utilization * 100) : 0
    this.#busy = used
  }
}

/** Rates of what is counted, over the last looks. */
class Rates {
  readonly #looks: { readonly atMs: number; readonly counts: ReadonlyMap<string, number> }[] = []

  note(atMs: number, counts: readonly (readonly [string, number])[]): void {
    this.#looks.push({ atMs, counts: new Map(counts) })
    if (this.#looks.length > RATE_LOOKS + 1) this.#looks.shift()
  }

  /** Per second. */
  of(name: string): number {
    const [first, last] = [this.#looks[0], this.#looks.at(-1)]
    if (first === undefined || last === undefined || last.atMs <= first.atMs) return 0
    const [from = 0, to = 0] = [first.counts.get(name), last.counts.get(name)]
    // A link that was opened anew counts from 0.
    return rounded(((to < from ? to : to - from) * 1000) / (last.atMs - first.atMs))
  }
}

function budgetHealth(budget: PlacesStatus['budgets'][number]): BudgetHealth {
  const { provider, per, period, usedHere, usedByHerd, leftHere } = budget
  return {
    ...{ provider, per, period, budget: budget.budget },
    ...{ used_here: usedHere, used_by_herd: usedByHerd, left_here: leftHere },
  }
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10
}
