import { type HashKey, keyedHash } from '../locations/index.ts'
import type { Nanotime } from '../protocol/index.ts'
import type { Replica } from './replica.ts'

/** Clients are compared in so many buckets: what has to be repaired is one of these, not everything. */
const BUCKETS = 256
/** Records looked at in one step: a few milliseconds. */
const STEP_RECORDS = 8192
/** Records that no claim covers, remembered at a time: the next audit finds the others. */
const UNCOVERED_MAX = 8192
/** Servers whose clocks differ by less than this agree on which fixes are surely not forgotten. */
const CLOCKS_APART_SECONDS_MAX = 120

/** In which bucket a record's client is. */
export function bucketOf(replica: Replica, record: number, key: HashKey): number {
  return replica.table.clientHash(record, key) & (BUCKETS - 1)
}

/** The time before which fixes are left out, since one server may have forgotten what another hasn't; `null`: none. */
export function auditBefore(now: Nanotime, forgetAfterSeconds: number): Nanotime | null {
  if (forgetAfterSeconds === Number.POSITIVE_INFINITY) return null
  return { seconds: now.seconds - forgetAfterSeconds + CLOCKS_APART_SECONDS_MAX, nanoseconds: 0 }
}

/**
 * Sums up a table, some records at a time, so that two servers that claim to hold the same can see whether they do.
 * Each bucket's sum is that of a keyed hash of every fix in it, in any order. Pure.
 */
export class Audit {
  readonly key: HashKey
  readonly #replica: Replica
  readonly #before: Nanotime | null
  readonly #sums = new Int32Array(BUCKETS)
  readonly #vectorChanges: number
  readonly #changes: number
  #next = 0
  readonly #uncovered: number[] = []

  /** @param key both servers sum with the same, which nobody knew before. */
  constructor(replica: Replica, key: HashKey, before: Nanotime | null) {
    this.key = key
    this.#replica = replica
    this.#before = before
    this.#vectorChanges = replica.vector.changes
    this.#changes = replica.changes
  }

  /** Goes on; `true` when it is done. */
  step(): boolean {
    const { table } = this.#replica
    const end = Math.min(table.recordsEnd, this.#next + STEP_RECORDS)
    for (; this.#next < end; this.#next++) this.#add(this.#next)
    return this.#next >= table.recordsEnd
  }

  /** Whether nothing changed meanwhile, and nothing is held that isn't claimed: otherwise the sums mean nothing. */
  get isSound(): boolean {
    return this.#isUnchanged && this.#uncovered.length === 0
  }

  /** Records that no claim covers, though nothing changed: those that could claim them are gone. */
  get orphans(): readonly number[] {
    return this.#isUnchanged ? this.#uncovered : []
  }

  get #isUnchanged(): boolean {
    const { vector, changes } = this.#replica
    return vector.changes === this.#vectorChanges && changes === this.#changes
  }

  /** The sums, eight hex digits each. */
  get text(): string {
    return Array.from(this.#sums, (sum) => hex32(sum)).join('')
  }

  /** The buckets that another server sums up differently. @param text its sums. */
  differing(text: string): number[] {
    const mine = this.text
    const buckets: number[] = []
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      if (mine.slice(bucket * 8, bucket * 8 + 8) !== text.slice(bucket * 8, bucket * 8 + 8))
        buckets.push(bucket)
    }
    return buckets
  }

  #add(record: number): void {
    const { table, vector } = this.#replica
    if (!table.isUsed(record)) return
    if (this.#before !== null && table.isBefore(record, this.#before)) return
    if (!vector.covers(this.#replica.stampOf(record)) && this.#uncovered.length < UNCOVERED_MAX)
      this.#uncovered.push(record)
    const bucket = bucketOf(this.#replica, record, this.key)
    this.#sums[bucket] = (this.#sums[bucket] as number) + table.fixHash(record, this.key)
  }
}

/** A hash of a vector that doesn't depend on how a server numbers runs. */
export function vectorHash(replica: Replica, key: HashKey): string {
  const lines: string[] = []
  for (let run = 1; run < replica.vector.end; run++) {
    const seq = replica.vector.seq(run)
    const known = replica.runs.get(run)
    if (seq > 0 && known !== null) lines.push(`${known.server} ${known.id} ${seq}\n`)
  }
  const bytes = Buffer.from(lines.sort().join(''), 'latin1')
  const [k0, k1, k2] = key
  return (
    hex32(keyedHash(bytes, 0, bytes.length, key)) + hex32(keyedHash(bytes, 0, bytes.length, [k2, k0, k1]))
  )
}

/** A key as it is said: 24 hex digits. */
export function keyText(key: HashKey): string {
  return key.map(hex32).join('')
}

/** Reads what `keyText` wrote. */
export function readKey(text: string): HashKey {
  const word = (at: number): number => Number.parseInt(text.slice(at, at + 8), 16) | 0
  return [word(0), word(8), word(16)]
}

function hex32(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0')
}
