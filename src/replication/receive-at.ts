import type { Counters } from '../counters.ts'
import { FORGOTTEN, NOT_NEWER } from '../locations/index.ts'
import type { Log } from '../logs/server-log.ts'
import type { CommandParser } from '../protocol/index.ts'
import type { AtReader } from './at-reader.ts'
import type { DirtyQueue } from './dirty-queue.ts'
import type { Replica } from './replica.ts'

/**
 * Takes the AT line that the parser has just read in `buffer`, from a neighbor that may say such things.
 *
 * @param from the queue of the link to that neighbor, so that it isn't sent back; `null` if there is none.
 */
export function receiveAt(
  context: {
    readonly replica: Replica
    readonly parser: CommandParser
    readonly reader: AtReader
    readonly counters: Counters
    readonly log: Log
  },
  buffer: Buffer,
  from: DirtyQueue | null,
): void {
  const { counters, log } = context
  counters.linkLinesIn++
  const fix = context.reader.read(context.parser, buffer)
  if (fix === null) {
    if (counters.serverNamesFull++ === 0)
      log.event('error', 'too many server names', { limit: 'limits.serverNamesMax' })
    return
  }
  const applied = context.replica.apply(fix, from)
  if (applied >= 0) counters.fixesNew++
  else if (applied === NOT_NEWER) counters.fixesNotNew++
  else if (applied === FORGOTTEN) counters.fixesTooOld++
  else if (counters.tableFull++ === 0)
    log.event('error', 'the table is full', { limit: 'limits.clientsMax or limits.tableBytesMax' })
}
