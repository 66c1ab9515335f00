import type { Disk, DiskFile } from '../../src/storage/disk.ts'
import { VirtualFile } from './virtual-file.ts'

/** What can be asked of a disk. */
export type DiskOperation =
  | 'lock'
  | 'list'
  | 'create'
  | 'open'
  | 'remove'
  | 'syncFolder'
  | 'size'
  | 'read'
  | 'write'
  | 'truncate'
  | 'sync'
  | 'close'

/** What a virtual disk needs. */
export interface VirtualDiskOptions {
  /** Calls back after some milliseconds of whoever's time: everything that the disk does happens in such calls. */
  readonly schedule: (ms: number, callback: () => void) => void
  /** A number from [0, 1): what a crash leaves. */
  readonly random: () => number
  /** How long an operation takes, in milliseconds (0). */
  readonly latencyMs?: (operation: DiskOperation) => number
}

/** Names in a folder, as programs see them and as a loss of power would leave them. */
interface VirtualFolder {
  seen: Map<string, VirtualFile>
  kept: Map<string, VirtualFile>
  isLocked: boolean
}

/** Runs callbacks as microtasks, for tests without a time of their own. */
export function scheduleAtOnce(_ms: number, callback: () => void): void {
  queueMicrotask(callback)
}

/**
 * A disk in memory, for one process at a time, that is as unkind as a real one may be: what isn't synced is lost or
 * torn by a loss of power, it fills up, its syncs fail and drop what they should have written. The same calls and the
 * same random numbers give the same bytes.
 */
export class VirtualDisk implements Disk {
  /** Bytes that all files have room for; what doesn't fit fails with ENOSPC, after as much as fits. */
  bytesMax: number = Number.POSITIVE_INFINITY
  /** Asked before every operation: the code of the error that it fails with (`EIO`), or `null`. */
  fault: (operation: DiskOperation, path: string) => string | null = () => null
  /** How many of each operation were done, or failed. */
  readonly done: Map<DiskOperation, number> = new Map()
  readonly #options: VirtualDiskOptions
  readonly #folders = new Map<string, VirtualFolder>()
  /** Writes that were asked for and are not done yet. */
  readonly #underWay = new Set<() => void>()
  /** One more for each process that ended: nothing that it asked for happens any more. */
  #life = 0

  constructor(options: VirtualDiskOptions) {
    this.#options = options
  }

  /** Bytes of all files. */
  get bytes(): number {
    let bytes = 0
    for (const { seen } of this.#folders.values())
      for (const file of seen.values()) bytes += file.bytes.length
    return bytes
  }

  /** The file of that name, to look at or to damage. */
  file(folder: string, name: string): VirtualFile {
    const file = this.#folder(folder).seen.get(name)
    if (file === undefined) throw systemError('ENOENT', 'open', `${folder}/${name}`)
    return file
  }

  /** Puts a file there, with bytes that are synced. */
  put(folder: string, name: string, bytes: Buffer): void {
    const file = new VirtualFile()
    file.write(0, bytes)
    file.sync()
    this.#folder(folder).seen.set(name, file)
    this.#folder(folder).kept.set(name, file)
  }

  /** The names in a folder, sorted. */
  names(folder: string): string[] {
    return [...this.#folder(folder).seen.keys()].toSorted()
  }

  /** The process is gone: what it had begun is done in part, its promises never settle, its locks end. */
  kill(): void {
    this.#life++
    for (const doPart of this.#underWay) doPart()
    this.#underWay.clear()
    for (const folder of this.#folders.values()) folder.isLocked = false
  }

  /** The process is gone, and so is what was not synced, or a part of it. */
  losePower(): void {
    this.kill()
    const { random } = this.#options
    for (const folder of this.#folders.values()) {
      const names = new Set([...folder.seen.keys(), ...folder.kept.keys()])
      const left = new Map<string, VirtualFile>()
      for (const name of [...names].toSorted()) {
        const [seen, kept] = [folder.seen.get(name), folder.kept.get(name)]
        const file = seen === kept || random() < 0.5 ? seen : kept
        if (file !== undefined) left.set(name, file)
      }
      for (const file of new Set(left.values())) file.losePower(random)
      folder.seen = left
      folder.kept = new Map(left)
    }
  }

  lock(path: string): Promise<(() => Promise<void>) | null> {
    return this.#do('lock', path, () => {
      const folder = this.#folder(path)
      if (folder.isLocked) return null
      folder.isLocked = true
      return async () => {
        folder.isLocked = false
      }
    })
  }

  list(folder: string): Promise<string[]> {
    return this.#do('list', folder, () => [...this.#folder(folder).seen.keys()])
  }

  create(folder: string, name: string): Promise<DiskFile> {
    const path = `${folder}/${name}`
    return this.#do('create', path, () => {
      const { seen } = this.#folder(folder)
      if (seen.has(name)) throw systemError('EEXIST', 'create', path)
      const file = new VirtualFile()
      seen.set(name, file)
      return this.#handle(file, path)
    })
  }

