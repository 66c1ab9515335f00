import { readFileSync } from 'node:fs'

/** The version of Herd, as its package says: of what runs, also when another one has been installed meanwhile. */
export const PACKAGE_VERSION: string = readVersion()

function readVersion(): string {
  // The same step up from src/ and, in the published package, from dist/.
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  const about: unknown = JSON.parse(text)
  return typeof about === 'object' && about !== null && 'version' in about ? String(about.version) : 'unknown'
}
