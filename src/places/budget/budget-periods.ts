/** Days and months of UTC, as budgets count them. Pure. */

/** What a budget is counted by. */
export type PeriodUnit = 'day' | 'month'

/** A period at a time, and how much of it is over. */
export interface PeriodAt {
  /** `2026-11-21` or `2026-11`. Of two of one unit the later is the greater text. */
  readonly period: string
  /** 0 … 1. */
  readonly elapsed: number
}

const DAY_MS = 86_400_000
/** The period that a time lies in. @param wallMs milliseconds since 1970. */
export function periodAt(unit: PeriodUnit, wallMs: number): PeriodAt {
  const date = new Date(wallMs)
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()]
  const [startMs, endMs] =
    unit === 'day'
      ? [Math.floor(wallMs / DAY_MS) * DAY_MS, (Math.floor(wallMs / DAY_MS) + 1) * DAY_MS]
      : [Date.UTC(year, month), Date.UTC(year, month + 1)]
  const elapsed = (wallMs - startMs) / (endMs - startMs)
  return { period: date.toISOString().slice(0, unit === 'day' ? 10 : 7), elapsed }
}

/** The unit of a period's text. */
export function unitOf(period: string): PeriodUnit {
  return period.length > 7 ? 'day' : 'month'
}

/** Whether a period is the one of a day around a time: servers' clocks differ, but hardly more. */
export function isNearPeriod(period: string, wallMs: number): boolean {
  const unit = unitOf(period)
  return [-DAY_MS, 0, DAY_MS].some((ms) => periodAt(unit, wallMs + ms).period === period)
}
