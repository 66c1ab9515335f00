/** What could hold the journal: Herd's append log, and SQLite. Each keeps the newest line of every client. */
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { JournalFiles, realDisk } from '../../src/storage/index.ts'

/** A store that is open. */
export interface JournalStore {
  /** Resolves when the lines outlast a loss of power. */
  commit(lines: readonly Buffer[]): Promise<void>
  /** Brings the store to what it needs, given everything that it holds, in parts. */
  compact(everything: readonly (readonly Buffer[])[]): Promise<void>
  close(): Promise<void>
}

const LIMITS = { batchBytesMax: 64 << 20, readBytes: 1 << 20 }
const LF = 0x0a
const SPACE = 0x20
/** How many spaces come before the client in an AT line. */
const SPACES_BEFORE_CLIENT = 3

/** The append log: batches of lines, read from the beginning. */
export async function openLog(
  folder: string,
  onLine: (line: Buffer) => void = () => undefined,
): Promise<JournalStore> {
  const journal = await JournalFiles.open({
    disk: realDisk,
    folder,
    limits: LIMITS,
    onBatch: (payload) => {
      for (let start = 0, end = 0; start < payload.length; start = end + 1) {
        end = payload.indexOf(LF, start)
        onLine(payload.subarray(start, end + 1))
      }
    },
    onTrouble: (text) => {
      throw new Error(text)
    },
  })
  return {
    commit: (lines) => journal.append(Buffer.concat([...lines])),
    compact: async (everything) => {
      const begun = await journal.beginSegment()
      for (const lines of everything) await journal.append(Buffer.concat([...lines]))
      await journal.dropBefore(begun)
    },
    close: () => journal.close(),
  }
}

/** SQLite: a row for each client, a transaction for each batch. */
export async function openSqlite(
  folder: string,
  onLine: ((line: Uint8Array) => void) | null = null,
): Promise<JournalStore> {
  const database = new DatabaseSync(join(folder, 'journal.sqlite'))
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
    CREATE TABLE IF NOT EXISTS fixes (client TEXT PRIMARY KEY, line BLOB NOT NULL) WITHOUT ROWID`)
  if (onLine !== null) {
    for (const { line } of database.prepare('SELECT line FROM fixes').iterate()) {
      if (line instanceof Uint8Array) onLine(line)
    }
  }
  const upsert = database.prepare(
    'INSERT INTO fixes VALUES (?, ?) ON CONFLICT (client) DO UPDATE SET line = excluded.line',
  )
  return {
    commit: async (lines) => {
      database.exec('BEGIN')
      for (const line of lines) upsert.run(clientOf(line), line)
      database.exec('COMMIT')
    },
    compact: async () => database.exec('PRAGMA wal_checkpoint(TRUNCATE)'),
    close: async () => database.close(),
  }
}

function clientOf(line: Buffer): string {
  let start = 0
  for (let spaces = 0; spaces < SPACES_BEFORE_CLIENT; spaces++) start = line.indexOf(SPACE, start) + 1
  return line.toString('latin1', start, line.indexOf(SPACE, start))
}
