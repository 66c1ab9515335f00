/** SQLite's code for a file that somebody else has locked. */
const SQLITE_BUSY = 5

/**
 * Locks a file, which is made if need be, until it is let go or the process ends.
 *
 * Node has no call that locks a file, but SQLite, which comes with it, has: an exclusive transaction on an empty
 * database holds a lock of the kernel, which ends with the process. A process ID in a file would not do: after a
 * crash another process may have it, and in containers nearly all are process 1.
 *
 * @param waitMs how long to wait for another process that has it; the process does nothing else meanwhile.
 * @returns lets it go; `null` when another process has it.
 */
export async function lockFile(path: string, waitMs = 0): Promise<(() => Promise<void>) | null> {
  const { DatabaseSync } = await import('node:sqlite')
  const database = new DatabaseSync(path, { timeout: waitMs })
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return null
    throw error
  }
  return async () => database.close()
}
