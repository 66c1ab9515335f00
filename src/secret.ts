/**
 * The two secrets: the herd's, that a link must know, and the key of a provider of places. They are read
 * here, are never part of the configuration, and are in no message: errors name the place they came from.
 */
import { randomBytes } from 'node:crypto'
import { link, mkdir, open, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Environment, HerdConfig } from './config.ts'

const SECRET_BYTES_MIN = 16
const SECRET_BYTES = 32
const SECRET_FILE_BYTES_MAX = 4096
const OTHERS_MAY_READ = 0o077

/** A secret or a key that is missing, too short, or can't be read or made. */
export class SecretUnusable extends Error {
  override readonly name = 'SecretUnusable'
}

/** Takes a sentence about a secret that works, but isn't kept well. */
export type Warn = (text: string) => void

/**
 * Returns the herd's secret: HERD_SECRET, or what `secretFile` holds, or what is in the state folder, where
 * 32 random bytes are put as hex when there is none. Servers that start together get the same one.
 * A secret is text: the same characters in a file and in HERD_SECRET are the same secret.
 *
 * @throws {SecretUnusable}
 */
export async function loadOrMakeSecret(
  config: HerdConfig,
  env: Environment,
  warn: Warn = () => {},
): Promise<Buffer> {
  const secret = await loadSecret(config, env, warn)
  if (secret !== undefined) return secret
  const file = madeSecretFile(config)
  await makeSecretFile(file)
  // Ours or that of a server that was faster.
  return checkedSecret(await readSecretFile(file, warn), file)
}

/**
 * Returns the herd's secret, or undefined when the herd has not made one yet.
 *
 * @throws {SecretUnusable}
 */
export async function loadSecret(
  config: HerdConfig,
  env: Environment,
  warn: Warn = () => {},
): Promise<Buffer | undefined> {
  if (env.HERD_SECRET) return checkedSecret(env.HERD_SECRET, 'HERD_SECRET')
  if (config.secretFile !== undefined) {
    const text = await readSecretFile(config.secretFile, warn)
    if (text === undefined) throw new SecretUnusable(`secretFile: there is no file ${config.secretFile}`)
    return checkedSecret(text, config.secretFile)
  }
  const file = madeSecretFile(config)
  const text = await readSecretFile(file, warn)
  return text === undefined ? undefined : checkedSecret(text, file)
}

/**
 * Returns the key of Google's API: GOOGLE_PLACES_API_KEY, or what `places.google.keyFile` holds, or undefined.
 *
 * @throws {SecretUnusable} also when the provider is `google` and there is no key
 */
export async function loadPlacesKey(
  config: HerdConfig,
  env: Environment,
  warn: Warn = () => {},
): Promise<string | undefined> {
  const { provider, google } = config.places
  if (provider === 'embedded') return undefined
  if (env.GOOGLE_PLACES_API_KEY) return checkedKey(env.GOOGLE_PLACES_API_KEY, 'GOOGLE_PLACES_API_KEY')
  if (google.keyFile !== undefined) {
    const text = await readSecretFile(google.keyFile, warn)
    if (text === undefined) {
      throw new SecretUnusable(`places.google.keyFile: there is no file ${google.keyFile}`)
    }
    return checkedKey(text, google.keyFile)
  }
  if (provider === 'auto') return undefined
  throw new SecretUnusable(
    'places.provider is google, but there is no key: set GOOGLE_PLACES_API_KEY or places.google.keyFile, or use the provider embedded',
  )
}

function madeSecretFile(config: HerdConfig): string {
  return join(config.stateFolder, `${config.name}.secret`)
}

// Linking a file that is complete is what makes it all or nothing: one server wins, nobody reads half of it.
async function makeSecretFile(file: string): Promise<void> {
  const draft = `${file}.${process.pid}.${randomBytes(6).toString('hex')}`
  try {
    await mkdir(dirname(file), { recursive: true, mode: 0o700 })
    await writeFile(draft, `${randomBytes(SECRET_BYTES).toString('hex')}\n`, {
      flag: 'wx',
      mode: 0o600,
      flush: true,
    })
    await link(draft, file)
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return
    throw new SecretUnusable(
      `the herd's secret can't be made in ${dirname(file)} (${codeOf(error)}); give HERD_SECRET or secretFile`,
      { cause: error },
    )
  } finally {
    await rm(draft, { force: true }).catch(() => {}) // a draft that can't be removed harms nobody
  }
}

// One open file for the mode and the content, so that both are of the same file.
async function readSecretFile(file: string, warn: Warn): Promise<string | undefined> {
  try {
    await using handle = await open(file, 'r')
    const { mode, size } = await handle.stat()
    if (size > SECRET_FILE_BYTES_MAX) {
      throw new SecretUnusable(`${file} holds no secret: it is larger than ${SECRET_FILE_BYTES_MAX} bytes`)
    }
    if ((mode & OTHERS_MAY_READ) !== 0) {
      warn(`${file} may be read or changed by others; close it to them with: chmod 600 ${file}`)
    }
    return await handle.readFile('utf8')
  } catch (error) {
    if (error instanceof SecretUnusable) throw error
    if (codeOf(error) === 'ENOENT') return undefined
    throw new SecretUnusable(`${file} can't be read (${codeOf(error)})`, { cause: error })
  }
}

function checkedSecret(text: string | undefined, source: string): Buffer {
  const secret = Buffer.from(text?.trim() ?? '', 'utf8')
  if (secret.length >= SECRET_BYTES_MIN) return secret
  throw new SecretUnusable(
    `the herd's secret in ${source} has ${secret.length} bytes, but needs at least ${SECRET_BYTES_MIN}; for example the output of: openssl rand -hex 32`,
  )
}

// A key becomes part of a URL and of nothing else: what a header or a log could trip over is no key.
function checkedKey(text: string, source: string): string {
  const key = text.trim()
  if (/^[\x21-\x7e]{1,256}$/.test(key)) return key
  throw new SecretUnusable(`the key in ${source} is not 1 to 256 visible ASCII characters`)
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error'
}
