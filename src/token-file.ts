/** The file of client tokens: read, written as a whole, and looked at again when it changes. */
import { open, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { parse, stringify } from 'yaml'
import type { HerdConfig } from './config.ts'
import { checkedTokens, type TokenEntry, TokensInvalid } from './gateways/access/tokens.ts'
import type { System } from './system.ts'

const FILE_BYTES_MAX = 64 * 1024 * 1024
/** How often a server looks whether the file has changed. */
const LOOK_MS = 1000
const HEADER = '# Client tokens of this herd: only hashes, made by `herd token create`.\n'

/** Where a herd's tokens are: on each machine a file of its own. */
export function tokensFileOf(config: Pick<HerdConfig, 'name' | 'stateFolder' | 'clients'>): string {
  return config.clients.tokensFile ?? join(config.stateFolder, `${config.name}.tokens.yaml`)
}

/** Reads the tokens; none where there is no file. @throws {TokensInvalid} when it can't be read, or holds something else. */
export async function readTokens(file: string): Promise<readonly TokenEntry[]> {
  let text: string
  try {
    if ((await stat(file)).size > FILE_BYTES_MAX) throw new TokensInvalid(`${file} is too large`)
    text = await readFile(file, 'utf8')
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return []
    if (error instanceof TokensInvalid) throw error
    throw new TokensInvalid(`${file} can't be read (${codeOf(error)})`, { cause: error })
  }
  try {
    return checkedTokens(parse(text))
  } catch (error) {
    throw new TokensInvalid(`${file}: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    })
  }
}

/** Writes the tokens: all, or nothing is changed. */
export async function writeTokens(file: string, tokens: readonly TokenEntry[]): Promise<void> {
  const draft = `${file}.${process.pid}`
  try {
    const handle = await open(draft, 'w', 0o600)
    try {
      await handle.writeFile(HEADER + stringify({ tokens }))
      await handle.sync()
    } finally {
      await handle.close()
    }
    await rename(draft, file)
  } finally {
    await rm(draft, { force: true })
  }
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
    this.#use(await readTokens(this.#file))
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
        // A file that is gone must not open the door: whoever wants that removes the tokens in it.
        if (version === '') this.#trouble(`${this.#file} is gone; the tokens that it held still do`)
        else this.#use(await readTokens(this.#file))
      } catch (error) {
        this.#trouble(
          `${error instanceof Error ? error.message : String(error)}; the tokens before it still hold`,
        )
      }
    }
    this.#lookLater()
  }
}

/** Another text when the file is another; empty when there is none. */
async function versionOf(file: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(file)
    return `${mtimeMs} ${size} ${ino}`
  } catch {
    return ''
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error)
}
