/** What the servers of a herd say of each other, put together. Pure. */
import type { MemberStatus } from '../replication/status.ts'

/** What one server says of its herd. */
export interface View {
  readonly server: string
  readonly members: readonly MemberStatus[]
}

/** Servers that see each other, and those that they don't see. */
export interface Split {
  readonly servers: readonly string[]
  readonly missed: readonly string[]
}

/** Where a herd has fallen apart: one for each part that lacks somebody; none when everybody sees all. */
export function splitsOf(views: readonly View[]): Split[] {
  const splits = new Map<string, Split>()
  for (const { members } of views) {
    const up = members.filter(({ state }) => state === 'up')
    const names = (reachable: boolean): string[] =>
      up.filter((member) => member.reachable === reachable).map(({ name }) => name)
    const split = { servers: names(true).toSorted(), missed: names(false).toSorted() }
    if (split.missed.length > 0) splits.set(JSON.stringify(split), split)
  }
  return [...splits.values()]
}

/** `split: Alford, Hamilton see each other, but not Ball`. @param isDown whether a server doesn't answer us either */
export function splitText({ servers, missed }: Split, isDown: (name: string) => boolean): string {
  const [one = '', ...more] = servers
  const seen =
    more.length === 0 ? `${one} sees nobody, and not` : `${servers.join(', ')} see each other, but not`
  const silent = missed.filter(isDown)
  const tail =
    silent.length === 0
      ? ''
      : silent.length === missed.length
        ? ' (no answer there either: down, or cut off)'
        : ` (of these no answer: ${silent.join(', ')})`
  return `split: ${seen} ${missed.join(', ')}${tail}`
}

/**
 * Members that stand in no herd file, the newest row of each that anybody has.
 *
 * @param known the servers of the herd file.
 */
export function strangersOf(views: readonly View[], known: ReadonlySet<string>): MemberStatus[] {
  const rows = new Map<string, MemberStatus>()
  for (const row of views.flatMap(({ members }) => members)) {
    const other = rows.get(row.name)
    if (!known.has(row.name) && (other === undefined || row.version > other.version)) rows.set(row.name, row)
  }
  return [...rows.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** The servers that have left: everybody who has heard of them last says so. */
export function leftOf(views: readonly View[]): Set<string> {
  const newest = strangersOf(views, new Set())
  return new Set(newest.filter(({ state }) => state === 'left').map(({ name }) => name))
}
