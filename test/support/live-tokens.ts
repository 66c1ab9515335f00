/** Client tokens of a live herd. */
import { join } from 'node:path'
import { hashOf, type TokenEntry } from '../../src/gateways/access/tokens.ts'
import { changeTokens } from '../../src/token-file.ts'
import { type LiveHerd, waitUntil } from './live-herd.ts'

/** What a token is for; its name is that of its bearer. */
export interface LiveToken {
  readonly token: string
  readonly report?: readonly string[]
  readonly read?: readonly string[]
}

/** Where the servers of a live herd look for tokens. */
export function tokensFile(herd: LiveHerd): string {
  return join(herd.folder, '.herd', `${herd.name}.tokens.json`)
}

/** Replaces the tokens of a live herd, by names, and waits until a server goes by them. */
export async function setTokens(
  herd: LiveHerd,
  server: string,
  tokens: Readonly<Record<string, LiveToken>>,
): Promise<void> {
  const entries: TokenEntry[] = Object.entries(tokens).map(([name, { token, report = [], read = [] }]) => ({
    ...{ name, sha256: hashOf(token), report, read },
  }))
  let said = ''
  const before = (await herd.logText(server)).split('"client tokens"').length
  await changeTokens(tokensFile(herd), () => entries)
  await waitUntil(
    async () => {
      said = await herd.logText(server)
      return said.split('"client tokens"').length > before
    },
    () => `${server} goes by ${entries.length} tokens; it said ${said.slice(-500)}`,
  )
}
