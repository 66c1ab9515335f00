import type { OutputBuffer } from '../protocol/index.ts'
import { appendWord } from './link-words.ts'

/** What is flooded: rows that only grow. Any two of one name have a least row that covers both. */
export interface RowKind<Row> {
  /** The word in front of a row on the wire. */
  readonly word: string
  /** Of rows of one name there is one. */
  nameOf(row: Row): string
  /** `null` if it isn't one. */
  read(text: string): Row | null
  /** The same row always gives the same text. */
  write(row: Row): string
  /** The least row that covers both: `known` itself when `heard` brings nothing. */
  join(known: Row, heard: Row): Row
  /** Whether a row is of interest now. What isn't is not kept, and not passed on. */
  takes(row: Row): boolean
}

/** What a link has told of rows, and heard. */
export interface TellsRows<Row> {
  readonly told: Map<string, Row>
  toldChanges: number
}

/** The rows as links see them, whatever they say. */
export interface Floods {
  /** For a new link. */
  openFor(): LinkFlood
  /** Calls back at every change. */
  listen(onChange: () => void): void
}

/** The rows as one link sees them. */
export interface LinkFlood {
  /** Whether the link has to be told something. */
  readonly owes: boolean
  /** Takes a row that came over the link; `false` if it is nothing new, or no row. */
  hear(text: string): boolean
  /** Appends the rows that the link has neither been told nor told us. */
  pull(output: OutputBuffer): void
}

/**
 * Rows that every server tells every other, besides those of members: each is joined with what is known, and what has
 * grown is told to all links but those that said so. Loss, repetition and disorder change nothing: joins don't mind. Pure.
 */
export class FloodedRows<Row> implements Floods {
  readonly #kind: RowKind<Row>
  readonly #max: number
  readonly #rows = new Map<string, Row>()
  #changes = 0
  #onChange: () => void = () => {}

  /** @param max rows at most; one more is not taken. */
  constructor(kind: RowKind<Row>, max: number) {
    this.#kind = kind
    this.#max = max
  }

  /** All rows, in the order in which they came. */
  get rows(): Row[] {
    return [...this.#rows.values()]
  }

  /** How many there are. */
  get size(): number {
    return this.#rows.size
  }

  /** Whether no row of another name is taken. */
  get isFull(): boolean {
    return this.#rows.size >= this.#max
  }

  get(name: string): Row | undefined {
    return this.#rows.get(name)
  }

  listen(onChange: () => void): void {
    this.#onChange = onChange
  }

  openFor(): LinkFlood {
    const link: TellsRows<Row> = { told: new Map(), toldChanges: -1 }
    const owes = (): boolean => link.toldChanges !== this.#changes
    return {
      get owes(): boolean {
        return owes()
      },
      hear: (text) => this.#hear(text, link),
      pull: (output) => this.#pull(link, output),
    }
  }

  /** Joins a row with what is known of it. @returns whether that was news and was taken. */
  put(row: Row): boolean {
    const name = this.#kind.nameOf(row)
    const known = this.#rows.get(name)
    if (known === undefined && this.isFull) return false
    const joined = known === undefined ? row : this.#kind.join(known, row)
    if (joined === known) return false
    this.#rows.set(name, joined)
    this.#changes++
    this.#onChange()
    return true
  }

  /** Forgets the rows of which a condition holds; nobody is told. */
  forget(isOver: (row: Row) => boolean): void {
    for (const [name, row] of this.#rows) if (isOver(row)) this.#rows.delete(name)
  }

  #hear(text: string, link: TellsRows<Row>): boolean {
    const row = this.#kind.read(text)
    if (row === null || !this.#kind.takes(row)) return false
    const isNews = this.put(row)
    const name = this.#kind.nameOf(row)
    const known = this.#rows.get(name)
    // If the other end knows less than we do now, it is still owed the rest.
    if (known !== undefined && this.#kind.join(row, known) === row) link.told.set(name, known)
    return isNews
  }

  #pull(link: TellsRows<Row>, output: OutputBuffer): void {
    if (link.toldChanges === this.#changes) return
    for (const [name, row] of this.#rows) {
      if (link.told.get(name) === row) continue
      link.told.set(name, row)
      appendWord(output, `${this.#kind.word} ${this.#kind.write(row)}`)
    }
    // What was forgotten is not told again, and takes no place.
    for (const name of link.told.keys()) if (!this.#rows.has(name)) link.told.delete(name)
    link.toldChanges = this.#changes
  }
}
