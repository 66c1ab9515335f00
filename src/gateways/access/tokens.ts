/** Client tokens: what each lets its bearer do. The tokens themselves are kept nowhere, only their hashes. */
import { createHash, randomBytes } from 'node:crypto'
import Type from 'typebox'
import { Value } from 'typebox/value'
import type { Grant } from './grant.ts'

/** A token as its file has it. */
export interface TokenEntry {
  /** Who has it, for people. */
  readonly name: string
  /** SHA-256 of the token, in hex. */
  readonly sha256: string
  /** IDs of the clients that it may report as; `*` at the end of one stands for anything, alone for all. */
  readonly report: readonly string[]
  /** IDs of the clients that it may read, likewise. */
  readonly read: readonly string[]
}

/** How a token begins, so that people and scanners of secrets know it for one. */
export const TOKEN_PREFIX = 'herd_'
/** What a token may look like, whoever made it. */
const TOKEN_BYTES = 32
/** A longer text is no token: it isn't even hashed. */
export const TOKEN_LENGTH_MAX = 256
/** Tokens of a herd. */
export const TOKENS_MAX = 100_000

/** What a token may be called. */
export const TOKEN_NAME: RegExp = /^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$/
/** One of `report` or `read`: an ID, or the beginning of some with `*` behind it. */
export const CLIENT_PATTERN: RegExp = /^[^\s*]{0,1024}\*?$/

const tokensFile = Type.Object(
  {
    tokens: Type.Array(
      Type.Object(
        {
          name: Type.String({ pattern: TOKEN_NAME.source }),
          sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
          report: Type.Array(Type.String({ minLength: 1, pattern: CLIENT_PATTERN.source })),
          read: Type.Array(Type.String({ minLength: 1, pattern: CLIENT_PATTERN.source })),
        },
        { additionalProperties: false },
      ),
      { maxItems: TOKENS_MAX },
    ),
  },
  { additionalProperties: false },
)

/** A file of tokens can't be used; the message says where in it and why. */
export class TokensInvalid extends Error {
  override readonly name = 'TokensInvalid'
}

/** Makes a new token. */
export function makeToken(): string {
  return TOKEN_PREFIX + randomBytes(TOKEN_BYTES).toString('base64url')
}

/** What is kept of a token. */
export function hashOf(token: string): string {
  return createHash('sha256').update(token).digest('hex')
}

/** Checks what a file of tokens holds. @throws {TokensInvalid} */
export function checkedTokens(content: unknown): readonly TokenEntry[] {
  if (!Value.Check(tokensFile, content)) {
    const [first] = Value.Errors(tokensFile, content)
    throw new TokensInvalid(
      `${first?.instancePath ?? ''} ${first?.message ?? 'is wrong'}; a token has name, sha256, report and read`,
    )
  }
  const names = content.tokens.map(({ name }) => name)
  const twice = names.find((name, place) => names.indexOf(name) !== place)
  if (twice !== undefined) throw new TokensInvalid(`there are two tokens called ${twice}`)
  return content.tokens
}

/** The grants of tokens, by their hashes: what is compared is no secret, so how long it takes tells nothing. */
export class TokenBook {
  readonly #grants: ReadonlyMap<string, Grant>

  constructor(entries: readonly TokenEntry[]) {
    this.#grants = new Map(entries.map((entry) => [entry.sha256, grantOf(entry)]))
  }

  /** How many there are. */
  get size(): number {
    return this.#grants.size
  }

  /** What a token lets its bearer do; `null`: it is none of ours. */
  find(token: string): Grant | null {
    if (token.length > TOKEN_LENGTH_MAX) return null
    return this.#grants.get(hashOf(token)) ?? null
  }
}

function grantOf({ name, report, read }: TokenEntry): Grant {
  const [mayReport, mayRead] = [matcher(report), matcher(read)]
  return { name: `token ${name}`, readsAll: read.includes('*'), mayReport, mayRead }
}

function matcher(patterns: readonly string[]): (client: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.endsWith('*')))
  const beginnings = patterns
    .filter((pattern) => pattern.endsWith('*'))
    .map((pattern) => pattern.slice(0, -1))
  return (client) => exact.has(client) || beginnings.some((beginning) => client.startsWith(beginning))
}
