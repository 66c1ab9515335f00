import type { OutputBuffer } from '../protocol/index.ts'
import { hostAsSeen, isAnyHost, isHost, isLoopbackHost, type ListenAddress } from './addresses.ts'
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
  /** Its run, in hex; `-` where it says none. */
  readonly run: string
}

/** Who is at the other end of a link, and where that is seen to be. */
export interface MemberSeen {
  readonly name: string
  readonly address: string
}

/** What a link has told of members, and heard. */
export interface TellsMembers {
  readonly told: Map<string, Member>
  toldChanges: number
  readonly peer: MemberSeen | undefined
}

/** Servers that a row may name as linked: neighbors of one server, joined ones among them. */
export const MEMBER_LINKS_MAX = 1024
/** The longest line about a member, its word and all names of its links included. */
export const MEMBER_LINE_BYTES_MAX: number = (MEMBER_LINKS_MAX + 8) * 65
/**
 * How often a server goes beyond rows that name it and aren't its own. Those of its earlier lives end soon; those of
 * another server that has its name as well would not.
 */
export const REBUTTALS_MAX = 16
const NAME = /^[A-Za-z][A-Za-z0-9_.-]{0,63}$/
const NO_RUN = '-'

/** Makes what a new link needs. @param peer its other end, where one is known. */
export function makeTellsMembers(peer?: MemberSeen): TellsMembers {
  return { told: new Map(), toldChanges: -1, peer }
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
  #rebuttals = 0
  #onChange: () => void = () => {}

  /**
   * @param self where this server is; its version must be greater than in its earlier lives: the time, for instance.
   * @param max rows at most; one more takes the place of a server that left, or is not taken.
   */
  constructor(
    self: Pick<Member, 'name' | 'host' | 'port' | 'version'> & Partial<Pick<Member, 'run'>>,
    max: number,
  ) {
    this.#max = max
    this.#self = { run: NO_RUN, ...self, state: 'up', links: [] }
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

  /** Another server of this name speaks in the herd, and doesn't end: rows about this one don't come through. */
  get hasTwin(): boolean {
    return this.#rebuttals >= REBUTTALS_MAX
  }

  /** Calls back at every change. */
  listen(onChange: () => void): void {
    this.#onChange = onChange
  }

  /** The row of a server, if it was ever heard of. */
  get(name: string): Member | undefined {
    return this.#rows.get(name)
  }

  /** This server's open links have changed, or it leaves. */
  announce(change: Partial<Pick<Member, 'links' | 'state' | 'host' | 'port'>>): void {
    const links = (change.links ?? this.#self.links).slice(0, MEMBER_LINKS_MAX)
    this.#self = { ...this.#self, ...change, links, version: this.#self.version + 1 }
    this.#put(this.#self)
  }

  /**
   * Says in the place of a server that is not reached, and won't come back, that it has left. If it does come back, it
   * says otherwise.
   *
   * @returns `false` if it is reached, or isn't known.
   */
  giveUp(name: string): boolean {
    const row = this.#rows.get(name)
    if (row === undefined || this.reachable().has(name)) return false
    this.#put({ ...row, state: 'left', links: [], version: row.version + 1 })
    return true
  }

  /** Takes a row that came over a link; `false` if it is nothing new, or no row. */
  hear(text: string, from: TellsMembers): boolean {
    const said = readMember(text)
    if (said === null) return false
    const row = seenFrom(said, from.peer)
    const told = from.told.get(row.name)
    if (told === undefined || isNewer(row, told)) from.told.set(row.name, row)
    if (row.name === this.#self.name) return this.#hearOfSelf(row)
    const known = this.#rows.get(row.name)
    if (known !== undefined && !isNewer(row, known)) return false
    if (known === undefined && this.#rows.size >= this.#max && !this.#forgetOneThatLeft()) return false
    this.#put(row)
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
      const told = link.told.get(row.name)
      if (told !== undefined && !isNewer(row, told)) continue
      link.told.set(row.name, row)
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

  /**
   * The server that has a name already: another life than `run`, elsewhere than `at`, and within reach. `null` if there
   * is none: nobody has the name, or its holder has started again, or is gone.
   */
  holderOf(name: string, run: string, at: ListenAddress | undefined): Member | null {
    const row = this.#rows.get(name)
    if (at === undefined || row === undefined || row.run === run || row.run === NO_RUN) return null
    const isSamePlace = row.port === at.port && (row.host === at.host || isAnyHost(at.host))
    return isSamePlace || !this.reachable().has(name) ? null : row
  }

  /** Rows of this server come back from its earlier lives: it goes beyond them. */
  #hearOfSelf(row: Member): boolean {
    if (row.version <= this.#self.version || this.hasTwin) return false
    if (row.run !== this.#self.run) this.#rebuttals++
    this.#self = { ...this.#self, version: row.version }
    this.announce({})
    return true
  }

  #put(row: Member): void {
    this.#rows.set(row.name, row)
    this.#changes++
    this.#onChange()
  }

  #forgetOneThatLeft(): boolean {
    const gone = this.rows.filter(({ state }) => state === 'left').sort((a, b) => a.version - b.version)[0]
    return gone !== undefined && this.#rows.delete(gone.name)
  }
}

/** A row as it is said. */
export function writeMember({ name, host, port, version, state, links, run }: Member): string {
  return `${name} ${host} ${port} ${version} ${state} ${links.length === 0 ? '-' : links.join(',')} ${run}`
}

/** Reads a row; `null` if it isn't one. Fields behind those we know are a later version's. */
export function readMember(text: string): Member | null {
  const [name = '', host = '', port = '', version = '', state = '', links = '', run = NO_RUN] =
    text.split(' ')
  if (!NAME.test(name) || !isHost(host) || !/^\d{1,5}$/.test(port)) return null
  if (!/^\d{1,15}$/.test(version) || (state !== 'up' && state !== 'left')) return null
  const names = links === '-' ? [] : links.split(',')
  if (names.length > MEMBER_LINKS_MAX || !names.every((link) => NAME.test(link))) return null
  if (!/^(?:-|[0-9a-f]{1,64})$/.test(run)) return null
  return { name, host, port: Number(port), version: Number(version), state, links: names, run }
}

/** A server that listens on all addresses is where its neighbors see it; they say so to the others. */
function seenFrom(row: Member, peer: MemberSeen | undefined): Member {
  if (peer === undefined || row.name !== peer.name) return row
  return { ...row, host: hostAsSeen(row.host, peer.address) }
}

/**
 * Which of two rows of one server holds. Rows of one version differ only in where neighbors have seen the server; all
 * servers settle on the same one.
 */
function isNewer(row: Member, than: Member): boolean {
  // Nearly all rows of a herd, each time that one has changed.
  if (row === than) return false
  if (row.version !== than.version) return row.version > than.version
  const [rank, other] = [hostRank(row.host), hostRank(than.host)]
  return rank === other ? writeMember(row) > writeMember(than) : rank > other
}

function hostRank(host: string): number {
  if (isAnyHost(host)) return 0
  return isLoopbackHost(host) ? 1 : 2
}
