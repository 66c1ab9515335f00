/** What `herd status` prints. */
import type { ServerSettings } from '../config.ts'
import type { LinkStatus, MemberStatus, ProviderStatus, ServerStatus } from '../replication/status.ts'
import { type Split, splitText } from './herd-view.ts'
import { addressText, columns, printable } from './terminal.ts'

/** One server's row. A classic server has no status of its own: its neighbors tell of their links. */
export interface Row {
  readonly server: ServerSettings
  /** It came by itself, and stands in no herd file here. */
  readonly joined: boolean
  readonly answer:
    | { readonly state: 'up'; readonly status: ServerStatus }
    | { readonly state: 'down'; readonly reason: string }
    /** It wasn't asked: this is what others say of it. */
    | { readonly state: 'told'; readonly member: MemberStatus }
    | { readonly state: 'classic' }
}

/** All that there is to say of a herd. */
export interface HerdReport {
  readonly herd: string
  readonly ok: boolean
  readonly rows: readonly Row[]
  /** Servers that have left, and aren't missed. */
  readonly left: ReadonlySet<string>
  readonly splits: readonly Split[]
}

const TITLE = ['server', 'address', 'state', 'links', 'clients', 'connections', 'last fix']
const PLACES_TITLE = ['places', 'state', 'asks', 'kept', 'calls', 'failed', 'refused', 'mean time', 'cost']
const LINKS_TITLE = ['link', 'state', 'for', 'round trip', 'clock', 'owed']

/** One object, and a newline. */
export function jsonOf({ herd, ok, rows, splits, left }: HerdReport): string {
  const servers = rows.map(({ server, joined, answer }) => ({ ...server, joined, ...answer }))
  return `${JSON.stringify({ herd, ok, splits, left: [...left], servers })}\n`
}

/** Tables, and a line for each thing that is wrong. */
export function textOf(report: HerdReport, withLinks: boolean): string {
  const { herd, rows, left } = report
  const ours = rows.filter(({ server, answer }) => answer.state !== 'classic' && !left.has(server.name))
  const up = ours.filter(isUp)
  const lines = columns([TITLE, ...rows.map((row) => cellsOf(row, left))])
  const links = withLinks ? linkLines(rows) : []
  const tail = [...splitLines(report), ...reasonsOf(rows, left), ...troublesOf(rows)]
  const head = [`herd ${herd}: ${up.length} of ${ours.length} servers up`]
  const paragraphs = [head, lines, links, placesLines(rows), tail]
  return paragraphs
    .filter(({ length }) => length > 0)
    .map((each) => `${each.join('\n')}\n`)
    .join('\n')
}

function isUp({ answer }: Row): boolean {
  return answer.state === 'up' || (answer.state === 'told' && answer.member.reachable)
}

function splitLines({ splits, rows }: HerdReport): string[] {
  const down = new Set(rows.filter(({ answer }) => answer.state === 'down').map(({ server }) => server.name))
  return splits.map((split) => splitText(split, (name) => down.has(name)))
}

// A reason that many share is said once.
function reasonsOf(rows: readonly Row[], left: ReadonlySet<string>): string[] {
  const servers = new Map<string, string[]>()
  for (const { server, answer } of rows) {
    if (answer.state !== 'down' || left.has(server.name)) continue
    servers.set(answer.reason, [...(servers.get(answer.reason) ?? []), server.name])
  }
  return Array.from(servers, ([reason, names]) => `${names.join(', ')}: ${printable(reason)}`)
}

function troublesOf(rows: readonly Row[]): string[] {
  return rows.flatMap(({ server, answer }) => {
    if (answer.state !== 'up') return []
    const { journal, hasTwin, readiness } = answer.status
    const troubles = [
      journal === 'failing' && 'its journal can’t be written: what is new is in memory only',
      hasTwin && 'another server of this name is in the herd: give one of them another',
      readiness === 'alone' && 'alone: it reaches none of its neighbors',
    ]
    return troubles.flatMap((trouble) => (trouble === false ? [] : [`${server.name}: ${trouble}`]))
  })
}

