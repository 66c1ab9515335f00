import { FloodedRows } from './flooded-rows.ts'
import {
  type HealthRow,
  joinHealthRows,
  makeHealthRow,
  readHealthRow,
  type ServerHealth,
  writeHealthRow,
} from './health-row.ts'

/** A server says how it is at least so often … */
export const HEALTH_MS = 2000
/** … and one that hasn't for so long isn't told of any more. */
export const HEALTH_FRESH_MS = 10_000

/** Whose rows these are, and what time it is. */
export interface HealthRowsOptions {
  readonly name: string
  readonly run: string
  /** Rows of servers at most; one more is not taken until another has gone stale. */
  readonly rowsMax: number
  /** A clock that only goes on. */
  readonly nowMs: () => number
}

/**
 * How each server of the herd is, as it says of itself: every server floods a row about itself, and keeps the newest of every
 * other for as long as new ones come. Pure.
 */
export class HealthRows {
  /** What links flood. */
  readonly flood: FloodedRows<HealthRow>
  readonly #options: HealthRowsOptions
  /** The version of this server's last row, or a greater one that its earlier lives have left in the herd. */
  #version = 0
  /** The last row of servers that are silent: a server that has it still must not bring it back. */
  readonly #gone = new Map<string, Pick<HealthRow, 'version' | 'run'>>()

  constructor(options: HealthRowsOptions) {
    this.#options = options
    const { nowMs, rowsMax } = options
    this.flood = new FloodedRows<HealthRow>(
      {
        word: 'health',
        nameOf: ({ name }) => name,
        read: (text) => readHealthRow(text, nowMs()),
        write: writeHealthRow,
        join: joinHealthRows,
        takes: (row) => this.#takes(row),
      },
      rowsMax,
    )
  }

  /** Says how this server is. @param wallMs its clock. */
  tell(health: ServerHealth, wallMs: number): void {
    const { name, run, nowMs } = this.#options
    this.#version = Math.max(this.#version + 1, Math.floor(wallMs))
    this.flood.put(makeHealthRow({ name, run, version: this.#version, heardMs: nowMs() }, health))
  }

  /** The rows of all servers that have said something lately, this one's among them; those that are silent are forgotten. */
  get fresh(): HealthRow[] {
    const { name, nowMs, rowsMax } = this.#options
    const since = nowMs() - HEALTH_FRESH_MS
    const isOver = (row: HealthRow): boolean => row.name !== name && row.heardMs <= since
    for (const row of this.flood.rows.filter(isOver)) {
      this.#gone.delete(row.name)
      this.#gone.set(row.name, { version: row.version, run: row.run })
    }
    for (const silent of this.#gone.keys()) if (this.#gone.size > rowsMax) this.#gone.delete(silent)
    this.flood.forget(isOver)
    return this.flood.rows
  }

  #takes({ name, run, version }: HealthRow): boolean {
    if (name === this.#options.name) {
      // An earlier life's, whose clock was ahead: this one goes beyond it when it speaks next.
      if (run !== this.#options.run) this.#version = Math.max(this.#version, version)
      return false
    }
    const gone = this.#gone.get(name)
    return gone === undefined || gone.run !== run || version > gone.version
  }
}

/**
 * Whether these servers' tables are equal. `false`: two that claim to hold the same hold different things, which is a fault.
 * `null`: not known, because one hasn't said how it is, or because fixes are on their way.
 */
export function tablesAgree(rows: readonly HealthRow[], servers: ReadonlySet<string>): boolean | null {
  const healths = rows.flatMap(({ name, health }) => (servers.has(name) ? [health] : []))
  const tables = new Map<string, string>()
  for (const { vector, table } of healths) {
    if (table === undefined) continue
    // What is left out as too old must be the same, too.
    const [before = '', digest = ''] = table.split('.')
    const key = `${vector} ${before}`
    if ((tables.get(key) ?? digest) !== digest) return false
    tables.set(key, digest)
  }
  const isKnown = healths.length === servers.size && healths.every(({ table }) => table !== undefined)
  return isKnown && tables.size === 1 ? true : null
}
