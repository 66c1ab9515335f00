/**
 * Herd files: from a name or a path to one checked configuration, or the full list of what is wrong.
 * This file finds and opens them; what is in them is read by src/config/, which opens nothing.
 */
import { readdirSync } from 'node:fs'
import { readFile, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { HerdConfig } from './config/herd-config.ts'
import { type Environment, type HerdOptions, readHerd } from './config/herd-reader.ts'
import { nearestName } from './config/suggestion.ts'

export { writeDuration } from './config/duration.ts'
export type * from './config/herd-config.ts'
export { isLoopback } from './config/herd-graph.ts'
export {
  type Environment,
  type HerdOptions,
  type HerdPlace,
  type HerdReading,
  readHerd,
} from './config/herd-reader.ts'
export type * from './config/places-config.ts'
export { settingsTable } from './config/settings-table.ts'
export { nearestName } from './config/suggestion.ts'

const HERD_DEFAULT = 'ucla'
const HERD_FILE_BYTES_MAX = 4 * 1024 * 1024
// The same two steps up from src/ and, in the published package, from dist/.
const PACKAGED_HERDS = fileURLToPath(new URL('../herds/', import.meta.url))

/** Where `loadHerd` looks, and what goes before the herd file. */
export interface HerdSource {
  readonly cwd: string
  readonly env: Environment
  readonly options?: HerdOptions
}

/** There is no such herd file, or it can't be read. */
export class HerdFileNotFound extends Error {
  override readonly name = 'HerdFileNotFound'
}

/** A herd file with something wrong in it. */
export class HerdFileInvalid extends Error {
  override readonly name = 'HerdFileInvalid'
  readonly file: string
  /** One line each: the setting's name, what is wrong, a value that works. */
  readonly problems: readonly string[]

  constructor(file: string, problems: readonly string[]) {
    super(`${file} can't be used:\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
    this.file = file
    this.problems = problems
  }
}

/**
 * Loads a herd by the name of a packaged one (`ucla`, the default; `lakers`) or by the path of a file.
 *
 * @throws {HerdFileNotFound} naming the herds that there are
 * @throws {HerdFileInvalid} with every problem
 */
export async function loadHerd(
  herd: string = HERD_DEFAULT,
  source: HerdSource = { cwd: process.cwd(), env: process.env },
): Promise<HerdConfig> {
  const { cwd, env, options = {} } = source
  const file = packagedHerds().includes(herd) ? `${PACKAGED_HERDS}${herd}.yaml` : resolve(cwd, herd)
  const reading = readHerd(await herdText(herd, file), { file, cwd, env, options })
  if (!reading.ok) throw new HerdFileInvalid(file, reading.problems)
  return reading.config
}

/** Returns the names of the herds that come with Herd. */
export function packagedHerds(): string[] {
  const files = readdirSync(PACKAGED_HERDS).filter((file) => file.endsWith('.yaml'))
  return files.map((file) => file.slice(0, -'.yaml'.length)).toSorted()
}

async function herdText(herd: string, file: string): Promise<string> {
  try {
    const { size } = await stat(file)
    if (size > HERD_FILE_BYTES_MAX) {
      throw new HerdFileNotFound(`${file} is no herd file: it is larger than ${HERD_FILE_BYTES_MAX} bytes`)
    }
    return await readFile(file, 'utf8')
  } catch (error) {
    if (error instanceof HerdFileNotFound) throw error
    throw new HerdFileNotFound(notFoundText(herd, file, error), { cause: error })
  }
}

function notFoundText(herd: string, file: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined
  if (code !== 'ENOENT') return `the herd file ${file} can't be read (${String(code)})`
  const names = packagedHerds()
  const nearest = nearestName(herd, names)
  const hint = nearest === undefined ? '' : ` Did you mean ${nearest}?`
  return `there is no herd file ${file}.${hint} Herds that come with Herd: ${names.join(', ')}; any other is given by its path.`
}
