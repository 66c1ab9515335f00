/** Who was told what: every report that a test sent and every reply that came, to be held against the tables. */

/** Something that looks at each AT line of a table, and says at the end what is wrong with the table. */
export interface TableCheck {
  readonly line: (line: string) => void
  readonly problems: () => string[]
}

/** A report to be sent. */
export interface Report {
  readonly client: string
  readonly serial: number
  /** The IAMAT line, with its LF. */
  readonly line: string
}

/** What an AT line of these tests tells. */
export interface HeardFix {
  readonly client: string
  readonly position: string
  readonly serial: number
}

// Long past: then the effective time is the client's time, and a later report is newer whoever gets it.
const TIME_OF_SERIAL_0 = 1_479_000_000
const PROBLEMS_SHOWN = 5

interface Entry {
  /** The newest that was sent. */
  sent: number
  /** What every server knew when the herd last was of one mind. */
  floor: number
  /** The newest that each server has acknowledged since then. */
  readonly acknowledged: Map<string, number>
  /** The replies since then, by serial. */
  readonly replies: Map<number, string>
}

/** The position that goes with a serial: so a table can't mix up reports unnoticed. Three decimals at most. */
export function positionOf(serial: number): string {
  const latitude = ((serial * 7919) % 179_000) / 1000 - 89.5
  const longitude = ((serial * 104_729) % 359_000) / 1000 - 179.5
  return `${signed(latitude)}${signed(longitude)}`
}

/** The report with a serial. */
export function iamatLine(client: string, serial: number): string {
  return `IAMAT ${client} ${positionOf(serial)} ${TIME_OF_SERIAL_0 + serial}\n`
}

/** Reads an AT line; `undefined` for any other. */
export function readAtLine(line: string): HeardFix | undefined {
  const [word, , , client, position, time, ...rest] = line.split(' ')
  if (word !== 'AT' || client === undefined || position === undefined || rest.length > 0) return undefined
  return { client, position, serial: Number(time) - TIME_OF_SERIAL_0 }
}

/** The ledger. Serials grow over all reports, so that of two reports of a client the later one is newer. */
export class FixLedger {
  readonly #entries = new Map<string, Entry>()
  #serial = 0
  #acknowledgements = 0

  /** How many reports were acknowledged. */
  get acknowledgements(): number {
    return this.#acknowledgements
  }

  /** The next report of a client. */
  next(client: string): Report {
    const serial = ++this.#serial
    const entry = this.#entries.get(client)
    if (entry === undefined) {
      this.#entries.set(client, { sent: serial, floor: 0, acknowledged: new Map(), replies: new Map() })
    } else entry.sent = serial
    return { client, serial, line: iamatLine(client, serial) }
  }

  /** A server has answered a report with this AT line. */
  acknowledged(server: string, reply: string): void {
    const fix = readAtLine(reply)
    const entry = fix && this.#entries.get(fix.client)
    if (fix === undefined || entry === undefined) throw new Error(`nobody asked for ${reply}`)
    entry.acknowledged.set(server, fix.serial)
    entry.replies.set(fix.serial, reply)
    this.#acknowledgements++
  }

  /**
   * Servers were killed: what they alone acknowledged may be gone with them, unless a survivor held it.
   *
   * @param held for each client the serial that a survivor knew.
   */
  killed(servers: readonly string[], held: ReadonlyMap<string, number>): void {
    for (const [client, entry] of this.#entries) {
      for (const server of servers) entry.acknowledged.delete(server)
      entry.floor = Math.max(entry.floor, held.get(client) ?? 0)
    }
  }

  /** All servers know the same: from now on none of this may be lost as long as one of them lives. */
  settled(held: ReadonlyMap<string, number>): void {
    for (const [client, entry] of this.#entries) {
      entry.floor = Math.max(entry.floor, held.get(client) ?? 0)
      entry.acknowledged.clear()
      entry.replies.clear()
    }
  }

  /** Holds a table against the ledger. */
  check(): TableCheck {
    const found = new Map<string, number>()
    const problems: string[] = []
    const line = (text: string): void => {
      const fix = readAtLine(text)
      if (fix !== undefined) found.set(fix.client, fix.serial)
      const problem = this.#problemOf(text, fix)
      if (problem !== undefined) problems.push(problem)
    }
    return { line, problems: () => shorten([...problems, ...this.#lost(found)]) }
  }

  #problemOf(text: string, fix: HeardFix | undefined): string | undefined {
    const entry = fix && this.#entries.get(fix.client)
    if (fix === undefined || entry === undefined) return `nobody reported ${text}`
    if (fix.serial > entry.sent) return `${text} is newer than what was sent`
    if (fix.position !== positionOf(fix.serial)) return `${text} is not what was sent`
    const reply = entry.replies.get(fix.serial)
    return reply === undefined || reply === text ? undefined : `${text} was acknowledged as ${reply}`
  }

  #lost(found: ReadonlyMap<string, number>): string[] {
    return [...this.#entries].flatMap(([client, { floor, acknowledged }]) => {
      const needed = Math.max(floor, ...acknowledged.values())
      const known = found.get(client) ?? 0
      return known >= needed ? [] : [`${client}: report ${needed} was acknowledged, the tables know ${known}`]
    })
  }
}

/** Holds a table against clients `<prefix>0` … of which each has reported once, with its number as the serial. */
export function freshClientsCheck(prefix: string, count: number): TableCheck {
  const seen = new Uint8Array(count)
  const problems: string[] = []
  const line = (text: string): void => {
    const fix = readAtLine(text)
    const number = fix?.client.startsWith(prefix) ? Number(fix.client.slice(prefix.length)) : undefined
    if (fix === undefined || number === undefined) return
    if (fix.serial !== number || fix.position !== positionOf(number)) problems.push(`${text} was never sent`)
    else seen[number] = 1
  }
  const missing = (): string[] => {
    const first = seen.indexOf(0)
    return first === -1 ? [] : [`${prefix}${first} is missing, and maybe others`]
  }
  return { line, problems: () => shorten([...problems, ...missing()]) }
}

function shorten(problems: readonly string[]): string[] {
  if (problems.length <= PROBLEMS_SHOWN) return [...problems]
  return [...problems.slice(0, PROBLEMS_SHOWN), `and ${problems.length - PROBLEMS_SHOWN} more`]
}

function signed(degrees: number): string {
  return `${degrees < 0 ? '-' : '+'}${Math.abs(degrees).toFixed(3)}`
}
