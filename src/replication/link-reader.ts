import type { Counters } from '../counters.ts'
import { FORGOTTEN, NOT_NEWER } from '../locations/index.ts'
import { type CommandParser, NO_STAMP_ALIAS } from '../protocol/index.ts'
import type { AtReader } from './at-reader.ts'
import { type LinkWord, readLinkWord } from './link-words.ts'
import type { Owed } from './owed.ts'
import type { Replica } from './replica.ts'
import { makeStamp, NO_STAMP, type Stamp } from './stamps.ts'

/** What reading needs; one for all links of a server. */
export interface LinkReaderContext {
  readonly replica: Replica
  readonly parser: CommandParser
  readonly reader: AtReader
  readonly counters: Counters
  readonly log: {
    event(level: 'error', event: string, fields: Readonly<Record<string, string | number | boolean>>): void
  }
}

/**
 * Takes the AT line that the parser has just read in `buffer`, from a neighbor that may say such things.
 *
 * @param from the link to that neighbor, so that it isn't sent back; `null` if there is none.
 * @returns whether it was news.
 */
export function receiveAt(context: LinkReaderContext, buffer: Buffer, from: Owed | null): boolean {
  const { counters, log, parser, replica } = context
  counters.linkLinesIn++
  const fix = context.reader.read(parser, buffer)
  if (fix === null) {
    if (from !== null) from.isLossy = true
    if (counters.serverNamesFull++ === 0)
      log.event('error', 'too many server names', { limit: 'limits.serverNamesMax' })
    return false
  }
  const isOurs = from !== null && from.to !== 'classic'
  const applied = isOurs ? replica.receive(fix, stampOf(parser, from), from) : replica.accept(fix, from)
  if (applied >= 0) counters.fixesNew++
  else if (applied === NOT_NEWER) counters.fixesNotNew++
  else if (applied === FORGOTTEN) counters.fixesTooOld++
  else if (counters.tableFull++ === 0)
    log.event('error', 'the table is full', { limit: 'limits.clientsMax or limits.tableBytesMax' })
  return applied >= 0
}

/** The stamp of the AT line that the parser has just read. One of a run that we were not told of covers nothing, and is safe. */
export function stampOf(parser: CommandParser, from: Owed): Stamp {
  if (parser.stampAlias === NO_STAMP_ALIAS) return NO_STAMP
  const run = from.runOfAlias(parser.stampAlias)
  return run === 0 ? NO_STAMP : makeStamp(run, parser.stampSeq)
}

/**
 * Takes a line that begins with HERD as far as it concerns what the replica holds: names of runs, vectors, claims.
 *
 * @returns the word, for whoever heeds the others.
 */
export function receiveWord(context: LinkReaderContext, line: string, from: Owed): LinkWord {
  const word = readLinkWord(line)
  const { replica } = context
  if (word.word === 'run') {
    const index = replica.runIndex(word.server, word.id)
    from.setAlias(word.alias, Math.max(0, index))
  } else if (word.word === 'vector' || word.word === 'claim') {
    for (const [alias, seq] of word.entries) {
      const run = from.runOfAlias(alias)
      if (run === 0) continue
      if (word.word === 'claim') replica.claimHeard(from, run, seq)
      else replica.vectorHeard(from, run, seq)
    }
  }
  return word
}
