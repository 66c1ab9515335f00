import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Disk, DiskFile } from './disk.ts'

/** Where people are is nobody else's business. */
const FILE_MODE = 0o600
const FOLDER_MODE = 0o700
const LOCK_NAME = 'lock'
/** SQLite's code for a file that somebody else has locked. */
const SQLITE_BUSY = 5

/** The disk of this machine. */
export const realDisk: Disk = {
  async lock(folder) {
    await makeFolder(folder)
    return lockFile(join(folder, LOCK_NAME))
  },
  list: (folder) => readdir(folder),
  create: async (folder, name) => new RealFile(await open(join(folder, name), 'wx+', FILE_MODE)),
  open: async (folder, name) => new RealFile(await open(join(folder, name), 'r+')),
  remove: (folder, name) => rm(join(folder, name), { force: true }),
  syncFolder,
}

class RealFile implements DiskFile {
  readonly #handle: FileHandle

  constructor(handle: FileHandle) {
    this.#handle = handle
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size
  }

  async read(target: Buffer, position: number): Promise<number> {
    return (await this.#handle.read(target, 0, target.length, position)).bytesRead
  }

  async write(pieces: readonly Buffer[], position: number): Promise<number> {
    return (await this.#handle.writev([...pieces], position)).bytesWritten
  }

  truncate(bytes: number): Promise<void> {
    return this.#handle.truncate(bytes)
  }

  /** Without the times of the file, which nobody needs. */
  sync(): Promise<void> {
    return this.#handle.datasync()
  }

  close(): Promise<void> {
    return this.#handle.close()
  }
}

/** Makes the folder, and those that it lies in, so that they last. */
async function makeFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true, mode: FOLDER_MODE })
  if (made === undefined) return
  const first = dirname(resolve(made))
  let at = resolve(folder)
  do {
    at = dirname(at)
    await syncFolder(at)
  } while (at !== first && at !== dirname(at))
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/**
 * Node has no call that locks a file, but SQLite, which comes with it, has: an exclusive transaction on an empty
 * database holds a lock of the kernel, which ends with the process. A process ID in a file would not do: after a
 * crash another process may have it, and in containers nearly all are process 1.
 */
async function lockFile(path: string): Promise<(() => Promise<void>) | null> {
  const { DatabaseSync } = await import('node:sqlite')
  const database = new DatabaseSync(path, { timeout: 0 })
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
  } catch (error) {
    database.close()
    if (error instanceof Error && 'errcode' in error && error.errcode === SQLITE_BUSY) return null
    throw error
  }
  return async () => database.close()
}
