/**
 * Whether a server knows what its herd knows. `ready`: each open link has brought all that there was. `catching up`: not
 * yet. `alone`: none of its neighbors is reached.
 */
export type Readiness = 'ready' | 'catching up' | 'alone'

/** A link of a server, as the server sees it. */
export interface LinkHealth {
  readonly neighbor: string
  readonly open: boolean
  readonly round_trip_ms: number | null
  /** Fixes owed to the neighbor. */
  readonly queued: number
  /** AT lines a second, from the neighbor and to it. */
  readonly in_per_s: number
  readonly out_per_s: number
}

/** What the herd may ask of a provider of places, as one server sees it. */
export interface BudgetHealth {
  readonly provider: string
  readonly per: 'day' | 'month'
  readonly period: string
  readonly budget: number
  readonly used_here: number
  readonly used_by_herd: number
  readonly left_here: number
}

/** How a server is, as it says of itself. Rates are those of the last seconds. The names are those of the HTTP API. */
export interface ServerHealth {
  /** Of Herd. */
  readonly version: string
  readonly up_s: number
  readonly readiness: Readiness
  readonly clients: number
  /** Connections that were accepted and are open; links that the neighbor dialed are among them. */
  readonly connections: number
  /** Who is told of fixes as they come. */
  readonly watchers: number
  /** Fixes a second that were new, from clients and neighbors. */
  readonly fixes_per_s: number
  /** Reports a second of its own clients. */
  readonly accepted_per_s: number
  /** The part of the time in which it was at work, of one processor. */
  readonly busy_pct: number
  /** Times that its table differed from a neighbor's and should not have. */
  readonly audits_failed: number
  /** By how much its clock is off most neighbors'; `null`: not by much. */
  readonly clock_off_ms: number | null
  readonly http: boolean
  readonly mqtt: boolean
  readonly links: readonly LinkHealth[]
  readonly budgets: readonly BudgetHealth[]
  /** A digest of what it claims to hold. Servers that claim the same have equal ones. */
  readonly vector: string
  /** A digest of its table as it stands; absent while that changes. Equal claims with unequal tables are a fault. */
  readonly table?: string
}

/** A row about a server. */
export interface HealthRow {
  readonly name: string
  /** The server's clock when it said so, in milliseconds; it only goes on. */
  readonly version: number
  /** The server's run, in hex. */
  readonly run: string
  /** The row's last field as it was said: what a later version says besides is passed on. */
  readonly text: string
  readonly health: ServerHealth
  /** When it was heard here, by a clock that only goes on. */
  readonly heardMs: number
}

/** Links and budgets that a row tells of; a server with more leaves out the last. */
export const HEALTH_LINKS_MAX = 64
export const HEALTH_BUDGETS_MAX = 16
/** The longest text of a row's health. */
export const HEALTH_BYTES_MAX: number = 16 * 1024
const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/
const RUN = /^[0-9a-f]{1,64}$/
const WORD = /^[\x21-\x7e]{1,64}$/
const ASCII = /^[\x20-\x7e]*$/
const NUMBER_END = 1e15

/** Makes a row of a server about itself. */
export function makeHealthRow(
  { name, version, run, heardMs }: Omit<HealthRow, 'text' | 'health'>,
  health: ServerHealth,
): HealthRow {
  const links = health.links.slice(0, HEALTH_LINKS_MAX)
  const budgets = health.budgets.slice(0, HEALTH_BUDGETS_MAX)
  const said = { ...health, links, budgets }
  return { name, version, run, heardMs, health: said, text: JSON.stringify(said) }
}

/** A row as it is said: name, version, run, and the rest as JSON. */
export function writeHealthRow({ name, version, run, text }: HealthRow): string {
  return `${name} ${version} ${run} ${text}`
}

