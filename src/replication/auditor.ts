import type { Counters } from '../counters.ts'
import type { HashKey } from '../locations/index.ts'
import type { Nanotime, OutputBuffer } from '../protocol/index.ts'
import { Audit, auditBefore, bucketOf, keyText, readKey, vectorHash } from './audit.ts'
import { appendWord, type LinkWord } from './link-words.ts'
import type { Owed } from './owed.ts'
import type { Replica } from './replica.ts'

/** What auditing needs. */
export interface AuditorContext {
  readonly replica: Replica
  readonly counters: Counters
  readonly limits: { readonly auditMs: number }
  readonly forgetAfterSeconds: number
  readonly world: {
    readonly nowMs: () => number
    readonly readClock: (time: Nanotime) => void
    readonly randomKey: () => HashKey
  }
  readonly log: {
    event(level: 'error', event: string, fields: Readonly<Record<string, string | number | boolean>>): void
  }
}

/** The other's sums, while we make ours to compare them with. */
interface Asked {
  readonly vectorHash: string
  readonly sums: string
}

/**
 * Anti-entropy over one link: when both ends have claimed to hold exactly the same and nothing happens, the one compares
 * sums of its table with the other's. They differ only by a fault, of memory or of this program: that is an alarm, and
 * then both send all that they hold in the buckets that differ. Pure.
 */
export class Auditor {
  readonly #context: AuditorContext
  readonly #owed: Owed
  readonly #begins: boolean
  #audit: Audit | null = null
  #asked: Asked | null = null
  #before: Nanotime | null = null
  #say: string | null = null
  #lastMs: number
  #changesAtBeat = -1

  /** @param begins whether it is this end that begins: one of two must. */
  constructor(context: AuditorContext, owed: Owed, begins: boolean) {
    this.#context = context
    this.#owed = owed
    this.#begins = begins
    this.#lastMs = context.world.nowMs()
  }

  /** Whether there is something to do or to say. */
  get hasMore(): boolean {
    return this.#audit !== null || this.#say !== null
  }

  /** A heartbeat has passed: begins an audit if it is time and all is quiet. */
  beat(): void {
    const { replica, limits, world } = this.#context
    const changes = replica.changes + replica.vector.changes
    const isQuiet = changes === this.#changesAtBeat
    this.#changesAtBeat = changes
    if (!this.#begins || !isQuiet || this.#audit !== null || !this.#isEven()) return
    if (world.nowMs() - this.#lastMs < limits.auditMs) return
    this.#lastMs = world.nowMs()
    const now = { seconds: 0, nanoseconds: 0 }
    world.readClock(now)
    this.#before = auditBefore(now, this.#context.forgetAfterSeconds)
    this.#audit = new Audit(replica, world.randomKey(), this.#before)
  }

  /** Takes the other end's word. */
  heard(word: LinkWord & { readonly word: 'audit' | 'repair' }): void {
    const key = readKey(word.key)
    if (word.word === 'repair') {
      this.#repair(word.buckets, key)
      return
    }
    const { replica } = this.#context
    if (this.#audit !== null || vectorHash(replica, key) !== word.vectorHash) return
    this.#before = word.before === '-' ? null : { seconds: Number(word.before), nanoseconds: 0 }
    this.#asked = { vectorHash: word.vectorHash, sums: word.sums }
    this.#audit = new Audit(replica, key, this.#before)
  }

  /** Goes on for a step; appends what there is to say. */
  pull(output: OutputBuffer): void {
    const audit = this.#audit
    if (audit?.step()) {
      this.#audit = null
      if (audit.isSound) this.#finish(audit)
      else this.#context.replica.adopt(audit.orphans)
      this.#asked = null
    }
    if (this.#say !== null) appendWord(output, this.#say)
    this.#say = null
  }

  #finish(audit: Audit): void {
    const { replica, counters } = this.#context
    counters.audits++
    const key = keyText(audit.key)
    const hash = vectorHash(replica, audit.key)
    if (this.#asked === null) {
      const before = this.#before === null ? '-' : String(this.#before.seconds)
      this.#say = `audit ${key} ${hash} ${before} ${audit.text}`
      return
    }
    if (hash !== this.#asked.vectorHash) return
    const buckets = audit.differing(this.#asked.sums)
    if (buckets.length === 0) return
    this.#say = `repair ${key} ${buckets.join(' ')}`
    this.#repair(buckets, audit.key)
  }

  /** Alarm: sends all that is held in these buckets, whatever the other end claims to hold. */
  #repair(buckets: readonly number[], key: HashKey): void {
    const { replica, counters, log } = this.#context
    const chosen = new Set(buckets)
    counters.auditsFailed++
    log.event('error', 'tables differ', { buckets: buckets.length })
    this.#owed.repair(replica.table.recordsEnd, (record) => {
      return replica.table.isUsed(record) && chosen.has(bucketOf(replica, record, key))
    })
  }

  /** Both ends have claimed the same, and owe nothing. */
  #isEven(): boolean {
    const { vector } = this.#context.replica
    let isEven = this.#owed.length === 0
    const differs = (): void => {
      isEven = false
    }
    vector.forEachBeyond(this.#owed.peer, differs)
    this.#owed.peer.forEachBeyond(vector, differs)
    return isEven
  }
}
