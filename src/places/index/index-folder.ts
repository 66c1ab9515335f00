/**
 * The open indexes of a folder, kept up with what is there: somebody may import, replace or remove one while a
 * server runs. Nothing watches the folder; it is looked at when somebody asks, at most once a second.
 */
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { INDEX_ENDING } from './format.ts'
import { PlacesIndex, PlacesIndexBroken } from './places-index.ts'

/** Indexes that are open at a time; each takes some file descriptors and up to 16 MB. */
const INDEXES_MAX = 64
const LOOK_EVERY_MS = 1_000

/** Where a folder is, and who wants to hear of what is wrong in it. */
export interface IndexFolderOptions {
  readonly folder: string
  /** Milliseconds on a clock that only goes forward. */
  readonly nowMs: () => number
  /** Hears once of each file that can't be used, for the log. */
  readonly onWarning?: (message: string) => void
  readonly indexesMax?: number
}

/** An index as it was found: the same file, as long as it has the same mark. */
interface Entry {
  readonly mark: string
  /** Undefined when it can't be used. */
  index: PlacesIndex | undefined
}

/** The indexes of one folder. */
export class IndexFolder {
  readonly #folder: string
  readonly #nowMs: () => number
  readonly #onWarning: (message: string) => void
  readonly #indexesMax: number
  readonly #entries = new Map<string, Entry>()
  #lookedAtMs = Number.NEGATIVE_INFINITY
  #lastTrouble = ''

  constructor({ folder, nowMs, onWarning = () => undefined, indexesMax = INDEXES_MAX }: IndexFolderOptions) {
    this.#folder = folder
    this.#nowMs = nowMs
    this.#onWarning = onWarning
    this.#indexesMax = indexesMax
  }

  /** The indexes that can be searched now, by the name of their file. */
  indexes(): ReadonlyMap<string, PlacesIndex> {
    const nowMs = this.#nowMs()
    if (nowMs - this.#lookedAtMs >= LOOK_EVERY_MS) {
      this.#lookedAtMs = nowMs
      this.#look()
    }
    const open = new Map<string, PlacesIndex>()
    for (const [file, { index }] of this.#entries) if (index !== undefined) open.set(file, index)
    return open
  }

  /** Leaves an index alone until its file is another one. */
  drop(file: string, index: PlacesIndex, error: PlacesIndexBroken): void {
    const entry = this.#entries.get(file)
    if (entry?.index !== index) return
    entry.index = undefined
    index.close()
    this.#warn(file, error)
  }

  /** Closes all of them, each as soon as its searches are done. */
  close(): void {
    for (const { index } of this.#entries.values()) index?.close()
    this.#entries.clear()
    this.#lookedAtMs = Number.POSITIVE_INFINITY
  }

  #look(): void {
    const found = this.#marks()
    for (const [file, entry] of this.#entries) {
      if (found.get(file) === entry.mark) continue
      entry.index?.close()
      this.#entries.delete(file)
    }
    for (const [file, mark] of found) {
      if (!this.#entries.has(file)) this.#entries.set(file, { mark, index: this.#open(file) })
    }
  }

  #open(file: string): PlacesIndex | undefined {
    try {
      return new PlacesIndex(join(this.#folder, file))
    } catch (error) {
      if (!(error instanceof PlacesIndexBroken)) throw error
      this.#warn(file, error)
      return undefined
    }
  }

  /** What each index of the folder is now: a file that was replaced has another mark. */
  #marks(): ReadonlyMap<string, string> {
    const marks = new Map<string, string>()
    const files = this.#files()
    for (const file of files.slice(0, this.#indexesMax)) {
      const stats = statSync(join(this.#folder, file), { bigint: true, throwIfNoEntry: false })
      if (stats !== undefined) marks.set(file, [stats.dev, stats.ino, stats.size, stats.mtimeNs].join())
    }
    const tooMany = files.length > this.#indexesMax
    if (tooMany)
      this.#trouble(`${this.#folder} has more than ${this.#indexesMax} indexes: only the first are used`)
    return marks
  }

  #files(): readonly string[] {
    try {
      return readdirSync(this.#folder)
        .filter((file) => file.endsWith(INDEX_ENDING))
        .sort()
    } catch (error) {
      // No folder: nothing was imported yet.
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
      this.#trouble(`${this.#folder} can't be read: ${error instanceof Error ? error.message : 'unknown'}`)
      return []
    }
  }

  #warn(file: string, error: PlacesIndexBroken): void {
    this.#onWarning(`${join(this.#folder, file)} is left out: ${error.message}`)
  }

  /** Told once, not every second. */
  #trouble(message: string): void {
    if (message === this.#lastTrouble) return
    this.#lastTrouble = message
    this.#onWarning(message)
  }
}
