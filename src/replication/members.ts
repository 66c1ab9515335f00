import type { OutputBuffer } from '../protocol/index.ts'
import { appendWord } from './link-words.ts'

/** A server of the herd, as it says of itself. */
export interface Member {
  readonly name: string
  readonly host: string
  readonly port: number
  /** Of two rows of one server the one with the greater version holds. */
  readonly version: number
  /** `left`: it has left the herd, and isn't missed. */
  readonly state: 'up' | 'left'
  /** The servers that it has an open link with. */
  readonly links: readonly string[]
}

/** What a link has told of members, and heard. */
export interface TellsMembers {
  readonly told: Map<string, number>
  toldChanges: number
}

/** Servers that a row may name as linked. */
const LINKS_MAX = 1024
const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/

/** Makes what a new link needs. */
export function makeTellsMembers(): TellsMembers {
  return { told: new Map(), toldChanges: -1 }
}

/**
 * Who is in the herd, and which links are open: every server floods a row about itself, and keeps the newest of every
 * other. From the rows each server sees whom it can reach. Pure.
 */
export class Members {
  readonly #max: number
  readonly #rows = new Map<string, Member>()
  #self: Member
  #changes = 0

  /**
   * @param self where this server is; its version must be greater than in its earlier lives: the time, for instance.
   * @param max rows at most; one more takes the place of a server that left, or is not taken.
   */
  constructor(self: Pick<Member, 'name' | 'host' | 'port' | 'version'>, max: number) {
    this.#max = max
    this.#self = { ...self, state: 'up', links: [] }
    this.#rows.set(self.name, this.#self)
  }

  /** Goes up with every change. */
  get changes(): number {
    return this.#changes
  }

  /** All rows, by name. */
  get rows(): Member[] {
    return [...this.#rows.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  }

  /** The row of a server, if it was ever heard of. */
  get(name: string): Member | undefined {
    return this.#rows.get(name)
  }

  /** This server's open links have changed, or where it listens, or it leaves. */
  announce(change: Partial<Pick<Member, 'links' | 'state' | 'host' | 'port'>>): void {
    this.#self = { ...this.#self, ...change, version: this.#self.version + 1 }
    this.#rows.set(this.#self.name, this.#self)
    this.#changes++
  }

  /** Takes a row that came over a link; `false` if it is nothing new, or no row. */
  hear(text: string, from: TellsMembers): boolean {
    const row = readMember(text)
    if (row === null) return false
    from.told.set(row.name, Math.max(row.version, from.told.get(row.name) ?? 0))
    if (row.name === this.#self.name) return this.#hearOfSelf(row)
    const known = this.#rows.get(row.name)
    if (known !== undefined && known.version >= row.version) return false
    if (known === undefined && this.#rows.size >= this.#max && !this.#forgetOneThatLeft()) return false
    this.#rows.set(row.name, row)
    this.#changes++
    return true
  }

  /** Whether a link has to be told something. */
  owes(link: TellsMembers): boolean {
    return link.toldChanges !== this.#changes
  }

  /** Appends the rows that a link has neither been told nor told us. */
  pull(link: TellsMembers, output: OutputBuffer): void {
    if (!this.owes(link)) return
    for (const row of this.#rows.values()) {
      if ((link.told.get(row.name) ?? 0) >= row.version) continue
      link.told.set(row.name, row.version)
      appendWord(output, `member ${writeMember(row)}`)
    }
    link.toldChanges = this.#changes
  }

  /** The servers that are reached from here, over links that both ends say are open; this one among them. */
  reachable(): Set<string> {
    const reached = new Set([this.#self.name])
    // A set is walked in the order of its growth, what is added meanwhile included.
    for (const name of reached) {
      for (const next of this.#rows.get(name)?.links ?? []) {
        const row = this.#rows.get(next)
        // A server of the old kind says nothing of itself.
        if (row === undefined ? name === this.#self.name : row.state === 'up' && row.links.includes(name)) {
          reached.add(next)
        }
      }
    }
    return reached
  }

  /** Rows of this server come back from its earlier lives: it goes beyond them. */
  #hearOfSelf(row: Member): boolean {
    if (row.version <= this.#self.version) return false
    this.#self = { ...this.#self, version: row.version }
    this.announce({})
    return true
  }

  #forgetOneThatLeft(): boolean {
    const gone = this.rows.filter(({ state }) => state === 'left').sort((a, b) => a.version - b.version)[0]
    return gone !== undefined && this.#rows.delete(gone.name)
  }
}

/** A row as it is said. */
export function writeMember({ name, host, port, version, state, links }: Member): string {
  return `${name} ${host} ${port} ${version} ${state} ${links.length === 0 ? '-' : links.join(',')}`
}

/** Reads a row; `null` if it isn't one. Fields behind those we know are a later version's. */
export function readMember(text: string): Member | null {
  const [name = '', host = '', port = '', version = '', state = '', links = ''] = text.split(' ')
  if (!NAME.test(name) || !/^[A-Za-z0-9_.:%-]{1,255}$/.test(host) || !/^\d{1,5}$/.test(port)) return null
  if (!/^\d{1,15}$/.test(version) || (state !== 'up' && state !== 'left')) return null
  const names = links === '-' ? [] : links.split(',')
  if (names.length > LINKS_MAX || !names.every((link) => NAME.test(link))) return null
  return { name, host, port: Number(port), version: Number(version), state, links: names }
}
