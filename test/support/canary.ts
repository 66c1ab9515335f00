/**
 * Keys that must show nowhere, and how to find them. Every test that needs a key takes one of these, so that one
 * search over all that the tests leave behind tells whether a key ever got out, also a part of it.
 */
import assert from 'node:assert/strict'
import { closeSync, existsSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'

/** What each of them has in it, at both ends. Nothing spells it otherwise: not a URL, JSON, HTML or a header. */
export const CANARY_WORD = 'c4n4ryQ7f3'
/** A key like Google's. */
export const CANARY_KEY: string = `AIza${CANARY_WORD}-0123456789_abcdefghijk${CANARY_WORD}`
/** One with characters that URLs, JSON and HTML spell otherwise. */
export const CANARY: string = `${CANARY_WORD}/"+=&<~%\\${CANARY_WORD}`

/** A place where a canary was found. */
export interface Trace {
  readonly where: string
  /** What stands around it. */
  readonly excerpt: string
}

const EXCERPT = 60
/** Files are searched in pieces of this size, bytes. */
const PIECE_BYTES = 4 * 1024 * 1024
/** As it is, and as Base64 (of which the place in the text decides the letters) and hexadecimal digits have it. */
const PATTERN = new RegExp(
  [CANARY_WORD, ...[0, 1, 2].map(base64At), Buffer.from(CANARY_WORD).toString('hex')].join('|'),
  'gi',
)

/** Letters of Base64 that stand for all of the word but what shares a letter with its neighbours. */
function base64At(shift: number): string {
  const letters = Buffer.from('x'.repeat(shift) + CANARY_WORD)
    .toString('base64')
    .replace(/=+$/, '')
  return letters.slice(shift === 0 ? 0 : shift + 1, -1).replaceAll(/[+/]/g, '\\$&')
}

/** Where a text has one. */
export function tracesIn(text: string, where: string): readonly Trace[] {
  return Array.from(text.matchAll(PATTERN), ({ index }) => {
    const excerpt = text.slice(Math.max(0, index - EXCERPT), index + EXCERPT)
    return { where, excerpt: JSON.stringify(excerpt) }
  })
}

/** Where the files of a folder, all the way down, have one, in their names too. */
export function tracesUnder(folder: string): { readonly traces: readonly Trace[]; readonly bytes: number } {
  if (!existsSync(folder)) return { traces: [], bytes: 0 }
  const traces: Trace[] = []
  let bytes = 0
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    traces.push(...tracesIn(name, folder))
    const path = join(folder, name)
    // A socket or a file that has just gone has nothing to read.
    if (statSync(path, { throwIfNoEntry: false })?.isFile() !== true) continue
    for (const piece of piecesOf(path)) {
      bytes += piece.length
      traces.push(...tracesIn(piece, path))
    }
  }
  return { traces, bytes }
}

/** Fails when something that a test left behind has a canary in it: text, or files under a folder. */
export function assertNoCanary(left: { readonly text?: string; readonly folder?: string }): void {
  const { text = '', folder } = left
  assert.deepEqual(tracesIn(text, 'output'), [])
  if (folder !== undefined) assert.deepEqual(tracesUnder(folder).traces, [])
}

/** A file in pieces; each begins with the end of the one before, so that no canary falls between them. */
function* piecesOf(path: string): Generator<string> {
  const file = openSync(path, 'r')
  const buffer = Buffer.alloc(PIECE_BYTES)
  try {
    let kept = 0
    for (let read = -1; read !== 0; ) {
      read = readSync(file, buffer, kept, buffer.length - kept, null)
      if (read > 0) yield buffer.toString('latin1', 0, kept + read)
      const end = kept + read
      kept = Math.min(EXCERPT, end)
      buffer.copyWithin(0, end - kept, end)
    }
  } finally {
    closeSync(file)
  }
}
