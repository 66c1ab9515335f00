import { DirtyQueue } from './dirty-queue.ts'
import { RUNS_END } from './stamps.ts'
import { VersionVector } from './version-vector.ts'

/**
 * To whom something is owed: `neighbor`, a server of ours; `classic`, one of the old kind, which takes bare AT lines and
 * claims nothing; `disk`, our own journal; `watchers`, whoever is told of new fixes through a gateway.
 */
export type OwedTo = 'neighbor' | 'classic' | 'disk' | 'watchers'

/** Chooses records that are sent whatever the other claims to hold. */
export type Repair = (record: number) => boolean

/**
 * What one link owes, and what both its ends have claimed to hold. Pure.
 *
 * **Claims.** A claim says: whatever these changes made of a client, I hold that or something newer. Ours may go out
 * only behind everything it covers. So a marker is set, at the end of the queue, with the vector as it stands; once
 * the queue has been sent past the marker (what is behind it may go on), that vector is the claim.
 */
export class Owed {
  readonly to: OwedTo
  readonly queue: DirtyQueue = new DirtyQueue()
  /** What the other end has claimed to hold. */
  readonly peer: VersionVector = new VersionVector()
  /** Something of what it sent had no room here: what it claims is not what we hold. */
  isLossy = false
  /** Whether the other end has claimed, for the first time, to have sent all that it had. */
  isCaughtUp = false
  #mayTake: boolean
  #repair: Repair | null = null
  /** Runs that the other end has been told our numbers of. */
  readonly #introduced = new Uint8Array(RUNS_END)
  /** Our indexes of the runs, by the other end's numbers of them; 0: it hasn't said. */
  readonly #aliases = new Uint16Array(RUNS_END)
  #claimed = new VersionVector()
  #claimedChanges = -1
  #marker: { readonly at: number; readonly vector: VersionVector } | null = null

  /** @param records everything below this record number is owed, but for what the other's vector will cover. */
  constructor(to: OwedTo, records: number) {
    this.to = to
    this.queue.markAllBelow(records)
    this.#mayTake = to !== 'neighbor'
  }

  /** How many records are owed, those not yet looked at that the other end may turn out to hold among them. */
  get length(): number {
    return this.queue.length
  }

  /** Whether there is something to send now. */
  get hasMore(): boolean {
    return this.#mayTake && this.queue.length > 0
  }

  /** Whether the other end has said what it holds. */
  get maySend(): boolean {
    return this.#mayTake
  }

  /** Whether it is being told all that it lacks. */
  get isSweeping(): boolean {
    return this.queue.isSweeping
  }

  /** The other end's whole vector has come: now it can be told what it lacks. */
  vectorCame(): void {
    this.#mayTake = true
  }

  /** Says that the other end knows, from now on, our number of a run; `false` if it does already. */
  introduce(run: number): boolean {
    if (this.#introduced[run] === 1) return false
    this.#introduced[run] = 1
    return true
  }

  /** The other end calls the run with this index here `alias`. */
  setAlias(alias: number, run: number): void {
    this.#aliases[alias] = run
  }

  /** Our index of the run that the other end calls `alias`; 0 if we don't know it, or don't any more. */
  runOfAlias(alias: number): number {
    return this.#aliases[alias] ?? 0
  }

  /** These indexes of runs will mean others: nothing that was said of them holds on. */
  forgetRuns(runs: readonly number[]): void {
    for (const run of runs) {
      this.peer.drop(run)
      this.#claimed.drop(run)
      this.#marker?.vector.drop(run)
      this.#introduced[run] = 0
    }
    const forgotten = new Set(runs)
    for (let alias = 0; alias < RUNS_END; alias++) {
      if (forgotten.has(this.#aliases[alias] as number)) this.#aliases[alias] = 0
    }
  }

  /**
   * The journal begins anew: nothing that was introduced or claimed before is relied on, and all records below
   * `records` are owed once more, but for what the disk has claimed; or `everything`, for a segment that is to hold all.
   */
  beginAnew(records: number, everything: boolean): void {
    this.#introduced.fill(0)
    this.#claimed = new VersionVector()
    this.#claimedChanges = -1
    this.#marker = null
    this.#repair = everything ? () => true : null
    this.queue.markAllBelow(records)
  }

  /** Sends, of all records, those that `chosen` says, whatever the other end claims; `false` while a sweep is under way. */
  repair(records: number, chosen: Repair): boolean {
    if (this.queue.isSweeping) return false
    this.#repair = chosen
    this.queue.markAllBelow(records)
    return true
  }

  /** Takes the next record number: of the sweep, or of those marked. −1: there is none, or not yet. */
  take(swept: boolean): number {
    if (!this.#mayTake) return -1
    return swept ? this.queue.takeSwept() : this.queue.takeMarked()
  }

  /** Whether a record that a sweep came by is to be sent. @param isCovered whether the other end claims to hold it. */
  isWanted(record: number, isCovered: boolean): boolean {
    // A sweep that repairs also passes by what has become new meanwhile.
    return !isCovered || this.#repair?.(record) === true
  }

  /** Sets a marker, if there is none and something can be claimed. */
  setMarker(vector: VersionVector): void {
    if (this.#marker !== null || vector.changes === this.#claimedChanges || this.to === 'classic') return
    this.#marker = { at: this.queue.made, vector: vector.snapshot() }
  }

  /** Whether the queue was sent past the marker: the claim is due. */
  get isClaimDue(): boolean {
    return (
      this.#marker !== null && this.#mayTake && this.queue.taken >= this.#marker.at && !this.queue.isSweeping
    )
  }

  /** Whether something could be claimed, or will be, once the queue is sent. */
  hasClaim(vector: VersionVector): boolean {
    return this.to !== 'classic' && (this.#marker !== null || vector.changes !== this.#claimedChanges)
  }

  /** Takes the claim that is due. @param append called with the vector to claim, and what was claimed before. */
  takeClaim(append: (vector: VersionVector, said: VersionVector) => void): void {
    const marker = this.#marker
    if (marker === null) return
    this.#marker = null
    append(marker.vector, this.#claimed)
    this.#claimed = marker.vector
    this.#claimedChanges = marker.vector.changes
    this.#repair = null
  }
}
