import type { ReportJson } from '../../gateways/http/shapes.ts'

/** A report that waits to be sent. */
export interface KeptReport {
  /** Its name in the store; sorts as the reports were made. */
  readonly key: string
  readonly report: ReportJson
}

/**
 * Where reports wait until a server has taken them. The queue calls one method at a time. What a method throws goes to the caller of
 * `report`, as the cause of a `HerdStoreFailed`.
 */
export interface ReportStore {
  /** Everything that is kept, the oldest first; called once, before all else. */
  load(): Promise<readonly KeptReport[]>
  /** Keeps reports behind the others. When this resolves they outlast whatever the store is to outlast; when it rejects none need. */
  append(reports: readonly KeptReport[]): Promise<void>
  /** Forgets reports: they were taken, or given back to their caller. */
  remove(keys: readonly string[]): Promise<void>
  /** Nothing is called any more. */
  close?(): Promise<void>
}

/** Keeps nothing beyond the life of the client, whose memory has it all. */
export class MemoryStore implements ReportStore {
  load(): Promise<readonly KeptReport[]> {
    return Promise.resolve([])
  }

  append(): Promise<void> {
    return Promise.resolve()
  }

  remove(): Promise<void> {
    return Promise.resolve()
  }
}

/** Whether it is a report as far as a store can tell. */
export function isReport(json: unknown): json is ReportJson {
  return typeof json === 'object' && json !== null && 'client' in json && typeof json.client === 'string'
}
