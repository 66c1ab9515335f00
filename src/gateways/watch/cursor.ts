import type { Runs } from '../../replication/runs.ts'
import { VersionVector } from '../../replication/version-vector.ts'

/**
 * A cursor says up to where somebody has been told: a version vector as text, which means the same on every server of the herd. Each
 * run is its server's name, the beginning of its ID and a number: `Alford~1f3a9c2e~1042`; commas between them.
 */

/** A longer text is no cursor of ours. What doesn't fit is left out: it is told once more. */
export const CURSOR_BYTES_MAX = 4096

/** Enough of an ID to tell apart the lives of one server. */
const ID_LENGTH = 8
const NUMBER = /^[1-9][0-9]{0,15}$/

/** Writes a vector as a cursor. */
export function writeCursor(vector: VersionVector, runs: Runs): string {
  const parts: string[] = []
  let length = 0
  vector.forEachBeyond(NOTHING, (run, seq) => {
    const known = runs.get(run)
    if (known === null) return
    const part = `${encodeURIComponent(known.server)}~${shortId(known.id)}~${seq}`
    length += part.length + 1
    if (length <= CURSOR_BYTES_MAX) parts.push(part)
  })
  return parts.length === 0 ? EMPTY : parts.join(',')
}

/** Reads a cursor; `null` when it is none. Runs that this server hasn't heard of are left out: what is theirs is told when it comes. */
export function readCursor(text: string, runs: Runs): VersionVector | null {
  const vector = new VersionVector()
  if (text === EMPTY) return vector
  if (text.length > CURSOR_BYTES_MAX) return null
  const indexes = indexesOf(runs)
  for (const part of text.split(',')) {
    const [server, id, seq, more] = part.split('~')
    if (server === undefined || id === undefined || more !== undefined || !NUMBER.test(seq ?? '')) return null
    const run = indexes.get(`${server}~${id}`)
    if (run !== undefined) vector.raise(run, Number(seq))
  }
  return vector
}

/** The cursor of who was told nothing. */
const EMPTY = '0'
const NOTHING = new VersionVector()

function indexesOf(runs: Runs): Map<string, number> {
  const indexes = new Map<string, number>()
  for (let run = 1; run < runs.end; run++) {
    const known = runs.get(run)
    if (known !== null) indexes.set(`${encodeURIComponent(known.server)}~${shortId(known.id)}`, run)
  }
  return indexes
}

/** A run that was renewed has a dot and a number behind its ID. */
function shortId(id: string): string {
  const dot = id.indexOf('.')
  return dot === -1 ? id.slice(0, ID_LENGTH) : id.slice(0, ID_LENGTH) + id.slice(dot)
}