function cellsOf({ server, joined, answer }: Row, left: ReadonlySet<string>): string[] {
  const head = [joined ? `${server.name} (joined)` : server.name, addressText(server)]
  switch (answer.state) {
    case 'classic':
      return [...head, 'classic']
    case 'down':
      return [...head, left.has(server.name) ? 'left' : 'down']
    case 'told': {
      const { state, reachable, links } = answer.member
      if (state === 'left') return [...head, 'left']
      return [...head, reachable ? 'reachable' : 'NOT REACHABLE', links.join(', ') || 'none']
    }
    case 'up': {
      const { status: s } = answer
      return [
        ...head,
        `up ${ageText(s.upSeconds)}, ${s.readiness}`,
        linksText(server, s, left),
        `${s.clients}`,
        `${s.connections}`,
        fixText(s),
      ]
    }
    default:
      return answer satisfies never
  }
}

/** The neighbors that it should have by the herd file, then those that came by themselves. */
function linksText(
  { neighbors }: ServerSettings,
  { links }: ServerStatus,
  left: ReadonlySet<string>,
): string {
  const others = links.map(({ neighbor }) => neighbor).filter((name) => !neighbors.includes(name))
  const texts = [...neighbors, ...others].map((name) => {
    const isOpen = links.some(({ neighbor, open }) => neighbor === name && open)
    return `${name} ${isOpen ? 'open' : left.has(name) ? 'left' : 'DOWN'}`
  })
  return texts.join(', ') || 'none'
}

function linkLines(rows: readonly Row[]): string[] {
  const cells = rows.flatMap(({ server, answer }) => {
    return answer.state === 'up' ? answer.status.links.map((link) => linkCells(server.name, link)) : []
  })
  return cells.length === 0 ? [] : columns([LINKS_TITLE, ...cells])
}

function linkCells(server: string, link: LinkStatus): string[] {
  const { neighbor, open, caughtUp, classic, forSeconds, roundTripMs, clockOffsetMs, queued } = link
  const state = open ? (caughtUp || classic ? 'open' : 'open, catching up') : 'DOWN'
  return [
    ...[`${server} – ${neighbor}`, state, ageText(forSeconds)],
    roundTripMs === null ? '?' : `${roundTripMs.toFixed(1)} ms`,
    clockOffsetMs === null ? '?' : `${clockOffsetMs < 0 ? '−' : '+'}${Math.abs(clockOffsetMs).toFixed(1)} ms`,
    `${queued}`,
  ]
}

/** A line for each source of places that was asked for anything, or is left alone. */
function placesLines(rows: readonly Row[]): string[] {
  const cells = rows.flatMap(({ server, answer }) => {
    const providers = answer.state === 'up' ? (answer.status.places?.providers ?? []) : []
    const met = providers.filter(({ asks, breaker }) => asks > 0 || breaker !== 'closed')
    return met.map((provider) => providerCells(server.name, provider))
  })
  return cells.length === 0 ? [] : columns([PLACES_TITLE, ...cells])
}

function providerCells(server: string, provider: ProviderStatus): string[] {
  const { name, local, breaker, asks, hits, stale, coalesced, calls, errors, refused, latency, usd } =
    provider
  const state = { closed: local ? 'on this machine' : 'asked', open: 'LEFT ALONE', 'half-open': 'tried' }
  const reasons = Object.entries(refused).flatMap(([limit, count]) =>
    count > 0 ? [`${count} ${limit}`] : [],
  )
  return [
    ...[`${server} – ${name}`, state[breaker], `${asks}`, `${hits + stale + coalesced}`, `${calls}`],
    ...[`${errors}`, reasons.join(', ') || '0'],
    latency.count === 0 ? '?' : `${(latency.sumMs / latency.count).toFixed(0)} ms`,
    local ? '–' : `$${usd.toFixed(2)}`,
  ]
}

function fixText({ lastFix }: ServerStatus): string {
  if (lastFix === null) return 'none'
  const client = lastFix.client.length > 40 ? `${lastFix.client.slice(0, 40)}…` : lastFix.client
  return `${printable(client)} by ${printable(lastFix.server)}, ${ageText(lastFix.ageSeconds)} ago`
}

function ageText(seconds: number): string {
  if (seconds < 120) return `${Math.round(seconds)} s`
  if (seconds < 7200) return `${Math.round(seconds / 60)} min`
  return seconds < 172_800 ? `${Math.round(seconds / 3600)} h` : `${Math.round(seconds / 86_400)} d`
}
