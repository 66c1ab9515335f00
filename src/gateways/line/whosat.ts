import type { Counters } from '../../counters.ts'
import { type Area, type LiveTable, makeBox, type Search } from '../../locations/index.ts'
import {
  ALL_ITEMS,
  type CommandKind,
  type CommandParser,
  fieldEnd,
  fieldStart,
  ITEMS_MAX,
  LF,
  type Nanotime,
  type OutputBuffer,
  setDifference,
} from '../../protocol/index.ts'
import { EVERYTHING, type Grant } from '../access/grant.ts'
import { readPolygons } from '../calls/polygons.ts'
import type { SearchTurns } from '../calls/search-turns.ts'

/** Indexes of the fields. */
const CLIENT = 1
const POLYGON = 2

/** The commands that ask who is somewhere. */
export type WhosatKind = Extract<CommandKind, `whosat${string}`>

/** What WHOSAT works on. */
export interface WhosatContext {
  readonly table: LiveTable
  readonly parser: CommandParser
  readonly output: OutputBuffer
  readonly counters: Counters
  readonly now: Nanotime
  readonly searchTurns: SearchTurns
  readonly limits: {
    /** How many answers `*` may have; no fewer than `ITEMS_MAX`. */
    readonly whosatItemsMax: number
    /** And how many bytes. */
    readonly whosatBytesMax: number
  }
}

/** `WHOSAT`, in its four forms. The parser has just read the command. */
export class Whosat {
  readonly #context: WhosatContext

  constructor(context: WhosatContext) {
    this.#context = context
  }

  /** Begins the search; `null` when nobody has heard of the client, or the polygon is none. */
  begin(kind: WhosatKind, buffer: Buffer): Search | null {
    const { table, parser, limits } = this.#context
    const asker = kind === 'whosat' ? this.#asker(buffer) : -1
    if (kind === 'whosat' && asker === -1) return null
    const area = this.#area(kind, asker, buffer)
    if (area === null) return null
    return table.search({
      area,
      // One more than is allowed shows that there are more.
      items: parser.items === ALL_ITEMS ? limits.whosatItemsMax + 1 : parser.items,
      since: this.#since(),
      except: asker,
    })
  }

  /** Appends what a search that is done has found, of that what may be read. */
  append(search: Search, grant: Grant = EVERYTHING): void {
    const { table, output, counters, limits } = this.#context
    counters.whosats++
    if (search.found.length > limits.whosatItemsMax) {
      this.#tooMuch(`more than ${limits.whosatItemsMax}`, 'whosatItemsMax')
      return
    }
    // By a number only few can be asked for: these come however long their lines are.
    const bytesMax = search.found.length > ITEMS_MAX ? limits.whosatBytesMax : Number.POSITIVE_INFINITY
    const found = grant.readsAll
      ? search.found
      : search.found.filter((record) => this.#mayRead(record, grant))
    if (table.appendAll(found, output, bytesMax)) output.appendByte(LF)
    else this.#tooMuch(`more than ${limits.whosatBytesMax} bytes of them`, 'whosatBytesMax')
  }

  #mayRead(record: number, grant: Grant): boolean {
    return grant.mayRead(this.#context.table.read(record).client.toString('utf8'))
  }

  /** Part of an answer would look like all of it. */
  #tooMuch(what: string, limit: string): void {
    const text = `? ${what} are there: ask for a smaller area, or for some (limits.${limit})\n`
    this.#context.output.append(Buffer.from(text), 0, text.length)
  }

  /** Goes on with a search that isn't done: see `SearchTurns`. */
  finish(search: Pick<Search, 'step'>, isWanted: () => boolean, done: () => void): void {
    this.#context.searchTurns.finish(search, isWanted, done)
  }

  #area(kind: WhosatKind, asker: number, buffer: Buffer): Area | null {
    const { table, parser } = this.#context
    const { position, corner, radiusMetres, fields } = parser
    switch (kind) {
      case 'whosat': {
        const { latitude, longitude } = table.read(asker)
        return { kind: 'circle', center: { latitude, longitude }, radiusMetres }
      }
      case 'whosat-near':
        return { kind: 'circle', center: { ...position }, radiusMetres }
      case 'whosat-box':
        return corner.latitude < position.latitude ? null : makeBox(position, corner)
      case 'whosat-polygon':
        return readPolygons(buffer.toString('utf8', fieldStart(fields, POLYGON), fieldEnd(fields, POLYGON)))
    }
  }

  #asker(buffer: Buffer): number {
    const { table, parser } = this.#context
    return table.get(buffer, fieldStart(parser.fields, CLIENT), fieldEnd(parser.fields, CLIENT))
  }

  /** Younger than an age is after now minus that age. */
  #since(): Nanotime | null {
    const { parser, now } = this.#context
    if (parser.age === null) return null
    const since = { seconds: 0, nanoseconds: 0 }
    setDifference(since, now.seconds, now.nanoseconds, parser.age.seconds, parser.age.nanoseconds)
    return since
  }
}
