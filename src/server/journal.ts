import { join } from 'node:path'
import type { HerdConfig } from '../config.ts'
import { makeCounters } from '../counters.ts'
import type { ServerLog } from '../logs/server-log.ts'
import type { AckLevel } from '../protocol/index.ts'
import type { Acks } from '../replication/acks.ts'
import {
  JournalFiles,
  JournalLink,
  type JournalLoadContext,
  loadJournal,
  realDisk,
} from '../storage/index.ts'
import type { System } from '../system.ts'
import type { ServerOptions } from './options.ts'

/** A journal's batch may be longer than `journal.batchBytesMax` by a line and the claims behind it. */
const BATCH_BYTES_MAX = 64 * 1024 * 1024
/** A journal is read in pieces of this size. */
const READ_BYTES = 1024 * 1024

/** What a server's journal needs of its server. */
export interface ServerJournalContext extends JournalLoadContext {
  readonly log: ServerLog
  readonly system: System
  readonly acks: Acks
  readonly report: ServerOptions['report']
}

/**
 * Reads the server's journal into its replica, which has no links yet, and goes on with it.
 *
 * @throws {JournalUnusable}; the error of the disk: a server that can't keep what it promises to keep doesn't start.
 */
export async function openJournal(
  { journal, forgetAfterSeconds }: HerdConfig,
  name: string,
  context: ServerJournalContext,
): Promise<JournalLink> {
  const { replica, log, acks, report, counters, system } = context
  const trouble = (text: string): void => {
    log.event('error', 'journal', { text })
    report({ level: 'warning', event: 'journal', text })
  }
  if (forgetAfterSeconds !== Number.POSITIVE_INFINITY) {
    // What was forgotten meanwhile takes no room while the rest is read.
    const now = { seconds: 0, nanoseconds: 0 }
    system.readClock(now)
    replica.forget(now)
  }
  const loaded = await loadJournal({ ...context, counters: makeCounters() }, (onBatch) =>
    JournalFiles.open({
      disk: realDisk,
      folder: join(journal.folder, name),
      limits: { batchBytesMax: BATCH_BYTES_MAX, readBytes: READ_BYTES },
      onBatch,
      onTrouble: trouble,
    }),
  )
  const { bytes, batches, cutBytes, damaged } = loaded.files.report
  const found = { bytes, batches, cutBytes, damaged: damaged.length, clients: replica.table.clients }
  log.event('info', 'journal read', found)
  return new JournalLink(
    {
      ...{ replica, counters, limits: journal, trouble, after: system.after },
      soon: (callback) => setImmediate(callback),
      isWaitedFor: () => acks.isForDisk,
    },
    loaded,
  )
}

/** Why nothing can be acknowledged at that level here; `null`: it can. @param neighbors how many could hold it. */
export function ackObjection(
  { disk, peers }: AckLevel,
  keepsJournal: boolean,
  neighbors: number,
): string | null {
  if (peers > neighbors) {
    const have = neighbors === 1 ? '1 neighbor' : `${neighbors} neighbors`
    return `this server has ${have} that could acknowledge, not ${peers}`
  }
  if (disk && !keepsJournal) return 'this server keeps no journal (journal.keep), so nothing is on its disk'
  return null
}
