/** The file of client tokens: read, written as a whole, and looked at again when it changes. */
import { constants } from 'node:fs'
import { mkdir, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { HerdConfig } from './config.ts'
import { checkedTokens, type TokenEntry, TokensInvalid } from './gateways/access/tokens.ts'
import { lockFile } from './storage/index.ts'
import type { System } from './system.ts'

const FILE_BYTES_MAX = 64 * 1024 * 1024
/** How often a server looks whether the file has changed. */
const LOOK_MS = 1000
/** How long a command waits for another that is changing the file. */
const LOCK_MS_MAX = 5000
const FILE_MODE = 0o600
const FOLDER_MODE = 0o700
const MODE_BITS = 0o777

/** Where a herd's tokens are: on each machine a file of its own. */
export function tokensFileOf(config: Pick<HerdConfig, 'name' | 'stateFolder' | 'clients'>): string {
  return config.clients.tokensFile ?? join(config.stateFolder, `${config.name}.tokens.json`)
}

/** Reads the tokens; `null` where there is no file. @throws {TokensInvalid} when it can't be read, or holds something else. */
export async function readTokens(file: string): Promise<readonly TokenEntry[] | null> {
  let text: string
  try {
    if ((await stat(file)).size > FILE_BYTES_MAX) throw new TokensInvalid(`${file} is too large`)
    text = await readFile(file, 'utf8')
  } catch (error) {
    // ENOTDIR: where its folder would be is something else, and no file can be.
    if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return null
    if (error instanceof TokensInvalid) throw error
    throw new TokensInvalid(`${file} can't be read (${codeOf(error)})`, { cause: error })
  }
  try {
    return checkedTokens(JSON.parse(text))
  } catch (error) {
    throw new TokensInvalid(`${file}: ${messageOf(error)}`, { cause: error })
  }
}

/**
 * Changes the tokens: all, or nothing is changed. One process at a time; another waits.
 *
 * @param change gets those that there are, and returns those that there are to be. What it throws is thrown.
 * @param lockMsMax how long to wait for another that is changing them.
 * @throws {TokensInvalid} when the file can't be read or written, or another process keeps it locked.
 */
export async function changeTokens(
  file: string,
  change: (tokens: readonly TokenEntry[]) => readonly TokenEntry[],
  lockMsMax: number = LOCK_MS_MAX,
): Promise<void> {
  const unlock = await locked(file, lockMsMax)
  try {
    const changed = change((await readTokens(file)) ?? [])
    await writeTokens(file, checkedTokens({ tokens: changed }))
  } finally {
    await unlock()
  }
}

async function locked(file: string, msMax: number): Promise<() => Promise<void>> {
  try {
    await mkdir(dirname(file), { recursive: true, mode: FOLDER_MODE })
    const unlock = await lockFile(`${file}.lock`, msMax)
    if (unlock !== null) return unlock
  } catch (error) {
    throw new TokensInvalid(`${file}.lock can't be made (${messageOf(error)})`, { cause: error })
  }
  throw new TokensInvalid(`another command is changing ${file}: try again`)
}

async function writeTokens(named: string, tokens: readonly TokenEntry[]): Promise<void> {
  try {
    // Where the name is a link, what it leads to is written.
    const file = await realpath(named).catch(() => named)
    const before = await stat(file).catch(() => null)
    const draft = `${file}.new`
    await rm(draft, { force: true })
    try {
      await writeDraft(draft, textOf(tokens), before)
      await rename(draft, file)
    } finally {
      await rm(draft, { force: true })
    }
    await syncFolder(dirname(file))
  } catch (error) {
    throw new TokensInvalid(`${named} can't be written (${codeOf(error)})`, { cause: error })
  }
}

/** Whoever might read the file before (a server that runs as another user) still may. */
async function writeDraft(
  draft: string,
  text: string,
  before: { readonly mode: number; readonly uid: number; readonly gid: number } | null,
): Promise<void> {
  const handle = await open(draft, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL, FILE_MODE)
  try {
    await handle.writeFile(text)
    if (before !== null) {
      // Only root may give it to somebody else; anyone else it is already.
      await handle.chown(before.uid, before.gid).catch(() => {})
      await handle.chmod(before.mode & MODE_BITS)
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** JSON, one token in a line: quick to read however many there are, and people can compare two of them. */
function textOf(tokens: readonly TokenEntry[]): string {
  const lines = tokens.map((token) => JSON.stringify(token))
  return `{"tokens":[\n${lines.join(',\n')}\n]}\n`
}

/** Tells of the tokens now, and again whenever the file has changed. */
export class TokenFileWatch {
  readonly #file: string
  readonly #use: (tokens: readonly TokenEntry[]) => void
  readonly #trouble: (text: string) => void
  readonly #after: System['after']
  #cancel: () => void = () => {}
  #stopped = false
  #version = ''

  /** @param trouble told why a changed file isn't used: then the tokens before it still hold. */
  constructor(
    file: string,
    use: (tokens: readonly TokenEntry[]) => void,
    trouble: (text: string) => void,
    after: System['after'],
  ) {
    this.#file = file
    this.#use = use
    this.#trouble = trouble
    this.#after = after
  }

  /** Reads the file for the first time. @throws {TokensInvalid}: without its tokens a server would let in everybody. */
  async start(): Promise<void> {
    this.#version = await versionOf(this.#file)
    this.#use((await readTokens(this.#file)) ?? [])
    this.#lookLater()
  }

  /** Looks no more. */
  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  #lookLater(): void {
    if (!this.#stopped) this.#cancel = this.#after(LOOK_MS, () => void this.#look())
  }

  async #look(): Promise<void> {
    const version = await versionOf(this.#file)
    if (version !== this.#version) {
      this.#version = version
      try {
        const tokens = await readTokens(this.#file)
        if (this.#stopped) return
        // A file that is gone must not open the door: whoever wants that removes the tokens in it.
        if (tokens === null) this.#trouble(`${this.#file} is gone; the tokens that it held still do`)
        else this.#use(tokens)
      } catch (error) {
        this.#trouble(`${messageOf(error)}; the tokens before it still hold`)
      }
    }
    this.#lookLater()
  }
}

/** Another text when the file is another, or is readable by others than before; empty when there is none. */
async function versionOf(file: string): Promise<string> {
  try {
    const { mtimeMs, ctimeMs, size, ino } = await stat(file)
    return `${mtimeMs} ${ctimeMs} ${size} ${ino}`
  } catch {
    return ''
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : messageOf(error)
}
