/** A disk so small that a test can fill it. */
import { execFile } from 'node:child_process'
import { appendFile, mkdtemp, readFile, rm, rmdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { promisify } from 'node:util'
import { isRunning } from './net-spaces.ts'

const exec = promisify(execFile)
const PREFIX = 'herd-chaos-disk-'
const FILLER = 'filler'
const FILL_BYTES = 4096

/** Why no disk can be mounted here, or `undefined` when one can. */
export async function whyNoSmallDisk(): Promise<string | undefined> {
  if (process.getuid?.() !== 0) return 'mounting a disk needs root'
  await removeStale()
  return undefined
}

/** A file system in memory of its own. */
export class SmallDisk {
  readonly folder: string

  /** Mounts one of so many bytes; it is gone when the test is over. */
  static async mount(t: TestContext, bytes: number): Promise<SmallDisk> {
    const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`))
    await exec('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder])
    // Whoever has a file open keeps it; the name is gone at once.
    t.after(async () => {
      await exec('umount', ['--lazy', folder])
      await rmdir(folder)
    })
    return new SmallDisk(folder)
  }

  private constructor(folder: string) {
    this.folder = folder
  }

  /** Leaves no byte; returns how many it took. */
  async fill(): Promise<number> {
    const block = Buffer.alloc(FILL_BYTES, 'x')
    for (let bytes = 0; ; bytes += block.length) {
      try {
        await appendFile(join(this.folder, FILLER), block)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return bytes
        throw error
      }
    }
  }

  /** Gives back what `fill` took. */
  async free(): Promise<void> {
    await rm(join(this.folder, FILLER), { force: true })
  }
}

/** Unmounts what test runs left that were killed: each name tells the process that made it. */
async function removeStale(): Promise<void> {
  const mounts = await readFile('/proc/mounts', 'latin1')
  for (const line of mounts.split('\n')) {
    const folder = line.split(' ')[1] ?? ''
    const pid = Number(new RegExp(`/${PREFIX}(\\d+)-`).exec(folder)?.[1])
    if (Number.isNaN(pid) || isRunning(pid)) continue
    await exec('umount', ['--lazy', folder])
    await rmdir(folder).catch(() => undefined)
  }
}
