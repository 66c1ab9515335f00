/** What a server says of its part of a budget, as it is flooded to all servers. Pure. */

/** One life of a server, and what it has done with the rights of one budget in one period. It only grows. */
export interface BudgetRow {
  /** Whose calls: the name of a provider. */
  readonly key: string
  /** A UTC day, `2026-11-21`, or month, `2026-11`. */
  readonly period: string
  /** Only this server writes the row. */
  readonly server: string
  /** Lasts as long as the file that the server keeps its rows in: who has lost it begins another life. */
  readonly life: string
  /** Calls that the server began the period with. */
  readonly share: number
  /** Calls made, and calls that are set aside to be made. */
  readonly used: number
  /** Calls that it would like to be handed over in all; what exceeds what it was handed, it wants now. */
  readonly wants: number
  /** Calls handed over in all, by the server that they are for. */
  readonly handed: ReadonlyMap<string, number>
}

/** Servers that one server hands calls over to, in one period. */
export const RECEIVERS_MAX = 512
/** Calls in a budget at most: what the settings allow. */
export const CALLS_END = 1_000_000_001

const KEY = /^[a-z][a-z0-9-]{0,31}$/
const PERIOD = /^\d{4}-\d{2}(?:-\d{2})?$/
const SERVER = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/
const LIFE = /^[0-9a-f]{1,32}$/
const NOBODY = '-'

/** Names a row among all: there is one of each budget, period, server and life. */
export function budgetRowName({ key, period, server, life }: BudgetRow): string {
  return `${key} ${period} ${server} ${life}`
}

/** A row as it is said; receivers by name, so that the same row is always the same text. */
export function writeBudgetRow(row: BudgetRow): string {
  const handed = [...row.handed].sort(([a], [b]) => (a < b ? -1 : 1)).map(([to, calls]) => `${to}:${calls}`)
  const list = handed.length === 0 ? NOBODY : handed.join(',')
  return `${budgetRowName(row)} ${row.share} ${row.used} ${row.wants} ${list}`
}

/** Reads a row; `null` if it isn't one. Fields behind those we know are a later version's. */
export function readBudgetRow(text: string): BudgetRow | null {
  const [key = '', period = '', server = '', life = '', share = '', used = '', wants = '', list = ''] =
    text.split(' ')
  if (!KEY.test(key) || !PERIOD.test(period) || !SERVER.test(server) || !LIFE.test(life)) return null
  const handed = readHanded(list)
  const [shareNumber, usedNumber, wantsNumber] = [readCalls(share), readCalls(used), readCalls(wants)]
  if (handed === null || shareNumber < 0 || usedNumber < 0 || wantsNumber < 0) return null
  return { key, period, server, life, share: shareNumber, used: usedNumber, wants: wantsNumber, handed }
}

/** The least row that covers both, which are of one name: `known` itself when `heard` brings nothing. */
export function joinBudgetRows(known: BudgetRow, heard: BudgetRow): BudgetRow {
  const handed = new Map(known.handed)
  for (const [to, calls] of heard.handed) {
    // An owner never says so many; a row that does is cut, as it would be by its reader.
    if (calls > (handed.get(to) ?? 0) && (handed.has(to) || handed.size < RECEIVERS_MAX))
      handed.set(to, calls)
  }
  const joined: BudgetRow = {
    ...known,
    // A share may be given up, and never comes back.
    share: Math.min(known.share, heard.share),
    used: Math.max(known.used, heard.used),
    wants: Math.max(known.wants, heard.wants),
    handed,
  }
  return isSame(joined, known) ? known : joined
}

function isSame(one: BudgetRow, other: BudgetRow): boolean {
  if (one.share !== other.share || one.used !== other.used || one.wants !== other.wants) return false
  if (one.handed.size !== other.handed.size) return false
  for (const [to, calls] of one.handed) if (other.handed.get(to) !== calls) return false
  return true
}

function readHanded(list: string): Map<string, number> | null {
  const handed = new Map<string, number>()
  if (list === NOBODY) return handed
  const entries = list.split(',')
  if (entries.length > RECEIVERS_MAX) return null
  for (const entry of entries) {
    const [to = '', calls = ''] = entry.split(':')
    const number = readCalls(calls)
    if (!SERVER.test(to) || number < 1) return null
    handed.set(to, number)
  }
  return handed
}

/** Or −1. */
function readCalls(text: string): number {
  if (!/^\d{1,10}$/.test(text)) return -1
  const number = Number(text)
  return number < CALLS_END ? number : -1
}
