import { randomBytes } from 'node:crypto'
import type { Floods, LinkFlood } from '../../replication/flooded-rows.ts'
import type { PlacesWorld } from '../world.ts'
import { type BudgetMemory, loadBudgetMemory, saveBudgetMemory } from './budget-file.ts'
import { BudgetLedger } from './budget-ledger.ts'
import { type PeriodUnit, periodAt } from './budget-periods.ts'
import {
  blockOf,
  equalShare,
  giveWay,
  handOver,
  newRow,
  rightsOf,
  setAside,
  shareOf,
  usedBy,
  wantMore,
} from './budget-rights.ts'
import { type BudgetRow, budgetRowName } from './budget-rows.ts'

/** Whether a call may go out, or which limit forbids it. */
export type BudgetVerdict = 'granted' | 'callsPerDayMax' | 'callsPerMonthMax'

/** What the whole herd may ask of a provider; 0: no limit. */
export interface BudgetLimits {
  readonly callsPerDayMax: number
  readonly callsPerMonthMax: number
}

/** The calls of one provider. */
export interface ProviderBudget {
  /** Takes one call out of the day's and the month's budget, or none out of either. A retry is one more call. */
  take(): BudgetVerdict
}

/** One budget, as `herd status` shows it. */
export interface BudgetStatus {
  readonly provider: string
  readonly per: PeriodUnit
  readonly period: string
  /** Calls of the whole herd. */
  readonly budget: number
  /** Calls that this server has made. */
  readonly usedHere: number
  /** Calls that were made by all servers, or are set aside by them, as far as is known here. */
  readonly usedByHerd: number
  /** Calls that this server may still make without being handed any. */
  readonly leftHere: number
}

/** What the budgets of a server are made of. */
export interface HerdBudgetOptions {
  /** This server's name. */
  readonly server: string
  /** The servers that the budgets are shared by, in the same order on each of them. */
  readonly servers: readonly string[]
  /** By provider. */
  readonly limits: Readonly<Record<string, BudgetLimits>>
  /** Where this server alone keeps what it spent; `null` for nowhere. */
  readonly file: string | null
  readonly world: Pick<PlacesWorld, 'wallMs' | 'after'>
  /** Whether another server is reached. */
  readonly isReachable: (server: string) => boolean
  /** Hears once that the file can't be read or written, and once that it can again. */
  readonly onTrouble: (text: string) => void
}

/** How often is looked for what nobody says: another day, and wants that those who should fulfil don't. */
export const BUDGET_LOOK_MS = 10_000
/** Providers that spend from one budget. */
const SHARED: ReadonlyMap<string, string> = new Map([['google-legacy', 'google']])
const UNITS = ['day', 'month'] as const
const VERDICTS = { day: 'callsPerDayMax', month: 'callsPerMonthMax' } as const
const UNLIMITED: ProviderBudget = { take: () => 'granted' }

/** A budget in its present period: calls that are set aside may be made at once. */
interface Account {
  readonly key: string
  readonly unit: PeriodUnit
  readonly budget: number
  /** The greatest period that the clock has shown, or one before it, when the clock was set back. */
  period: string
  setAside: number
  /** What is set aside is out of a file that would say so again. */
  isFromFile: boolean
}

/**
 * The budgets of a herd, as one of its servers has them. What may be spent here is decided here, at once and without
 * asking (`budget-rights.ts`); what was spent is on the disk before the call goes out, and is told to all servers.
 */
export class HerdBudget {
  readonly #options: HerdBudgetOptions
  readonly #ledger: BudgetLedger
  readonly #accounts: readonly Account[]
  readonly #left: Map<string, number>
  readonly #life: string
  #hasTrouble = false
  /** The file is this process's own work. */
  #hasSaved = false
  #stopTimer: () => void = () => {}
  #stopSettling: (() => void) | null = null

