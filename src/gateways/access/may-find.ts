import type { LiveTable } from '../../locations/index.ts'
import type { Grant } from './grant.ts'

/** Which records a search may find; `null`: all. A search asks for the nearest of those that may be read, not for the nearest. */
export function mayFind(grant: Grant, table: Pick<LiveTable, 'read'>): ((record: number) => boolean) | null {
  if (grant.readsAll) return null
  return (record) => grant.mayRead(table.read(record).client.toString('utf8'))
}