  open(folder: string, name: string): Promise<DiskFile> {
    const path = `${folder}/${name}`
    return this.#do('open', path, () => this.#handle(this.file(folder, name), path))
  }

  remove(folder: string, name: string): Promise<void> {
    return this.#do('remove', `${folder}/${name}`, () => {
      this.#folder(folder).seen.delete(name)
    })
  }

  syncFolder(path: string): Promise<void> {
    return this.#do('syncFolder', path, () => {
      const folder = this.#folder(path)
      folder.kept = new Map(folder.seen)
    })
  }

  #handle(file: VirtualFile, path: string): DiskFile {
    return {
      size: () => this.#do('size', path, () => file.bytes.length),
      read: (target, position) => this.#do('read', path, () => file.bytes.subarray(position).copy(target)),
      write: (pieces, position) => this.#write(file, path, Buffer.concat([...pieces]), position),
      truncate: (bytes) => this.#do('truncate', path, () => file.truncate(bytes)),
      sync: () =>
        this.#do(
          'sync',
          path,
          () => file.sync(),
          () => file.failSync(this.#options.random),
        ),
      close: () => this.#do('close', path, () => undefined),
    }
  }

  async #write(file: VirtualFile, path: string, bytes: Buffer, position: number): Promise<number> {
    const fits = (): number => {
      const grows = position + bytes.length - file.bytes.length
      return bytes.length - Math.min(bytes.length, Math.max(0, this.bytes + grows - this.bytesMax))
    }
    const doPart = (): void => {
      const some = Math.floor(this.#options.random() * (bytes.length + 1))
      file.write(position, bytes.subarray(0, Math.min(some, fits())))
    }
    this.#underWay.add(doPart)
    const isDone = (): boolean => this.#underWay.delete(doPart)
    return this.#do(
      'write',
      path,
      () => {
        isDone()
        const room = fits()
        if (room === 0 && bytes.length > 0) throw systemError('ENOSPC', 'write', path)
        file.write(position, bytes.subarray(0, room))
        return room
      },
      isDone,
    )
  }

  #do<T>(operation: DiskOperation, path: string, effect: () => T, failed?: () => void): Promise<T> {
    const life = this.#life
    const { schedule, latencyMs } = this.#options
    return new Promise((resolve, reject) => {
      schedule(latencyMs?.(operation) ?? 0, () => {
        if (life !== this.#life) return
        this.done.set(operation, (this.done.get(operation) ?? 0) + 1)
        const code = this.fault(operation, path)
        // A fault that ends the process leaves nobody to tell.
        if (life !== this.#life) return
        try {
          if (code !== null) {
            failed?.()
            throw systemError(code, operation, path)
          }
          resolve(effect())
        } catch (error) {
          reject(error)
        }
      })
    })
  }

  #folder(path: string): VirtualFolder {
    let folder = this.#folders.get(path)
    if (folder === undefined) {
      folder = { seen: new Map(), kept: new Map(), isLocked: false }
      this.#folders.set(path, folder)
    }
    return folder
  }
}

function systemError(code: string, operation: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${operation} '${path}'`), { code })
}
