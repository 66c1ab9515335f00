import { type FileHandle, open, rename, unlink } from 'node:fs/promises'
import { uptime } from 'node:os'
import { resolve } from 'node:path'
import { isReport, type KeptReport, type ReportStore } from './report-store.ts'

/** How a file is kept. */
export interface FileStoreOptions {
  /** Whether each append is on the disk before it resolves, so that it outlasts a loss of power; `true` unless said otherwise. */
  readonly sync?: boolean
}

/** A file that has so many bytes of what was sent, and more of it than of what waits, is written anew. */
const WASTE_BYTES_MAX = 1024 * 1024
/** Files that are open in this process. */
const openHere = new Set<string>()

/**
 * Keeps reports in a file that is appended to: they outlast the process. One line of JSON each, `{"k":key,"r":report}`; and
 * `{"d":[key,…]}` for those that were sent. One client has it at a time.
 */
export class FileStore implements ReportStore {
  readonly #path: string
  readonly #isSynced: boolean
  #file: FileHandle | null = null
  /** Of the file. */
  #bytes = 0
  /** What waits, with the bytes of its line. */
  readonly #kept = new Map<string, { readonly line: string; readonly bytes: number }>()
  #keptBytes = 0

  /** @param path of the file, which is made when there is none. */
  constructor(path: string, { sync = true }: FileStoreOptions = {}) {
    this.#path = resolve(path)
    this.#isSynced = sync
  }

  /** @throws when another client has the file, or the system's error. */
  async load(): Promise<readonly KeptReport[]> {
    await this.#lock()
    try {
      this.#file = await open(this.#path, 'a+', 0o600)
      const text = await this.#file.readFile('utf8')
      const isWhole = text === '' || text.endsWith('\n')
      const reports = this.#read(text)
      // What follows the last line end was never said to be kept; nor may the next line begin behind it.
      if (!isWhole) await this.#file.truncate(Buffer.byteLength(text.slice(0, text.lastIndexOf('\n') + 1)))
      this.#bytes = (await this.#file.stat()).size
      return reports
    } catch (error) {
      await this.close()
      throw error
    }
  }

  async append(reports: readonly KeptReport[]): Promise<void> {
    const lines = reports.map(
      ({ key, report }) => [key, `${JSON.stringify({ k: key, r: report })}\n`] as const,
    )
    await this.#write(lines.map(([, line]) => line).join(''))
    for (const [key, line] of lines) this.#keep(key, line)
  }

  async remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) {
      this.#keptBytes -= this.#kept.get(key)?.bytes ?? 0
      this.#kept.delete(key)
    }
    const waste = this.#bytes - this.#keptBytes
    if (this.#kept.size === 0) await this.#empty()
    else if (waste > WASTE_BYTES_MAX && waste > this.#keptBytes) await this.#writeAnew()
    else await this.#write(`${JSON.stringify({ d: keys })}\n`)
  }

  async close(): Promise<void> {
    const file = this.#file
    this.#file = null
    await file?.close()
    if (openHere.delete(this.#path)) await unlink(this.#lockPath).catch(() => {})
  }

  get #lockPath(): string {
    return `${this.#path}.lock`
  }

  get #opened(): FileHandle {
    if (this.#file === null) throw new Error(`${this.#path} is not open`)
    return this.#file
  }

  #keep(key: string, line: string): void {
    const bytes = Buffer.byteLength(line)
    this.#kept.set(key, { line, bytes })
    this.#keptBytes += bytes
  }

  #read(text: string): readonly KeptReport[] {
    const found = new Map<string, KeptReport>()
    for (const line of text.split('\n').slice(0, -1)) {
      const json = parse(line)
      if (hasMember(json, 'd') && Array.isArray(json.d)) for (const key of json.d) found.delete(String(key))
      if (!hasMember(json, 'k') || !hasMember(json, 'r') || !isReport(json.r)) continue
      found.set(String(json.k), { key: String(json.k), report: json.r })
    }
    for (const { key, report } of found.values()) {
      this.#keep(key, `${JSON.stringify({ k: key, r: report })}\n`)
    }
    return [...found.values()]
  }

  async #write(text: string): Promise<void> {
    const file = this.#opened
    const before = this.#bytes
    try {
      await file.appendFile(text)
      if (this.#isSynced) await file.datasync()
    } catch (error) {
      // A disk that is full may have taken a part; what comes next must not stand behind that.
      await file.truncate(before).catch(() => {})
      throw error
    }
    this.#bytes = before + Buffer.byteLength(text)
  }

  async #empty(): Promise<void> {
    await this.#opened.truncate(0)
    this.#bytes = 0
  }

  /** Puts a file in its place that has what waits alone. */
  async #writeAnew(): Promise<void> {
    const path = `${this.#path}.new`
    const file = await open(path, 'w', 0o600)
    try {
      await file.appendFile(Array.from(this.#kept.values(), ({ line }) => line).join(''))
      await file.datasync()
    } finally {
      await file.close()
    }
    await rename(path, this.#path)
    await this.#opened.close()
    this.#file = await open(this.#path, 'a+', 0o600)
    this.#bytes = this.#keptBytes
  }

  /** Two clients that write one file would lose reports. */
  async #lock(): Promise<void> {
    const taken = (pid: number | string): Error =>
      new Error(
        `${this.#path} is in use by another client (process ${pid}): give each a file of its own; if there is none, remove ${this.#lockPath}`,
      )
    if (openHere.has(this.#path)) throw taken(process.pid)
    openHere.add(this.#path)
    for (;;) {
      try {
        const lock = await open(this.#lockPath, 'wx', 0o600)
        await lock.appendFile(String(process.pid))
        await lock.close()
        return
      } catch (error) {
        const pid = isCode(error, 'EEXIST') ? await this.#lockedBy() : null
        if (pid !== null) {
          openHere.delete(this.#path)
          throw taken(pid)
        }
        if (!isCode(error, 'EEXIST')) {
          openHere.delete(this.#path)
          throw error
        }
        await unlink(this.#lockPath).catch(() => {})
      }
    }
  }

  /** The process that holds the lock; `null`: it has ended. */
  async #lockedBy(): Promise<number | null> {
    try {
      const lock = await open(this.#lockPath, 'r')
      try {
        const pid = Number(await lock.readFile('utf8'))
        const { mtimeMs } = await lock.stat()
        // It is from before the machine was started, or from a process of our own number: that was another one.
        if (mtimeMs < Date.now() - uptime() * 1000 || pid === process.pid || !(pid > 0)) return null
        process.kill(pid, 0)
        return pid
      } finally {
        await lock.close()
      }
    } catch (error) {
      // It runs, as somebody else.
      return isCode(error, 'EPERM') ? -1 : null
    }
  }
}

function hasMember<Name extends string>(json: unknown, name: Name): json is Readonly<Record<Name, unknown>> {
  return typeof json === 'object' && json !== null && name in json
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

/** A line that a failing disk has spoiled is passed over: the others are as good as before. */
function parse(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return null
  }
}
