/** What one load process measured in its window, as it prints it. */
export interface LoadResult {
  readonly clients: number
  readonly messages: number
  readonly seconds: number
  readonly requestBytes: number
  readonly replyBytes: number
  /** Replies compared in full with what they must be. */
  readonly repliesChecked: number
  readonly batchP50Us: number
  readonly batchP99Us: number
  readonly batchMaxUs: number
  /** Cores kept busy; missing where the system does not tell. */
  readonly serverCpu?: number | undefined
  readonly loadCpu?: number | undefined
}

const FIGURES = [
  'clients',
  'messages',
  'seconds',
  'requestBytes',
  'replyBytes',
  'repliesChecked',
  'batchP50Us',
  'batchP99Us',
  'batchMaxUs',
] as const

/** Reads what the load process printed; throws if that is anything else. */
export function parseLoadResult(text: string): LoadResult {
  const value: unknown = JSON.parse(text)
  if (!isLoadResult(value))
    throw new Error(`the load printed something else than a result: ${text.slice(0, 200)}`)
  return value
}

function isLoadResult(value: unknown): value is LoadResult {
  if (typeof value !== 'object' || value === null) return false
  const figures = new Map<string, unknown>(Object.entries(value))
  return FIGURES.every((name) => typeof figures.get(name) === 'number')
}
