import { type HashKey, keyedHash } from '../locations/index.ts'
import type { Nanotime } from '../protocol/index.ts'
import { Audit, auditBefore, vectorHash } from './audit.ts'
import type { Replica } from './replica.ts'

/** Digests are compared with those of other servers: the key is no secret, and the same everywhere. Audits have keys of their own. */
const KEY: HashKey = [0x48455244, 0x48454c54, 0x44494745]
/** Servers that look within the same so many seconds leave out the same fixes as too old. */
const WINDOW_SECONDS = 600
/** Of its time a server spends at most this part on summing up. */
const SHARE = 1 / 20

/** What a digest is made of. */
export interface TableDigestContext {
  readonly replica: Replica
  readonly forgetAfterSeconds: number
  /** A clock that only goes on. */
  readonly nowMs: () => number
}

/**
 * Digests of what a server claims to hold, and of what it holds. The table is summed up only once it has come to rest, a step
 * at a time, and not again until it has changed: fixes that keep coming cost nothing here. Pure.
 */
export class TableDigest {
  readonly #context: TableDigestContext
  #audit: Audit | null = null
  #auditBefore: Nanotime | null = null
  #changesAtLook = -1
  #summed: { readonly changes: number; readonly before: string; readonly text: string | null } | null = null
  #vector: { readonly changes: number; readonly text: string } | null = null
  #spentMs = 0
  #notBeforeMs = Number.NEGATIVE_INFINITY

  constructor(context: TableDigestContext) {
    this.#context = context
  }

  /** Of what is claimed. */
  get vector(): string {
    const { replica } = this.#context
    const { changes } = replica.vector
    if (this.#vector?.changes !== changes) this.#vector = { changes, text: vectorHash(replica, KEY) }
    return this.#vector.text
  }

  /** Of what is held; `undefined` while that changes, or isn't summed up yet. */
  get table(): string | undefined {
    return this.#summed?.changes === this.#changes ? (this.#summed.text ?? undefined) : undefined
  }

  /** Looks, now and then, whether there is something to sum up; if so, `step` is to be called until it is done. */
  look(now: Nanotime): boolean {
    if (this.#audit !== null) return false
    const { replica, forgetAfterSeconds, nowMs } = this.#context
    const isQuiet = this.#changes === this.#changesAtLook
    this.#changesAtLook = this.#changes
    const window = { seconds: Math.floor(now.seconds / WINDOW_SECONDS) * WINDOW_SECONDS, nanoseconds: 0 }
    this.#auditBefore = auditBefore(window, forgetAfterSeconds)
    const isSummed = this.#summed?.changes === this.#changes && this.#summed.before === this.#before
    if (!isQuiet || isSummed || nowMs() < this.#notBeforeMs) return false
    this.#audit = new Audit(replica, KEY, this.#auditBefore)
    this.#spentMs = 0
    return true
  }

  /** Goes on for a few milliseconds; `true` when it is done, or of no use any more. */
  step(): boolean {
    const { nowMs } = this.#context
    const audit = this.#audit
    if (audit === null) return true
    const beganMs = nowMs()
    const isDone = this.#changes !== this.#changesAtLook || audit.step()
    this.#spentMs += nowMs() - beganMs
    if (!isDone) return false
    this.#audit = null
    this.#notBeforeMs = nowMs() + this.#spentMs / SHARE
    if (this.#changes !== this.#changesAtLook) return true
    const text = audit.isSound ? `${this.#before}.${digestOf(audit.text)}` : null
    this.#summed = { changes: this.#changes, before: this.#before, text }
    return true
  }

  get #before(): string {
    return String(this.#auditBefore?.seconds ?? '-')
  }

  get #changes(): number {
    const { replica } = this.#context
    return replica.changes + replica.vector.changes
  }
}

function digestOf(sums: string): string {
  const bytes = Buffer.from(sums, 'latin1')
  const [k0, k1, k2] = KEY
  const hashes = [keyedHash(bytes, 0, bytes.length, KEY), keyedHash(bytes, 0, bytes.length, [k2, k0, k1])]
  return hashes.map((hash) => (hash >>> 0).toString(16).padStart(8, '0')).join('')
}
