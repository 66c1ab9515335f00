import { type CommandParser, fieldEnd, fieldStart, LineFramer, OutputBuffer } from '../protocol/index.ts'
import { type LinkReaderContext, receiveAt, receiveWord, stampOf } from '../replication/link-reader.ts'
import { Owed } from '../replication/owed.ts'
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
  const { replica, parser } = context
  const from = new Owed('disk', 0)
  const framer = new LineFramer(LINE_BYTES_MAX)
  let lines = 0
  let isWhole = true
  const files = await open((payload) => {
    framer.push(payload)
    while (framer.next() === 'line') {
      const { buffer, start, end } = framer
      const kind = parser.parse(buffer, start, end)
      if (kind === 'at') {
        if (!receiveAt(context, buffer, from)) renewStamp(context, buffer, start, from)
        lines++
      } else if (kind === 'herd') receiveWord(context, buffer.toString('latin1', start, end), from)
      // Another version may have written what this one can't read.
      else isWhole = false
    }
  })
  // Where something is missing in the middle, claims behind it say too much: then none of them is believed.
  if (!isWhole || files.report.damaged.length > 0) replica.disown(from)
  replica.adoptUncovered()
  const neededBytes = Math.ceil((files.bytes * replica.table.clients) / Math.max(1, lines))
  return { files, held: from.peer, neededBytes }
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
