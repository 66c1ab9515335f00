import { FloodedRows } from '../../replication/flooded-rows.ts'
import { isNearPeriod, unitOf } from './budget-periods.ts'
import {
  type BudgetRow,
  budgetRowName,
  joinBudgetRows,
  readBudgetRow,
  writeBudgetRow,
} from './budget-rows.ts'

/** Rows of all budgets, periods and servers together. */
export const BUDGET_ROWS_MAX = 32_768
/** Periods of one budget and unit that are remembered: the last, this, the next, and one more that a clock was wrong about. */
export const PERIODS_MAX = 4

/**
 * The rows of all servers, of budgets that this server knows and of those that it only passes on. Of each budget, the
 * latest days and months are remembered; what was forgotten is over, and gives no calls again. No clock of its own.
 */
export class BudgetLedger {
  /** What links flood. */
  readonly flood: FloodedRows<BudgetRow>
  /** The latest period that was forgotten, by budget and unit. */
  readonly #over = new Map<string, string>()
  /** The names of rows, by period and by budget and unit. */
  readonly #names = new Map<string, Map<string, Set<string>>>()

  /** @param wallMs the time now: rows of a period far from it are not taken from others. */
  constructor(wallMs: () => number, rowsMax: number = BUDGET_ROWS_MAX) {
    this.flood = new FloodedRows<BudgetRow>(
      {
        word: 'budget',
        nameOf: budgetRowName,
        read: readBudgetRow,
        write: writeBudgetRow,
        join: joinBudgetRows,
        takes: (row) => isNearPeriod(row.period, wallMs()) && this.#makeRoom(row),
      },
      rowsMax,
    )
  }

  /** The latest periods that are over for good, by budget and unit. */
  get over(): ReadonlyMap<string, string> {
    return this.#over
  }

  /** The rows of one budget and period. */
  rowsOf(key: string, period: string): BudgetRow[] {
    const names = this.#names.get(seriesOf(key, period))?.get(period) ?? []
    return [...names].flatMap((name) => this.flood.get(name) ?? [])
  }

  /** Whether a period is over for good. */
  isOver(key: string, period: string): boolean {
    return period <= (this.#over.get(seriesOf(key, period)) ?? '')
  }

  /** Puts a row of this server, or one that a file has kept. @returns whether it was taken. */
  put(row: BudgetRow): boolean {
    return this.#makeRoom(row) && this.flood.put(row)
  }

  /** Says that a period is over for good, and all before it. */
  close(key: string, period: string): void {
    if (this.isOver(key, period)) return
    const series = seriesOf(key, period)
    this.#over.set(series, period)
    const periods = this.#names.get(series)
    for (const [each] of periods ?? []) if (each <= period) periods?.delete(each)
    this.flood.forget((row) => seriesOf(row.key, row.period) === series && row.period <= period)
  }

  /** Makes room for a row and its period; `false` when there is none: the period is over, or there are rows enough. */
  #makeRoom(row: BudgetRow): boolean {
    const { key, period } = row
    if (this.isOver(key, period)) return false
    const name = budgetRowName(row)
    if (this.flood.get(name) === undefined && this.flood.isFull) return false
    const series = seriesOf(key, period)
    const periods = this.#names.get(series) ?? new Map<string, Set<string>>()
    this.#names.set(series, periods)
    const names = periods.get(period) ?? new Set<string>()
    periods.set(period, names.add(name))
    const [first = period] = [...periods.keys()].sort()
    if (periods.size > PERIODS_MAX) this.close(key, first)
    return periods.size <= PERIODS_MAX && periods.has(period)
  }
}

function seriesOf(key: string, period: string): string {
  return `${key} ${unitOf(period)}`
}
