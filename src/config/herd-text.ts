/** YAML → a plain value, or what is wrong with it, by line and column. Pure. */
import { LineCounter, parseDocument } from 'yaml'

/** A herd file's content, or every problem of its YAML. */
export type HerdText =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly problems: readonly string[] }

// The parser's own words for these speak to programmers.
const WORDS: Readonly<Record<string, string>> = {
  DUPLICATE_KEY: 'this name was given already; each may stand once',
  MULTIPLE_DOCS: 'a second document begins; a herd file has one',
}

/** Parses YAML 1.2. Aliases are bounded, and nothing but plain data comes out. */
export function parseHerdText(text: string): HerdText {
  const lineCounter = new LineCounter()
  const document = parseDocument(text, { lineCounter, prettyErrors: false, version: '1.2' })
  // A warning is an unknown tag: what it meant would be lost.
  const problems = [...document.errors, ...document.warnings].map((error) => {
    const { line, col } = lineCounter.linePos(error.pos[0])
    return `line ${line}, column ${col}: ${WORDS[error.code] ?? error.message}`
  })
  if (problems.length > 0) return { ok: false, problems }
  try {
    return { ok: true, value: document.toJS({ maxAliasCount: 100 }) }
  } catch (error) {
    return { ok: false, problems: [`aliases: ${error instanceof Error ? error.message : String(error)}`] }
  }
}
