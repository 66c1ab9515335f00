import { hkdfSync } from 'node:crypto'

/** What a server makes of one secret. None of it leads back to the secret. */
export interface LinkKey {
  /** Tells secrets from each other, for a PSK identity and for people; it is no secret. 16 hex digits or `NO_SECRET`. */
  readonly id: string
  /** The pre-shared key of TLS, 32 bytes. */
  readonly psk: Buffer
  /** The key of the proofs in a greeting, 32 bytes. */
  readonly proof: Buffer
}

/** All keys of a server: the first is used to dial, each is accepted. While a secret is changed there are two. */
export type LinkKeys = readonly [LinkKey, ...LinkKey[]]

/** The id of the key that stands in where links are proved by certificates alone. */
export const NO_SECRET = 'none'

const KEY_BYTES = 32
const ID_BYTES = 8

/** Derives the keys of a herd's secrets, in their order; without any, one that is known to everybody. */
export function makeLinkKeys(secrets: readonly Buffer[], herd: string): LinkKeys {
  const [first, ...others] = secrets
  if (first === undefined) return [{ ...makeLinkKey(Buffer.alloc(0), herd), id: NO_SECRET }]
  return [makeLinkKey(first, herd), ...others.map((secret) => makeLinkKey(secret, herd))]
}

/** Whether these keys come from a secret, so that a proof says more than the channel does. */
export function haveSecret(keys: LinkKeys): boolean {
  return keys[0].id !== NO_SECRET
}

/** HKDF (RFC 5869) with SHA-256 and without salt; each key has a purpose and a herd, and serves no other. */
function makeLinkKey(secret: Buffer, herd: string): LinkKey {
  const derive = (purpose: string, bytes: number): Buffer =>
    Buffer.from(hkdfSync('sha256', secret, '', `herd link 2 ${purpose} ${herd}`, bytes))
  return {
    id: derive('id', ID_BYTES).toString('hex'),
    psk: derive('psk', KEY_BYTES),
    proof: derive('proof', KEY_BYTES),
  }
}
