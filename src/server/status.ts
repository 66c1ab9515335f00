import type { Counters } from '../counters.ts'
import type { LiveTable } from '../locations/index.ts'
import { formatTime } from '../protocol/index.ts'
import type { HerdView } from '../replication/herd-view.ts'
import type { Links } from '../replication/links.ts'
import type { Members } from '../replication/members.ts'
import type { ServerStatus } from '../replication/status.ts'
import { memberStatuses } from './members.ts'
import type { ServerPlaces } from './places.ts'

/** What a status is made of. */
export interface StatusParts {
  readonly server: string
  readonly herd: string
  readonly run: string
  readonly upSeconds: number
  readonly table: LiveTable
  readonly connections: number
  readonly links: Links
  readonly members: Members
  readonly keepsJournal: boolean
  readonly counters: Counters
  readonly places: ServerPlaces
  readonly wallMs: number
  readonly view: HerdView
}

/** Puts together what a server says of itself to whoever holds the herd's secret. */
export function makeStatus(parts: StatusParts): ServerStatus {
  const { server, herd, run, upSeconds, table, connections, links, counters, places } = parts
  const placesCounters = Object.entries(places.counters).map(([name, count]) => [
    `places.${name}`,
    Number(count),
  ])
  const tableBytes = Object.entries(table.bytes).map(([name, bytes]) => [`tableBytes.${name}`, bytes])
  return {
    server,
    herd,
    run,
    pid: process.pid,
    upSeconds,
    readiness: links.readiness,
    journal: parts.keepsJournal ? (counters.journalFailing > 0 ? 'failing' : 'ok') : 'off',
    hasTwin: parts.members.hasTwin,
    clients: table.clients,
    lastFix: lastFix(table, parts.wallMs),
    connections,
    links: links.statuses,
    members: memberStatuses(parts.members),
    places: places.status,
    view: parts.view,
    counters: { ...counters, ...Object.fromEntries(placesCounters), ...Object.fromEntries(tableBytes) },
  }
}

function lastFix(table: LiveTable, wallMs: number): ServerStatus['lastFix'] {
  if (table.newest === -1) return null
  const { client, serverName, positionText, time } = table.read(table.newest)
  return {
    client: client.toString('utf8'),
    server: Buffer.from(serverName).toString('utf8'),
    position: Buffer.from(positionText).toString('latin1'),
    time: formatTime(time),
    ageSeconds: wallMs / 1000 - time.seconds - time.nanoseconds / 1e9,
  }
}