/** Reads a row; `null` if it isn't one. */
export function readHealthRow(said: string, heardMs: number): HealthRow | null {
  const [, name = '', version = '', run = '', text = ''] = /^(\S+) (\S+) (\S+) (.*)$/.exec(said) ?? []
  if (!NAME.test(name) || !/^\d{1,15}$/.test(version) || !RUN.test(run)) return null
  if (text.length > HEALTH_BYTES_MAX || !ASCII.test(text)) return null
  const health = readHealth(text)
  return health === null ? null : { name, version: Number(version), run, text, health, heardMs }
}

/** The newer of two rows of one server; `known` itself when `heard` is no newer. */
export function joinHealthRows(known: HealthRow, heard: HealthRow): HealthRow {
  if (heard.version !== known.version) return heard.version > known.version ? heard : known
  // Two of one version are of different lives, or of twins: all servers settle on the same one.
  return writeHealthRow(heard) > writeHealthRow(known) ? heard : known
}

function readHealth(text: string): ServerHealth | null {
  const said = parse(text)
  if (!isRecord(said)) return null
  const { links: saidLinks, budgets: saidBudgets } = said
  const links = readList(saidLinks, HEALTH_LINKS_MAX, readLink)
  const budgets = readList(saidBudgets, HEALTH_BUDGETS_MAX, readBudget)
  if (links === null || budgets === null) return null
  const { version, readiness, http, mqtt, vector, table, clock_off_ms } = said
  if (!isWord(version) || !isReadiness(readiness) || !isWord(vector)) return null
  if (typeof http !== 'boolean' || typeof mqtt !== 'boolean' || !isNumberOrNull(clock_off_ms)) return null
  if (table !== undefined && !isWord(table)) return null
  const { up_s, clients, connections, watchers, fixes_per_s, accepted_per_s, busy_pct, audits_failed } = said
  if (!isCount(up_s) || !isCount(clients) || !isCount(connections) || !isCount(watchers)) return null
  if (!isCount(fixes_per_s) || !isCount(accepted_per_s) || !isCount(busy_pct) || !isCount(audits_failed))
    return null
  return {
    ...{ version, up_s, readiness, clients, connections, watchers, fixes_per_s, accepted_per_s, busy_pct },
    ...{ audits_failed, clock_off_ms, http, mqtt, links, budgets, vector },
    ...(table === undefined ? {} : { table }),
  }
}

function readList<Item>(
  said: unknown,
  max: number,
  read: (said: unknown) => Item | null,
): readonly Item[] | null {
  if (!Array.isArray(said) || said.length > max) return null
  const items = said.map(read)
  return items.every((item) => item !== null) ? items : null
}

function readLink(said: unknown): LinkHealth | null {
  if (!isRecord(said)) return null
  const { neighbor, open, round_trip_ms, queued, in_per_s, out_per_s } = said
  if (typeof neighbor !== 'string' || !NAME.test(neighbor) || typeof open !== 'boolean') return null
  if (round_trip_ms !== null && !isCount(round_trip_ms)) return null
  if (!isCount(queued) || !isCount(in_per_s) || !isCount(out_per_s)) return null
  return { neighbor, open, round_trip_ms, queued, in_per_s, out_per_s }
}

function readBudget(said: unknown): BudgetHealth | null {
  if (!isRecord(said)) return null
  const { provider, per, period, budget, used_here, used_by_herd, left_here } = said
  if (!isWord(provider) || (per !== 'day' && per !== 'month') || !isWord(period)) return null
  if (!isCount(budget) || !isCount(used_here) || !isCount(used_by_herd) || !isCount(left_here)) return null
  return { provider, per, period, budget, used_here, used_by_herd, left_here }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && WORD.test(value)
}

function isReadiness(value: unknown): value is Readiness {
  return value === 'ready' || value === 'catching up' || value === 'alone'
}

/** A number from 0 up. */
function isCount(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value < NUMBER_END
}

function isNumberOrNull(value: unknown): value is number | null {
  return value === null || (typeof value === 'number' && Math.abs(value) < NUMBER_END)
}
