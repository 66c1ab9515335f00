import { formatTime, type Nanotime, type OutputBuffer, readTime } from '../protocol/index.ts'
import { LINK_VERSION } from './handshake.ts'
import type { Run } from './runs.ts'
import { RUNS_END, SEQ_END } from './stamps.ts'
import type { VersionVector } from './version-vector.ts'

/** A run, by the sender's number of it, and one of its changes. */
export type VectorEntry = readonly [alias: number, seq: number]

/** What servers say to each other besides AT lines, read. docs/protocol.md has the grammar. */
export type LinkWord =
  | { readonly word: 'run'; readonly alias: number; readonly server: string; readonly id: string }
  | { readonly word: 'vector' | 'claim'; readonly entries: readonly VectorEntry[] }
  | { readonly word: 'live' | 'ask' }
  | { readonly word: 'ping' | 'pong'; readonly number: string; readonly clock: Nanotime }
  | {
      readonly word: 'audit'
      readonly key: string
      readonly vectorHash: string
      readonly before: string
      readonly sums: string
    }
  | { readonly word: 'repair'; readonly key: string; readonly buckets: readonly number[] }
  | { readonly word: 'member' | 'budget' | 'health'; readonly row: string }
  | { readonly word: 'unknown' }
  | { readonly word: 'malformed' }

/** Entries in one line at most. */
const ENTRIES_PER_LINE = 32
const PREFIX = `HERD ${LINK_VERSION} `
const MALFORMED: LinkWord = { word: 'malformed' }

/** Appends `HERD 2 <text>` and a line end. */
export function appendWord(output: OutputBuffer, text: string): void {
  const line = Buffer.from(`${PREFIX}${text}\n`, 'latin1')
  output.append(line, 0, line.length)
}

/** Appends the line that says by which number a run is called from now on. */
export function appendRun(output: OutputBuffer, alias: number, run: Run): void {
  appendWord(output, `run ${alias} ${run.server} ${run.id}`)
}

/**
 * Appends what `vector` covers beyond `said`, in as many lines as it takes: the last may have no entries.
 *
 * @param introduce called with each run before it is mentioned.
 */
export function appendVector(
  output: OutputBuffer,
  word: 'vector' | 'claim',
  vector: VersionVector,
  said: VersionVector,
  introduce: (run: number) => void,
): void {
  let entries: string[] = []
  vector.forEachBeyond(said, (run, seq) => {
    introduce(run)
    entries.push(` ${run}:${seq}`)
    if (entries.length < ENTRIES_PER_LINE) return
    // A claim holds as a whole, but any part of it holds as well.
    appendWord(output, word + entries.join(''))
    entries = []
  })
  appendWord(output, word + entries.join(''))
}

/** Appends a ping or a pong. @param clock the sender's wall clock. */
export function appendPing(
  output: OutputBuffer,
  word: 'ping' | 'pong',
  number: string,
  clock: Nanotime,
): void {
  appendWord(output, `${word} ${number} ${formatTime(clock)}`)
}

/** Reads a line that begins with HERD; a word that we don't know is `unknown`: a later version's. */
export function readLinkWord(line: string): LinkWord {
  const [, version = '', word = '', ...rest] = line.split(/[ \t\r\f\v]+/)
  if (!/^\d{1,4}$/.test(version)) return MALFORMED
  switch (word) {
    case 'run':
      return readRun(rest)
    case 'vector':
    case 'claim':
      return readEntries(word, rest)
    case 'live':
    case 'ask':
      return { word }
    case 'ping':
    case 'pong':
      return readPing(word, rest)
    case 'audit':
      return readAudit(rest)
    case 'repair':
      return readRepair(rest)
    case 'member':
    case 'budget':
    case 'health':
      return { word, row: rest.join(' ') }
    default:
      return { word: 'unknown' }
  }
}

function readRun([alias = '', server = '', id = '']: readonly string[]): LinkWord {
  const number = readNumber(alias, RUNS_END)
  if (number < 1 || server === '' || !/^[0-9a-f.]{1,64}$/.test(id)) return MALFORMED
  return { word: 'run', alias: number, server, id }
}

function readEntries(word: 'vector' | 'claim', fields: readonly string[]): LinkWord {
  const entries: VectorEntry[] = []
  for (const field of fields) {
    if (field === '') continue
    const [alias = '', seq = ''] = field.split(':')
    const entry = [readNumber(alias, RUNS_END), readNumber(seq, SEQ_END)] as const
    if (entry[0] < 1 || entry[1] < 1) return MALFORMED
    entries.push(entry)
  }
  return { word, entries }
}

function readPing(word: 'ping' | 'pong', [number = '', clockText = '']: readonly string[]): LinkWord {
  const clock: Nanotime = { seconds: 0, nanoseconds: 0 }
  const bytes = Buffer.from(clockText, 'latin1')
  if (!/^\d{1,16}$/.test(number) || readTime(bytes, 0, bytes.length, clock) !== bytes.length) return MALFORMED
  return { word, number, clock }
}

function readAudit([key = '', vectorHash = '', before = '', sums = '']: readonly string[]): LinkWord {
  if (!/^[0-9a-f]{24}$/.test(key) || !/^[0-9a-f]{16}$/.test(vectorHash)) return MALFORMED
  if (!/^(?:-|\d{1,12})$/.test(before) || !/^(?:[0-9a-f]{8})+$/.test(sums)) return MALFORMED
  return { word: 'audit', key, vectorHash, before, sums }
}

function readRepair([key = '', ...fields]: readonly string[]): LinkWord {
  const buckets = fields.filter((field) => field !== '').map((field) => readNumber(field, 65_536))
  if (!/^[0-9a-f]{24}$/.test(key) || buckets.some((bucket) => bucket < 0)) return MALFORMED
  return { word: 'repair', key, buckets }
}

/** A decimal number below `end`, or −1. */
function readNumber(text: string, end: number): number {
  if (!/^\d{1,15}$/.test(text)) return -1
  const number = Number(text)
  return number < end ? number : -1
}
