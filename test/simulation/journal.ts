import { makeCounters } from '../../src/counters.ts'
import { OutputBuffer } from '../../src/protocol/index.ts'
import { appendVector } from '../../src/replication/link-words.ts'
import type { Owed } from '../../src/replication/owed.ts'
import type { VersionVector } from '../../src/replication/version-vector.ts'
import { JournalLoading, neededBytes } from '../../src/storage/journal-loading.ts'
import type { SimDisk } from './disk.ts'
import type { SimServer } from './server.ts'

/** The link to the disk in virtual time: it does what `JournalLink` does, without promises, for one life of a server. */
export class SimJournal {
  readonly owed: Owed
  readonly #server: SimServer
  readonly #disk: SimDisk
  readonly #isWaitedFor: () => boolean
  readonly #output = new OutputBuffer()
  #isWriting = false
  #isSoon = false
  #isOver = false
  #isFailing = false
  #timer: (() => void) | null = null
  #compactAtBytes: number
  #compacting: number | null = null

  /** Reads the disk into a server that has no links yet, and goes on with it. */
  constructor(server: SimServer, disk: SimDisk, isWaitedFor: () => boolean) {
    this.#server = server
    this.#disk = disk
    this.#isWaitedFor = isWaitedFor
    const { replica, sessions } = server
    const context = { ...sessions, counters: makeCounters() }
    const loading = new JournalLoading(context)
    const { bytes, isDamaged } = disk.read((payload) => loading.take(payload))
    const held = loading.end(isDamaged)
    this.owed = replica.connect('disk')
    this.#raise(held)
    const needed = neededBytes(context, bytes, loading.lines)
    this.#compactAtBytes = isDamaged ? 0 : 2 * needed + disk.plan.compactBytesMin
    server.world.mutant?.disk?.(this.owed, replica)
    this.wake()
  }

  /** There may be something to write. */
  wake(): void {
    if (this.#isWriting || this.#isSoon || this.#isOver || this.#isFailing) return
    if (this.#isWaitedFor()) {
      this.#isSoon = true
      this.#after(0, () => {
        this.#isSoon = false
        this.#begin()
      })
    } else this.#timer ??= this.#after(this.#disk.plan.everyMs, () => this.#begin())
  }

  /** Its server ends, without a word to it. */
  crash(): void {
    this.#isOver = true
    const { runs } = this.#server.replica
    const { promised } = this.#disk
    for (let run = 1; run < this.owed.peer.end; run++) {
      const known = runs.get(run)
      const key = `${known?.server} ${known?.id}`
      if (known !== null) promised.set(key, Math.max(promised.get(key) ?? 0, this.owed.peer.seq(run)))
    }
    this.#disk.crash()
  }

  #begin(): void {
    this.#timer?.()
    this.#timer = null
    if (this.#isWriting) return
    this.#isWriting = true
    if (this.#isFailing) this.#beginAgain()
    this.#write()
  }

  #write(): void {
    if (this.#compacting === null && this.#disk.bytes >= this.#compactAtBytes) this.#compact()
    const claim = this.#nextBatch()
    const batch = this.#output.take()
    const goOn = (): void => this.#written(batch.length)
    const synced = (): void => {
      if (claim === null) goOn()
      else this.#claimed(claim, goOn)
    }
    if (batch.length === 0) this.#after(0, synced)
    else
      this.#disk.append(Buffer.from(batch), (isSynced) => {
        if (isSynced) synced()
        else this.#failed()
      })
  }

  #written(batchBytes: number): void {
    if (this.#isHurried(batchBytes)) this.#write()
    else {
      this.#isWriting = false
      if (this.#isDirty) this.wake()
    }
  }

  get #isDirty(): boolean {
    return this.owed.hasMore || this.owed.hasClaim(this.#server.replica.vector)
  }

  #isHurried(batchBytes: number): boolean {
    if (this.#isWaitedFor()) return this.#isDirty
    return this.owed.isSweeping || (this.owed.hasMore && batchBytes >= this.#disk.plan.batchBytesMax)
  }

  #nextBatch(): VersionVector | null {
    const { replica } = this.#server
    const output = this.#output
    this.owed.setMarker(replica.vector)
    replica.nextBatch(this.owed, output, this.#disk.plan.batchBytesMax)
    if (!this.owed.isClaimDue) return null
    let claim: VersionVector | null = null
    this.owed.takeClaim((vector, said) => {
      claim = vector
      appendVector(output, 'claim', vector, said, (run) => replica.introduce(this.owed, run, output))
    })
    return claim
  }

  #claimed(claim: VersionVector, done: () => void): void {
    this.#raise(claim)
    this.#server.replica.claimsHeard()
    const segment = this.#compacting
    if (segment === null) {
      done()
      return
    }
    this.#compacting = null
    this.#compactAtBytes = 2 * this.#disk.segmentBytes + this.#disk.plan.compactBytesMin
    this.#disk.dropBefore(segment, done)
  }

  #raise(claim: VersionVector): void {
    claim.forEachBeyond(this.owed.peer, (run, seq) => this.owed.peer.raise(run, seq))
  }

  #compact(): void {
    this.#compactAtBytes = this.#disk.bytes + this.#disk.plan.compactBytesMin
    this.#compacting = this.#disk.beginSegment()
    this.owed.beginAnew(this.#server.replica.table.recordsEnd, true)
  }

  #beginAgain(): void {
    this.#isFailing = false
    this.owed.beginAnew(this.#server.replica.table.recordsEnd, false)
    if (this.#compacting === null) return
    this.#disk.giveUp(this.#compacting)
    this.#compacting = null
  }

  #failed(): void {
    this.#isFailing = true
    this.#isWriting = false
    this.#timer = this.#after(this.#disk.plan.retryMs, () => this.#begin())
  }

  #after(ms: number, happen: () => void): () => void {
    return this.#server.world.agenda.after(ms, () => {
      if (!this.#isOver) happen()
    })
  }
}
