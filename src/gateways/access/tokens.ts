/** Client tokens: what each lets its bearer do. The tokens themselves are kept nowhere, only their hashes. */
import { createHash, randomBytes } from 'node:crypto'
import Type from 'typebox'
import { Value } from 'typebox/value'
import type { Grant } from './grant.ts'
import { RevocableGrant } from './revocable-grant.ts'

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
/** So many random bytes are in one: nobody guesses it, however fast it can be tried. */
const TOKEN_BYTES = 32
/** A longer text is no token: it isn't even hashed. */
export const TOKEN_LENGTH_MAX = 256
/** Tokens of a herd. */
export const TOKENS_MAX = 100_000

/** What a token may be called. */
export const TOKEN_NAME: RegExp = /^[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}$/
/**
 * One of `report` or `read`: an ID, or the beginning of some with `*` behind it. IDs are bytes, patterns are characters: an ID that is
 * no UTF-8 is read with U+FFFD for what is none, so no pattern has that, and only a beginning can stand for such an ID.
 */
export const CLIENT_PATTERN: RegExp = /^[^\s*\uFFFD]{0,1024}\*?$/

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
      `${first?.instancePath ?? ''} ${first?.message ?? 'is wrong'}; a token has name, sha256, report and read`.trim(),
    )
  }
  const names = new Set<string>()
  const hashes = new Set<string>()
  for (const { name, sha256 } of content.tokens) {
    if (names.has(name)) throw new TokensInvalid(`there are two tokens called ${name}`)
    if (hashes.has(sha256)) throw new TokensInvalid(`the token of ${name} is that of another, too`)
    names.add(name)
    hashes.add(sha256)
  }
  return content.tokens
}

interface Held {
  /** The entry as text: the same text is the same grant. */
  readonly text: string
  readonly grant: RevocableGrant
}

/** The grants of tokens, by their hashes: what is compared is no secret, so how long it takes tells nothing. */
export class TokenBook {
  #held: ReadonlyMap<string, Held> = new Map()

  /** How many there are. */
  get size(): number {
    return this.#held.size
  }

  /** From now on these are the tokens: the grants of those that were others before are revoked. */
  replace(entries: readonly TokenEntry[]): void {
    const before = this.#held
    this.#held = new Map(
      entries.map((entry) => {
        const text = JSON.stringify([entry.name, entry.report, entry.read])
        const held = before.get(entry.sha256)
        return [entry.sha256, held?.text === text ? held : { text, grant: grantOf(entry) }]
      }),
    )
    for (const [sha256, held] of before) if (this.#held.get(sha256) !== held) held.grant.revoke()
  }

  /** What a token lets its bearer do; `null`: it is none of ours. */
  find(token: string): Grant | null {
    if (token.length > TOKEN_LENGTH_MAX) return null
    return this.#held.get(hashOf(token))?.grant ?? null
  }
}

function grantOf({ name, report, read }: TokenEntry): RevocableGrant {
  return new RevocableGrant(name, {
    ...{ reportsAll: report.includes('*'), readsAll: read.includes('*') },
    ...{ mayReport: matcher(report), mayRead: matcher(read) },
  })
}

function matcher(patterns: readonly string[]): (client: string) => boolean {
  const exact = new Set(patterns.filter((pattern) => !pattern.endsWith('*')))
  const beginnings = patterns
    .filter((pattern) => pattern.endsWith('*'))
    .map((pattern) => pattern.slice(0, -1))
  return (client) => exact.has(client) || beginnings.some((beginning) => client.startsWith(beginning))
}
