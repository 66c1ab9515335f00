/** One link, as `herd status` shows it. */
export interface LinkStatus {
  readonly neighbor: string
  readonly open: boolean
  readonly classic: boolean
  /** Seconds since it was opened or lost. */
  readonly forSeconds: number
  /** Fixes owed to the neighbor. */
  readonly queued: number
}

/** What a server says of itself. */
export interface ServerStatus {
  readonly server: string
  readonly herd: string
  /** New at each start of the server. */
  readonly run: string
  readonly pid: number
  readonly upSeconds: number
  readonly clients: number
  readonly lastFix: {
    readonly client: string
    readonly server: string
    readonly position: string
    readonly time: string
    /** Seconds since the client's own time of it; negative when that lies ahead. */
    readonly ageSeconds: number
  } | null
  /** Connections that were accepted and are open now; links that the neighbor dialed are among them. */
  readonly connections: number
  readonly links: readonly LinkStatus[]
  readonly counters: Readonly<Record<string, number>>
}
