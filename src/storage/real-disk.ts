import { type FileHandle, mkdir, open, readdir, rm } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Disk, DiskFile } from './disk.ts'
import { lockFile } from './file-lock.ts'

/** Where people are is nobody else's business. */
const FILE_MODE = 0o600
const FOLDER_MODE = 0o700
const LOCK_NAME = 'lock'

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
