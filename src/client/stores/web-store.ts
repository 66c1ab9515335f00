import { isReport, type KeptReport, type ReportStore } from './report-store.ts'

/** What is used of `localStorage`, or of anything like it. */
export interface WebStorage {
  readonly length: number
  key(index: number): string | null
  getItem(key: string): string | null
  setItem(key: string, value: string): void
  removeItem(key: string): void
}

/**
 * Keeps reports in a browser's `localStorage`: they outlast the page. Tabs may share it: each report is an entry of its own, so none
 * writes over another's; what a closed tab has left is sent by the next one that opens, and maybe twice, which does no harm.
 */
export class WebStore implements ReportStore {
  readonly #storage: WebStorage
  readonly #prefix: string

  /** @param storage such as `localStorage`. @param name keeps apart the reports of different programs on one page. */
  constructor(storage: WebStorage, name: string = 'herd') {
    this.#storage = storage
    this.#prefix = `${name}:report:`
  }

  async load(): Promise<readonly KeptReport[]> {
    const storage = this.#storage
    const names = Array.from({ length: storage.length }, (_, index) => storage.key(index) ?? '')
    const ours = names.filter((name) => name.startsWith(this.#prefix)).toSorted()
    return ours.flatMap((name) => {
      const report = parse(storage.getItem(name))
      return isReport(report) ? [{ key: name.slice(this.#prefix.length), report }] : []
    })
  }

  /** @throws the error of the storage when it is full: then none of them is kept. */
  async append(reports: readonly KeptReport[]): Promise<void> {
    const kept: string[] = []
    try {
      for (const { key, report } of reports) {
        this.#storage.setItem(this.#prefix + key, JSON.stringify(report))
        kept.push(key)
      }
    } catch (error) {
      await this.remove(kept)
      throw error
    }
  }

  async remove(keys: readonly string[]): Promise<void> {
    for (const key of keys) this.#storage.removeItem(this.#prefix + key)
  }
}

function parse(text: string | null): unknown {
  try {
    return JSON.parse(text ?? 'null')
  } catch {
    // Somebody else's entry under our name.
    return null
  }
}