  /** Reads the file, and begins to look after the budgets. Nothing is written before the first call. */
  constructor(options: HerdBudgetOptions) {
    this.#options = options
    const { world, limits } = options
    this.#ledger = new BudgetLedger(() => world.wallMs())
    const memory = this.#load()
    this.#life = memory?.life ?? randomBytes(8).toString('hex')
    this.#left = new Map(memory?.left)
    for (const [series, period] of memory?.over ?? []) this.#ledger.close(series.split(' ')[0] ?? '', period)
    for (const row of memory?.rows ?? []) this.#ledger.put(row)
    this.#accounts = Object.entries(limits).flatMap(([key, { callsPerDayMax, callsPerMonthMax }]) => {
      const max = { day: callsPerDayMax, month: callsPerMonthMax }
      return UNITS.filter((unit) => max[unit] > 0).map((unit) => {
        return { key, unit, budget: max[unit], period: '', setAside: 0, isFromFile: false }
      })
    })
    this.#look()
  }

  /** What links flood. */
  get flood(): Floods {
    const { flood } = this.#ledger
    return { listen: (onChange) => flood.listen(onChange), openFor: () => this.#openFor(flood.openFor()) }
  }

  /** One row for each budget. */
  get status(): BudgetStatus[] {
    return this.#accounts.map((account) => {
      this.#turn(account)
      const { key, unit, period, budget, setAside: ready } = account
      const rows = this.#ledger.rowsOf(key, period)
      const ours = usedBy(rows.filter(({ server }) => server === this.#options.server))
      return {
        ...{ provider: key, per: unit, period, budget },
        usedHere: ours - ready,
        usedByHerd: usedBy(rows),
        leftHere: ready + rightsOf(this.#options.server, rows),
      }
    })
  }

  /** The budget of a provider. One without limits is always granted. */
  of(provider: string): ProviderBudget {
    const key = SHARED.get(provider) ?? provider
    const accounts = this.#accounts.filter((account) => account.key === key)
    return accounts.length === 0 ? UNLIMITED : { take: () => this.#take(accounts) }
  }

  /** Writes down what was set aside and not spent, so that the next start may spend it. */
  close(): void {
    this.#stopTimer()
    this.#stopSettling?.()
    // One that has spent nothing leaves the file alone: it may be that of another process, which has the port.
    if (!this.#hasSaved) return
    const left = new Map(this.#left)
    for (const account of this.#accounts) {
      if (account.setAside > 0) left.set(budgetRowName(this.#own(account)), account.setAside)
    }
    if (left.size > 0) this.#save(left)
  }

  #take(accounts: readonly Account[]): BudgetVerdict {
    for (const account of accounts) {
      this.#turn(account)
      if (account.setAside === 0) this.#setAside(account)
      if (account.setAside === 0) return VERDICTS[account.unit]
    }
    if (accounts.some(({ isFromFile }) => isFromFile) && !this.#spendFromFile(accounts))
      return this.#take(accounts)
    for (const account of accounts) account.setAside--
    return 'granted'
  }

  /** What is left of an earlier life must not be left for the next one too. */
  #spendFromFile(accounts: readonly Account[]): boolean {
    const isSaved = this.#save(this.#left)
    for (const account of accounts) {
      if (account.isFromFile && !isSaved) account.setAside = 0
      account.isFromFile = false
    }
    return isSaved
  }

  /** Sets the next block aside, and writes it down before any of it is spent. */
  #setAside(account: Account): void {
    const { key, period, budget } = account
    const equal = equalShare(this.#options.servers, budget)
    const own = this.#own(account)
    const more = setAside(own, this.#ledger.rowsOf(key, period), blockOf(equal))
    const isTaken = more !== own && this.#ledger.put(more)
    if (isTaken) account.setAside = more.used - own.used
    const rows = this.#ledger.rowsOf(key, period)
    this.#ledger.put(wantMore(isTaken ? more : own, rows, equal))
    if (isTaken) this.#save(this.#left)
  }

  /** Begins the period that the clock shows, if it is another one. */
  #turn(account: Account): void {
    const { key, unit } = account
    const { period } = periodAt(unit, this.#options.world.wallMs())
    if (period === account.period) return
    if (account.setAside > 0) this.#left.set(budgetRowName(this.#own(account)), account.setAside)
    account.period = period
    const name = budgetRowName(this.#own(account))
    account.setAside = this.#left.get(name) ?? 0
    account.isFromFile = account.setAside > 0
    this.#left.delete(name)
    if (!this.#ledger.isOver(key, period)) this.#ledger.put(this.#own(account))
    for (const kept of this.#left.keys())
      if (this.#ledger.flood.get(kept) === undefined) this.#left.delete(kept)
  }

  /** This server's row, also when it isn't one yet. A period that is over has no share. */
  #own({ key, period, budget }: Account): BudgetRow {
    const { server, servers } = this.#options
    const share = this.#ledger.isOver(key, period) ? 0 : shareOf(server, servers, budget)
    const row = newRow({ key, period, server, life: this.#life, share })
    return this.#ledger.flood.get(budgetRowName(row)) ?? row
  }

  #openFor(link: LinkFlood): LinkFlood {
    return {
      get owes(): boolean {
        return link.owes
      },
      hear: (text) => {
        const isNews = link.hear(text)
        // Rows come many at a time, and are looked at together.
        if (isNews) this.#stopSettling ??= this.#options.world.after(0, () => this.#settle('first'))
        return isNews
      },
      pull: (output) => link.pull(output),
    }
  }

  /** Hands over what others want. */
  #settle(turn: 'first' | 'any'): void {
    this.#stopSettling?.()
    this.#stopSettling = null
    let hasGiven = false
    for (const account of this.#accounts) {
      this.#turn(account)
      hasGiven = this.#settleAccount(account, turn) || hasGiven
    }
    if (hasGiven) this.#save(this.#left)
  }

  #settleAccount(account: Account, turn: 'first' | 'any'): boolean {
    const { key, unit, period, budget } = account
    const { servers, isReachable, world } = this.#options
    if (this.#ledger.isOver(key, period)) return false
    this.#ledger.put(giveWay(this.#own(account), this.#ledger.rowsOf(key, period), servers, budget))
    const own = this.#own(account)
    const { elapsed } = periodAt(unit, world.wallMs())
    const given = handOver(own, this.#ledger.rowsOf(key, period), { elapsed, isReachable, turn })
    return given !== own && this.#ledger.put(given)
  }

  #look(): void {
    this.#settle('any')
    this.#stopTimer = this.#options.world.after(BUDGET_LOOK_MS, () => this.#look())
  }

  #load(): BudgetMemory | null {
    const { file } = this.#options
    if (file === null) return null
    try {
      return loadBudgetMemory(file)
    } catch (error) {
      this.#trouble('read', error)
      return null
    }
  }

  /** @returns whether it is on the disk. */
  #save(left: ReadonlyMap<string, number>): boolean {
    const { file, onTrouble } = this.#options
    if (file === null) return false
    try {
      saveBudgetMemory(file, {
        life: this.#life,
        rows: this.#ledger.flood.rows,
        over: this.#ledger.over,
        left,
      })
      this.#hasSaved = true
      if (this.#hasTrouble) onTrouble(`${file} is written again: calls of providers are remembered`)
      this.#hasTrouble = false
      return true
    } catch (error) {
      this.#trouble('written', error)
      return false
    }
  }

  #trouble(what: 'read' | 'written', error: unknown): void {
    if (this.#hasTrouble) return
    this.#hasTrouble = true
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
    this.#options.onTrouble(
      `${this.#options.file} can't be ${what} (${code}): calls of providers are counted in memory, and a restart of all servers forgets them`,
    )
  }
}
