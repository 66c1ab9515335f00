import { type CommandParser, fieldEnd, fieldStart, LineFramer, OutputBuffer } from '../protocol/index.ts'
import { type LinkReaderContext, receiveAt, receiveWord, stampOf } from '../replication/link-reader.ts'
import type { Owed } from '../replication/owed.ts'
import type { VersionVector } from '../replication/version-vector.ts'
import type { JournalFiles } from './journal-files.ts'
import type { JournalOptions } from './journal-opening.ts'

/** The longest line that can be in a journal: it was written by ourselves. */
const LINE_BYTES_MAX = 2 ** 24

/** Index of an AT line's client among its fields. */
const CLIENT = 3

/** What reading a journal needs. */
export interface JournalLoadContext extends LinkReaderContext {
  readonly parser: CommandParser
}

/** A journal that was read. */
export interface LoadedJournal {
  readonly files: JournalFiles
  /** What the disk is known to hold. */
  readonly held: VersionVector
  /** About how many bytes a journal of what is held now would have. */
  readonly neededBytes: number
}

/** Takes the batches of a journal into a replica that has no links yet. */
export class JournalLoading {
  readonly #context: JournalLoadContext
  readonly #from: Owed
  readonly #framer = new LineFramer(LINE_BYTES_MAX)
  #lines = 0
  #isWhole = true

  constructor(context: JournalLoadContext) {
    this.#context = context
    // One of the replica's links, so that it hears of runs that are dropped: their indexes then mean others.
    this.#from = context.replica.connect('disk')
  }

  /** How many AT lines there were. */
  get lines(): number {
    return this.#lines
  }

  /** Takes the next batch. */
  take(payload: Buffer): void {
    const framer = this.#framer
    framer.push(payload)
    while (framer.next() === 'line') this.#takeLine(framer)
  }

  /**
   * All was taken.
   *
   * @param isDamaged something is missing in the middle: then claims behind it say too much, and none is believed.
   * @returns what the disk is known to hold.
   */
  end(isDamaged: boolean): VersionVector {
    const { replica } = this.#context
    if (isDamaged || !this.#isWhole) replica.disown(this.#from)
    replica.adoptUncovered()
    replica.disconnect(this.#from)
    return this.#from.peer
  }

  #takeLine({ buffer, start, end }: LineFramer): void {
    const context = this.#context
    const kind = context.parser.parse(buffer, start, end)
    if (kind === 'at') {
      if (!receiveAt(context, buffer, this.#from)) renewStamp(context, buffer, start, this.#from)
      this.#lines++
    } else if (kind === 'herd') receiveWord(context, buffer.toString('latin1', start, end), this.#from)
    // Another version may have written what this one can't read.
    else this.#isWhole = false
  }
}

/**
 * Reads a journal into a replica that has no links yet.
 *
 * @param open opens the files.
 * @throws what `JournalFiles.open` throws.
 */
export async function loadJournal(
  context: JournalLoadContext,
  open: (onBatch: JournalOptions['onBatch']) => Promise<JournalFiles>,
): Promise<LoadedJournal> {
  const loading = new JournalLoading(context)
  const files = await open((payload) => loading.take(payload))
  const held = loading.end(files.report.damaged.length > 0)
  return { files, held, neededBytes: neededBytes(context, files.bytes, loading.lines) }
}

/** About how many bytes a journal of what is held now would have, of one with so many bytes and AT lines. */
export function neededBytes({ replica }: JournalLoadContext, bytes: number, lines: number): number {
  return Math.ceil((bytes * replica.table.clients) / Math.max(1, lines))
}

const known = new OutputBuffer()

/** A line that is known already, but under an older stamp: a life before took it for its own run. The later one counts. */
function renewStamp(
  { parser, replica }: JournalLoadContext,
  buffer: Buffer,
  start: number,
  from: Owed,
): void {
  const record = replica.table.get(buffer, fieldStart(parser.fields, CLIENT), fieldEnd(parser.fields, CLIENT))
  if (record === -1) return
  known.cutBack(0)
  replica.table.appendAtFields(record, known)
  const line = known.take()
  if (line.compare(buffer, start, start + line.length) === 0) replica.restamp(record, stampOf(parser, from))
}
