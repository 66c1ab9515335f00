/** The source of the project as text, for tests of house rules. */
import { globSync, readFileSync } from 'node:fs'
import { posix } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** A file, by its path from the project's folder, with `/` between names. */
export interface Source {
  readonly path: string
  readonly text: string
}

/** All files that fit the patterns, sorted; never what is installed or built. */
export function readSources(...patterns: string[]): Source[] {
  return globSync(patterns, { cwd: ROOT, exclude: ['node_modules/**', 'dist/**'] })
    .map((path) => path.replaceAll('\\', '/'))
    .toSorted()
    .map((path) => ({ path, text: readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8') }))
}

/** The text without its comments. Strings that hold `//` behind white space are cut too; none of ours do. */
export function withoutComments(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '$1')
}

/** What a file imports: files of the project by their path, and packages by their name. */
export function importsOf({ path, text }: Source): string[] {
  const specifiers = withoutComments(text).matchAll(/(?:\bfrom\s+|\bimport\s+|\bimport\s*\(\s*)'([^']+)'/g)
  return Array.from(specifiers, ([, specifier = '']) =>
    specifier.startsWith('.') ? posix.join(posix.dirname(path), specifier) : specifier,
  )
}
