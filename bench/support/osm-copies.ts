/** Makes a large file of OpenStreetMap out of a small one: copies side by side, with IDs of their own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'

/** So far do the copies lie apart, 1/10,000,000 of a degree: more than Liechtenstein is wide, and high. */
const [COLUMN_UNITS, ROW_UNITS] = [3_000_000, 8_000_000] as const
/** Copies in a row, so that none is beyond 180°. */
const COLUMNS = 500
const UNITS_PER_DEGREE = 10_000_000
const CHUNK_CHARACTERS = 256 * 1024
const ERROR_CHARACTERS_MAX = 2000

/** A line of osmium's text format (OPL), cut where a copy has something else. */
interface Template {
  /** Text, and what stands behind it: an ID of a kind, or a coordinate. */
  readonly parts: readonly (readonly [text: string, kind: Kind, value: number])[]
  readonly end: string
}

type Kind = 'n' | 'w' | 'r' | 'x' | 'y'

/** The small file as lines, by kind, and the greatest ID of each kind, also of what is only referred to. */
export interface OsmLines {
  readonly n: readonly Template[]
  readonly w: readonly Template[]
  readonly r: readonly Template[]
  readonly greatest: Readonly<Record<'n' | 'w' | 'r', number>>
}

/** Reads OPL lines: https://osmcode.org/opl-file-format/. */
export async function readOsmLines(lines: AsyncIterable<string> | Iterable<string>): Promise<OsmLines> {
  const all = { n: [] as Template[], w: [] as Template[], r: [] as Template[] }
  const greatest = { n: 0, w: 0, r: 0 }
  for await (const line of lines) {
    const kind = line.charAt(0)
    if (kind !== 'n' && kind !== 'w' && kind !== 'r') continue
    const template = templateOf(line)
    all[kind].push(template)
    for (const [, id, value] of template.parts) {
      if (id !== 'x' && id !== 'y') greatest[id] = Math.max(greatest[id], value)
    }
  }
  return { ...all, greatest }
}

/** So many objects are in each copy. */
export function objectsOf({ n, w, r }: OsmLines): number {
  return n.length + w.length + r.length
}

/** All copies: all nodes in the order of their IDs, then all ways, then all relations; in chunks of text. */
export function* writeCopies(lines: OsmLines, copies: number): Generator<string> {
  let chunk = ''
  for (const kind of ['n', 'w', 'r'] as const) {
    for (let copy = 0; copy < copies; copy += 1) {
      for (const template of lines[kind]) {
        chunk += writeLine(template, copy, lines.greatest)
        if (chunk.length < CHUNK_CHARACTERS) continue
        yield chunk
        chunk = ''
      }
    }
  }
  yield chunk
}

/**
 * Writes so many copies of one `.osm.pbf` file into another, by osmium. Versions and times of objects stay, the names
 * of their editors don't, as in public extracts.
 *
 * @returns how many objects the file has.
 */
export async function copyOsmFile(from: string, to: string, copies: number): Promise<number> {
  const reader = spawn('osmium', ['cat', from, '--no-progress', '-f', 'opl,add_metadata=version+timestamp'], {
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const readErrors = keepText(reader.stderr)
  const readEnd = once(reader, 'close')
  const lines = await readOsmLines(createInterface({ input: reader.stdout }))
  await readEnd
  if (reader.exitCode !== 0) throw new Error(`osmium can't read ${from}: ${readErrors()}`)

  const args = ['cat', '-F', 'opl', '-', '-o', to, '--overwrite', '--no-progress']
  const writer = spawn('osmium', args, { stdio: ['pipe', 'ignore', 'pipe'] })
  const writeErrors = keepText(writer.stderr)
  const writeEnd = once(writer, 'close')
  // It tells by its exit code, and more clearly, why it takes no more.
  writer.stdin.on('error', () => undefined)
  for (const chunk of writeCopies(lines, copies)) {
    if (!writer.stdin.writable) break
    if (!writer.stdin.write(chunk)) await Promise.race([once(writer.stdin, 'drain'), writeEnd])
  }
  writer.stdin.end()
  await writeEnd
  if (writer.exitCode !== 0) throw new Error(`osmium can't write ${to}: ${writeErrors()}`)
  return copies * objectsOf(lines)
}

/** IDs stand at the start, and behind `N` and `M` where they are references; x and y are the coordinates. */
function templateOf(line: string): Template {
  const parts: [string, Kind, number][] = []
  let textFrom = 0
  const cut = (at: number, kind: Kind, digits: string, scale = 1): void => {
    parts.push([line.slice(textFrom, at), kind, Math.round(Number(digits) * scale)])
    textFrom = at + digits.length
  }
  let fieldAt = 0
  for (const field of line.split(' ')) {
    const rest = field.slice(1)
    const kind = field.charAt(0)
    if (fieldAt === 0) cut(1, kind as Kind, rest)
    else if ((kind === 'x' || kind === 'y') && rest !== '') cut(fieldAt + 1, kind, rest, UNITS_PER_DEGREE)
    else if (kind === 'N' || kind === 'M') {
      for (const { index, 1: member, 2: id } of field.matchAll(/(?<=^[NM]|,)([nwr])(\d+)/g)) {
        if (member !== undefined && id !== undefined) cut(fieldAt + index + 1, member as Kind, id)
      }
    }
    fieldAt += field.length + 1
  }
  return { parts, end: `${line.slice(textFrom)}\n` }
}

function writeLine({ parts, end }: Template, copy: number, greatest: OsmLines['greatest']): string {
  let line = ''
  for (const [text, kind, value] of parts) line += text + writeValue(kind, value, copy, greatest)
  return line + end
}

function writeValue(kind: Kind, value: number, copy: number, greatest: OsmLines['greatest']): string {
  if (kind === 'x') return String((value + (copy % COLUMNS) * COLUMN_UNITS) / UNITS_PER_DEGREE)
  if (kind === 'y') return String((value + Math.floor(copy / COLUMNS) * ROW_UNITS) / UNITS_PER_DEGREE)
  return String(value + copy * greatest[kind])
}

function keepText(stream: Readable): () => string {
  let kept = ''
  stream.setEncoding('utf8')
  stream.on('data', (text: string) => {
    kept = (kept + text).slice(-ERROR_CHARACTERS_MAX)
  })
  return () => kept.trim()
}
